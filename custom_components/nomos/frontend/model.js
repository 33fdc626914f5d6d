/**
 * What a card shows: the answer of the websocket command `nomos/chart`, as the card's configuration wants it.
 *
 * Pure: no DOM, no clock. Times are seconds since 1970, prices EUR/kWh.
 */

import { fill } from "./texts.js";

export const PARTS = ["electricity", "grid", "levies"];

export class Model {
	#known = new Map();

	/** `battery` is the module of batteries if there is one. */
	constructor(chart, config, battery) {
		this.chart = chart;
		this.config = config;
		this.battery = battery;
		this.days = chart.days;
		const end = chart.days[config.days === "today" ? 0 : 1].end;
		this.rows = chart.intervals
			.filter(([start]) => start < end)
			.map(([start, end, price, level, ...parts]) => ({ start, end, price, level, parts }));
		this.hasParts = this.rows.some((row) => row.parts.some((part) => part !== null));
		/** The days that have a price to show. */
		this.shown = this.days.filter((day) => this.pricesOf(day).length);
		this.from = Math.min(...this.shown.map((day) => day.start));
		this.to = Math.max(...this.shown.map((day) => day.end));
		/** What is expected of sun and house; null if nothing is, or it is hidden. */
		this.outlook = battery && chart.expected && !this.hides("expected") ? new battery.Outlook(this) : null;
	}

	/** Say when supply begins or when it ended; nothing while there is supply. */
	supply({ texts, long }) {
		const { status, at } = this.chart.supply;
		if (status === "active") return "";
		// An end is the midnight after the last day.
		const date = at && long(status === "ended" ? at - 1 : at);
		return date ? fill(texts[status], { date }) : texts[`${status}_undated`];
	}

	/** Return the index of the interval that holds a time; -1 if there is none. */
	at(seconds) {
		let low = 0;
		let high = this.rows.length - 1;
		while (low <= high) {
			const middle = (low + high) >> 1;
			if (seconds < this.rows[middle].start) high = middle - 1;
			else if (seconds >= this.rows[middle].end) low = middle + 1;
			else return middle;
		}
		return -1;
	}

	/** Return the next time after now at which another interval or day begins, an hour from now at the latest. */
	nextBoundary(now) {
		const marks = [this.days[1].start, now + 3600, ...this.rows.flatMap(({ start, end }) => [start, end])];
		return Math.min(...marks.filter((mark) => mark > now));
	}

	hides(part) {
		return Boolean(this.config.hide?.includes(part));
	}

	pricesOf(day) {
		if (!this.#known.has(day)) {
			const rows = this.rows.filter(({ start, price }) => price !== null && start >= day.start && start < day.end);
			this.#known.set(day, rows.map((row) => row.price));
		}
		return this.#known.get(day);
	}

	isTomorrow(seconds) {
		return seconds >= this.days[1].start;
	}

	/** Return how good a level is, 1 best to 5 worst: a high price is good for those who are paid. */
	quality(level) {
		return this.chart.kind === "feed_in" ? 6 - level : level;
	}

	title(texts) {
		return this.config.title || texts.title[this.chart.kind];
	}

	levelName(texts, level) {
		return texts.levels[this.chart.kind][level];
	}

	/** Return the best window; null if there is none or it is hidden. */
	get window() {
		return this.hides("window") ? null : this.chart.window;
	}

	/** Return the best window in words. */
	bestWindow(formats) {
		const best = this.window;
		if (!best) return null;
		const span = formats.span((best.end - best.start) / 60);
		const time = formats.range(best.start, best.end);
		const { texts } = formats;
		return {
			label: `${fill(texts.best[this.chart.kind], { span })} · Ø ${formats.number(best.average, formats.coarse)}`,
			time: this.isTomorrow(best.start) ? fill(texts.tomorrow_at, { time }) : time,
		};
	}

	/** Return the loads that have a run in a span of time, with these runs. */
	loads(from, to) {
		if (this.hides("loads")) return [];
		return this.chart.loads
			.map((load) => ({ ...load, runs: load.runs.filter(([start, end]) => end > from && start < to) }))
			.filter((load) => load.runs.length);
	}

	/** Return the batteries that have a plan in a span of time, with its rows. */
	batteries(from, to) {
		if (!this.battery || this.hides("batteries")) return [];
		return this.chart.batteries
			.map(({ name, rows }) => ({
				name,
				rows: rows
					.map(([start, end, mode, level]) => ({ start, end, mode, level }))
					.filter(({ start, end }) => end > from && start < to),
			}))
			.filter(({ rows }) => rows.length);
	}

	/** Return how many lanes stand under the prices. */
	get lanes() {
		return this.loads(this.from, this.to).length + this.batteries(this.from, this.to).length + (this.outlook ? 2 : 0);
	}

	/** Say in words what the picture shows. */
	summary(formats, current) {
		const { texts } = formats;
		const title = this.title(texts);
		const row = this.rows[current];
		const sentences = [`${title}: ${texts.unknown}.`];
		if (row && row.price !== null) {
			const level = this.levelName(texts, row.level || 3);
			sentences[0] = fill(texts.summary, { title, price: formats.price(row.price), level });
		}
		for (const day of this.shown) {
			const prices = this.pricesOf(day);
			sentences.push(
				fill(texts.summary_day, {
					day: day === this.days[0] ? texts.today : texts.tomorrow,
					low: formats.price(Math.min(...prices)),
					high: formats.price(Math.max(...prices)),
					average: formats.price(day.average),
				}),
			);
		}
		const best = this.bestWindow(formats);
		if (best) sentences.push(`${best.label}: ${best.time}.`);
		if (row) sentences.push(...this.modes(formats, row).map((words) => `${words}.`));
		if (this.outlook) sentences.push(...this.outlook.sentences(formats));
		return sentences.join(" ");
	}

	/** Say what batteries are told in an interval, and how full they are after it. */
	modes({ texts }, { start, end }) {
		return this.batteries(start, end).map(({ name, rows }) => {
			const { mode, level } = rows.at(-1);
			return `${name}: ${texts.modes[mode]}, ${Math.round(level)} %`;
		});
	}

	/** Say in words what there is to say of one interval. */
	describe(formats, row) {
		const { texts } = formats;
		const words = [formats.range(row.start, row.end)];
		if (this.isTomorrow(row.start)) words.unshift(texts.tomorrow);
		words.push(row.price === null ? texts.unknown : formats.price(row.price));
		if (row.price !== null && row.level) words.push(this.levelName(texts, row.level));
		for (const load of this.loads(row.start, row.end)) words.push(load.name);
		words.push(...this.modes(formats, row), ...(this.outlook?.powers(formats, row) || []).map(({ name, power }) => `${name} ${power}`));
		return words.join(", ");
	}
}
