/** The interval selected by pointer or keyboard, and its tooltip; loaded by the first card with prices. */

import { PARTS } from "./model.js";
import { div, dot, make, span } from "./view.js";
import { describe, modes, summary } from "./words.js";

export class Cursor {
	#ui;
	#see;
	/** The index of the interval among the shown ones; -1 if none. */
	index = -1;

	/** `see` returns what is shown: model, formats, layout, parts, the current interval and the index to start from. */
	constructor(ui, see) {
		this.#ui = ui;
		this.#see = see;
		const { cursor } = ui;
		const point = (event) => {
			if (event.pointerType === "mouse" || event.buttons) this.pick(this.#indexAt(event));
		};
		cursor.addEventListener("pointerdown", point);
		cursor.addEventListener("pointermove", point);
		cursor.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.pick(-1));
		cursor.addEventListener("keydown", (event) => this.#key(event));
		cursor.addEventListener("focus", () => {
			if (cursor.matches(":focus-visible")) this.pick(this.#at);
		});
		cursor.addEventListener("blur", () => this.pick(-1));
	}

	get #at() {
		return this.index < 0 ? this.#see().home : this.index;
	}

	#indexAt(event) {
		const { model, layout } = this.#see();
		if (!layout) return -1;
		const { from, to, left, right, width } = layout;
		const share = (event.clientX - this.#ui.plot.getBoundingClientRect().left - left) / (width - left - right);
		return share < 0 || share >= 1 ? -1 : model.at(from + share * (to - from));
	}

	#key(event) {
		const { rows } = this.#see().model;
		const last = rows.length - 1;
		const at = this.#at;
		const hour = Math.max(1, Math.round(3600 / (rows[at].end - rows[at].start)));
		const steps = {
			ArrowLeft: -1,
			ArrowDown: -1,
			ArrowRight: 1,
			ArrowUp: 1,
			PageDown: -hour,
			PageUp: hour,
			Home: -last,
			End: last,
		};
		const step = steps[event.key];
		if (event.key === "Escape") this.pick(-1);
		if (!step) return;
		event.preventDefault();
		this.pick(Math.min(last, Math.max(0, at + step)));
	}

	/** Follow a redraw: keep the interval, or hide if it is gone. */
	follow() {
		const { model, formats, home, row } = this.#see();
		const { cursor } = this.#ui;
		this.#ui.summary.textContent = summary(model, formats, row);
		cursor.setAttribute("aria-label", formats.texts.slider);
		cursor.setAttribute("aria-valuemax", String(model.rows.length - 1));
		this.#announce(home);
		this.pick(this.index);
	}

	/** Show one interval's details; -1 hides them. */
	pick(index) {
		const { model, formats, layout, parts } = this.#see();
		const { tip, hover } = this.#ui;
		const row = model?.rows[index];
		this.index = row ? index : -1;
		tip.hidden = !row || !layout;
		hover.setAttribute("visibility", tip.hidden ? "hidden" : "visible");
		if (tip.hidden) return;
		this.#announce(index);
		tip.replaceChildren(...details(model, formats, row, parts));
		const { x, top, bottom, width, left } = layout;
		const begin = x(row.start);
		const end = x(row.end);
		const place = { x: begin, y: top, width: Math.max(end - begin, 1), height: bottom - top };
		for (const name in place) hover.setAttribute(name, place[name]);
		const room = tip.offsetWidth;
		const beside = begin - left > width - end ? begin - room - 8 : end + 8;
		tip.style.left = `${Math.max(0, Math.min(width - room, beside))}px`;
	}

	/** Announce an interval as the slider's value. */
	#announce(index) {
		const { model, formats } = this.#see();
		const row = model.rows[index];
		if (!row) return;
		this.#ui.cursor.setAttribute("aria-valuenow", String(index));
		this.#ui.cursor.setAttribute("aria-valuetext", describe(model, formats, row));
	}
}

/** Return the lines of an interval's tooltip. */
function details(model, formats, row, parts) {
	const { texts } = formats;
	const entry = (label, value, colour) =>
		div("row", span("", colour && dot(colour), label), span("", value));
	const day = model.dayName(texts, row.start);
	const price = row.price === null ? texts.unknown : formats.price(row.price);
	const content = [span("", `${day} ${formats.range(row.start, row.end)}`), make("b", {}, price)];
	if (row.price !== null) {
		if (row.level) content.push(entry(model.levelName(texts, row.level), "", `l${model.quality(row.level)}`));
		PARTS.forEach((part, index) => {
			const value = row.parts[index];
			if (value !== null) content.push(entry(texts.parts[part], formats.number(value), parts && `p${index}`));
		});
	}
	for (const load of model.loads(row.start, row.end)) content.push(entry(load.name, "", "run"));
	for (const words of modes(model, formats, row)) content.push(entry(words, ""));
	for (const { name, power, colour } of model.outlook?.powers(formats, row) || []) content.push(entry(name, power, colour));
	return content;
}
