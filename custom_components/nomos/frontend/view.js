/** The elements of the price card, and their contents around the chart. */

import { PARTS } from "./model.js";
import { STYLE } from "./style.js";
import { fill } from "./texts.js";

const SIGNS = ["", "▼▼", "▼", "●", "▲", "▲▲"];

/** Create an element. Children are elements or text; empty ones are left out. */
export function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const name in attributes) element.setAttribute(name, attributes[name]);
	element.append(...children.filter(Boolean));
	return element;
}

export const span = (kind, ...children) => make("span", kind ? { class: kind } : {}, ...children);

export const div = (kind, ...children) => make("div", { class: kind }, ...children);

export const dot = (colour, kind = "dot") => make("i", { class: kind, style: `--c:var(--${colour})` });

export function draw([tag, attributes, text]) {
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const name in attributes) element.setAttribute(name, attributes[name]);
	if (text !== undefined) element.textContent = text;
	return element;
}

const ruler = document.createElement("canvas").getContext("2d");
export function widthOf(text, font) {
	ruler.font = font;
	return ruler.measureText(text).width;
}

/** Create the card's elements in a shadow root; return those that change. */
export function build(root) {
	const ui = {
		title: span("label"),
		price: span("price"),
		unit: span("unit"),
		sign: make("span", { class: "sign", "aria-hidden": "true" }),
		level: span(""),
		bestLabel: span("label"),
		bestTime: span("time"),
		summary: make("p", { class: "sr", id: "summary" }),
		svg: draw(["svg", { role: "img", "aria-labelledby": "summary" }]),
		hover: draw(["rect", { class: "hover", visibility: "hidden" }]),
		cursor: make("div", { class: "cursor", role: "slider", tabindex: "0", "aria-valuemin": "0" }),
		tip: make("div", { class: "tip", "aria-hidden": "true", hidden: "" }),
		legend: make("div", { class: "legend", role: "group" }),
		days: div("days"),
		toggle: make("button", { class: "pill toggle" }),
		note: div("note"),
		message: make("div", { class: "message", role: "status" }),
	};
	ui.chip = span("chip", ui.sign, ui.level);
	ui.now = make("button", { class: "open" }, ui.title, span("value", span("", ui.price, " ", ui.unit), ui.chip));
	ui.best = div("best", ui.bestLabel, ui.bestTime);
	ui.plot = div("plot", ui.summary, ui.svg, ui.cursor, ui.tip);
	ui.head = div("head", ui.now, ui.best);
	ui.foot = div("foot", ui.days, ui.legend, ui.toggle, ui.note);
	root.append(make("style", {}, STYLE), make("ha-card", {}, ui.head, ui.plot, ui.foot, ui.message));
	return ui;
}

/** Update the current price, its level and the best window. */
export function drawHead(ui, model, formats, row) {
	const known = row && row.price !== null;
	ui.title.textContent = model.title(formats.texts);
	ui.price.textContent = known ? formats.number(row.price) : "–";
	ui.unit.textContent = formats.unit;
	ui.chip.hidden = !known || !row.level;
	if (known && row.level) {
		ui.chip.style.setProperty("--c", `var(--l${model.quality(row.level)})`);
		ui.sign.textContent = SIGNS[row.level];
		ui.level.textContent = model.levelName(formats.texts, row.level);
	}
	const { label, times = [] } = model.bestWindows(formats) || {};
	ui.best.hidden = !label;
	ui.bestLabel.textContent = label;
	ui.bestTime.textContent = times[0];
	ui.best.replaceChildren(ui.bestLabel, ui.bestTime, ...times.slice(1).map((time) => span("time", time)));
	ui.best.classList.toggle("several", times.length > 1);
}

/** Update legend and notes. */
export function drawFoot(ui, model, formats, parts, hub) {
	const { texts } = formats;
	const items = model.hides("legend") ? [] : legend(model, texts, parts);
	const held = ui.legend.getRootNode().activeElement?.dataset.key;
	ui.legend.replaceChildren(...items);
	ui.legend.querySelector(`[data-key="${held}"]`)?.focus();
	ui.legend.setAttribute("aria-label", texts.legend);
	ui.toggle.hidden = !model.hasParts;
	ui.toggle.textContent = texts.by_parts;
	ui.toggle.title = texts.by_parts_hint;
	ui.toggle.setAttribute("aria-pressed", String(parts));
	const zone = model.chart.time_zone;
	const notes = [];
	const supply = model.supply(formats);
	if (supply) notes.push(supply);
	else if (!model.pricesOf(model.days[1]).length && model.config.days !== "today") notes.push(texts.no_tomorrow);
	if (hub && hub.time_zone !== zone) notes.push(fill(texts.zone, { zone }));
	ui.note.textContent = notes.join(" ");
	ui.note.hidden = !notes.length;
	ui.days.hidden = !ui.days.firstChild || model.hides("days");
	ui.foot.hidden = !items.length && ui.toggle.hidden && !notes.length && ui.days.hidden;
}

/** Return the legend. Its buttons hide elements; the scale of levels is not a button. */
function legend(model, texts, parts) {
	const entry = (key, mark, name) => {
		const attributes = { class: "entry", "data-key": key, "aria-pressed": String(!model.off.has(key)) };
		return make("button", attributes, mark, name);
	};
	const expected = (model.outlook?.legend(texts) || []).map(({ kind, colour, name }) => entry(kind, dot(colour), name));
	if (parts) {
		const named = PARTS.map((part, index) => entry(`p${index}`, dot(`p${index}`), texts.parts[part]));
		return [...named, entry("total", make("i", { class: "rule" }), texts.total), ...expected];
	}
	const steps = [1, 2, 3, 4, 5].map((level) => dot(`l${model.quality(level)}`, ""));
	const scale = span("scale", model.levelName(texts, 2), span("steps", ...steps), model.levelName(texts, 4));
	scale.setAttribute("aria-hidden", "true");
	return [scale, ...expected];
}
