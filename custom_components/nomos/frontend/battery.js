/** The parts of the price card for a battery: its plan, and the forecasts of sun and house; loaded on demand. Pure. */

import { LANE, rect, text } from "./chart.js";

const QUARTER = 900;

const COLOURS = { sun: "p1", need: "p2" };

const TEXTS = {
	en: {
		sun: "Sun",
		need: "Need",
		days: ["Expected today", "Expected tomorrow"],
		times: ["night", "morning", "afternoon", "evening"],
	},
	de: {
		sun: "Sonne",
		need: "Bedarf",
		days: ["Heute erwartet", "Morgen erwartet"],
		times: ["nachts", "vormittags", "nachmittags", "abends"],
	},
};

/** Return a battery's modes as a band of colours, without self-use, with its charge level as a line. */
export function drawBattery({ name, rows }, top, { x, from, to, measure, lane }) {
	const height = lane * 0.8;
	const within = (seconds) => x(Math.min(Math.max(seconds, from), to));
	const out = [rect("track", x(from), top, x(to) - x(from), height, { rx: height / 4 })];
	const gaps = [];
	let d = "";
	for (let index = 0; index < rows.length; ) {
		const { mode, start } = rows[index];
		while (index < rows.length && rows[index].mode === mode) {
			const { end, level } = rows[index++];
			d += `${d ? "L" : "M"}${within(end).toFixed(1)} ${(top + height * (1 - level / 100)).toFixed(1)}`;
		}
		const [begin, finish] = [within(start), within(rows[index - 1].end)];
		if (mode === "self_use") gaps.push([begin, finish]);
		else out.push(rect(`mode ${mode}`, begin, top, Math.max(finish - begin, 2), height));
	}
	out.push(["path", { class: "level", d }]);
	// Put the name before or after the plan rather than across the line.
	gaps.unshift([x(from), within(rows[0].start)], [within(rows.at(-1).end), x(to)]);
	const gap = gaps.find(([begin, finish]) => finish - begin >= measure(name) + 12);
	const [at, anchor] = gap === gaps[0] ? [gap[1] - 6, "end"] : [(gap?.[0] ?? 0) + 6, "start"];
	if (gap && lane >= LANE) out.push(text(name, at, top + 12, anchor, "lane"));
	return out;
}

/** Forecasts `{start, sun, need}`: kWh by quarter-hours from a time on, as far as the model shows them. */
export class Outlook {
	#model;
	#start;
	#kinds;

	constructor(model) {
		const { start, ...energies } = model.chart.expected;
		this.#model = model;
		this.#start = start;
		// Without a solar forecast there is no sun.
		this.#kinds = ["sun", "need"]
			.map((kind) => [kind, energies[kind].slice(0, (model.to - start) / QUARTER)])
			.filter(([, values]) => values.some(Boolean));
	}

	/** Return both areas on a common scale, in two lanes below a height. */
	draw(top, { x, lane }) {
		const height = lane * 1.8;
		const most = Math.max(...this.#kinds.flatMap(([, values]) => values));
		const at = (index) => x(this.#start + index * QUARTER).toFixed(1);
		return this.#kinds.filter(([kind]) => !this.#model.off.has(kind)).map(([kind, values]) => {
			const steps = values.map((value, index) => `V${(top + height * (1 - value / most)).toFixed(1)}H${at(index + 1)}`);
			const d = `M${at(0)} ${top + height}${steps.join("")}V${top + height}`;
			return ["path", { class: "expected", "data-kind": kind, d, style: `--c:var(--${COLOURS[kind]})` }];
		});
	}

	legend({ language }) {
		return this.#kinds.map(([kind]) => ({ kind, name: TEXTS[language][kind], colour: COLOURS[kind] }));
	}

	/** Return the mean powers in an interval as text. */
	powers({ texts, digits }, { start, end }) {
		const [first, last] = [start, end].map((time) => Math.max(0, (time - this.#start) / QUARTER));
		return this.legend(texts).flatMap((named, index) => {
			const values = this.#kinds[index][1].slice(first, last);
			if (!values.length) return [];
			const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
			return { ...named, power: `${digits[1].format((mean * 3600) / QUARTER)} kW` };
		});
	}

	/** Return the forecasts by parts of the day as text, for assistive technology. */
	sentences(formats) {
		const { days, times, ...names } = TEXTS[formats.texts.language];
		const sums = [[], []];
		for (const [kind, values] of this.#kinds) {
			values.forEach((value, index) => {
				const time = this.#start + index * QUARTER;
				const part = (sums[Number(this.#model.isTomorrow(time))][Math.floor(formats.hour(time) / 6)] ||= {});
				part[kind] = (part[kind] || 0) + value;
			});
		}
		const say = (part) => Object.keys(part).map((kind) => `${names[kind]} ${formats.digits[1].format(part[kind])} kWh`);
		return sums.flatMap((parts, index) => {
			const said = parts.map((part, time) => `${times[time]} ${say(part).join(", ")}`).filter(Boolean);
			return said.length ? `${days[index]}: ${said.join("; ")}.` : [];
		});
	}
}
