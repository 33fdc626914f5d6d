/**
 * What a card shows: the response of the websocket command `nomos/chart`, filtered by the card's configuration.
 *
 * Pure: no DOM, no clock. Times are seconds since 1970, prices EUR/kWh.
 */

import { fill } from "./texts.js";

export const PARTS = ["electricity", "grid", "levies"];

/** Indexes into `days`; yesterday is there only if requested. */
const DAYS = ["today", "tomorrow", "yesterday"];

const rowOf = ([start, end, price, level, ...parts]) => ({ start, end, price, level, parts });

export class Model {
	#known = new Map();

	/**
	 * `extras` is what was loaded for this chart, `day` the place of the only day to show, if it is known, and
	 * `off` what the legend hides, by the keys of its buttons.
	 */
	constructor(chart, config, extras, day, off = new Set()) {
		this.off = off;
		this.chart = chart;
		this.config = config;
		this.extras = extras;
		const [tomorrow, today, yesterday] = [...chart.days].reverse();
		this.days = yesterday ? [today, tomorrow, yesterday] : [today, tomorrow];
		/** All known intervals, and those of the shown days. */
		this.all = chart.intervals.map(rowOf);
		/** For hours: the current price by the tariff's interval. */
		this.exact = chart.exact.map(rowOf);
		this.day = this.days[day] && this.pricesOf(this.days[day]).length ? day : undefined;
		const wanted = this.day === undefined ? [today, ...(config.days === "today" ? [] : [tomorrow])] : [this.days[day]];
		this.rows = this.all.filter(({ start }) => wanted.some((one) => start >= one.start && start < one.end));
		this.hasParts = this.rows.some((row) => row.parts.some((part) => part !== null));
		/** The days with a price. */
		this.shown = wanted.filter((one) => this.pricesOf(one).length);
		this.from = Math.min(...this.shown.map((day) => day.start));
		this.to = Math.max(...this.shown.map((day) => day.end));
		/** The forecasts of sun and house; null if unknown or hidden. */
		this.outlook = extras.Outlook && chart.expected && !this.hides("expected") ? new extras.Outlook(this) : null;
	}

	/** Return when supply begins or ended; nothing while it runs. */
	supply(formats) {
		return this.extras.supply?.(this.chart.supply, formats) || "";
	}

	/** Return the index of the interval at a time; -1 if none. */
	at(seconds, rows = this.rows) {
		return rows.findIndex(({ start, end }) => start <= seconds && seconds < end);
	}

	/** Return the current interval, whichever day is shown. */
	now(seconds) {
		return this.exact[this.at(seconds, this.exact)] || this.all[this.at(seconds, this.all)];
	}

	/** Return when the next interval or day begins, an hour from now at the latest. */
	nextBoundary(now) {
		const marks = [this.days[1].start, now + 3600, ...[...this.all, ...this.exact].flatMap(({ start, end }) => [start, end])];
		return Math.min(...marks.filter((mark) => mark > now));
	}

	hides(part) {
		return Boolean(this.config.hide?.includes(part));
	}

	pricesOf(day) {
		if (!this.#known.has(day)) {
			const rows = this.all.filter(({ start, price }) => price !== null && start >= day.start && start < day.end);
			this.#known.set(day, rows.map((row) => row.price));
		}
		return this.#known.get(day);
	}

	isTomorrow(seconds) {
		return seconds >= this.days[1].start;
	}

	/** Return the name of the day of a time. */
	dayName(texts, seconds) {
		return texts[DAYS[this.isTomorrow(seconds) ? 1 : seconds < this.days[0].start ? 2 : 0]];
	}

	/** Return how good a level is, 1 best to 5 worst; high payouts are good. */
	quality(level) {
		return this.chart.kind === "feed_in" ? 6 - level : level;
	}

	title(texts) {
		return this.config.title || texts.title[this.chart.kind];
	}

	levelName(texts, level) {
		return texts.levels[this.chart.kind][level];
	}

	/** Return the best windows in chronological order; none if hidden. */
	get windows() {
		return this.hides("window") ? [] : [...this.chart.windows].sort((one, two) => one.start - two.start);
	}

	/** Return the best windows as text: a label, and each one's time; if several, with averages. */
	bestWindows(formats) {
		const found = this.windows;
		if (!found.length) return null;
		const { texts } = formats;
		const span = formats.span((found[0].end - found[0].start) / 60);
		const label = fill(texts.best[this.chart.kind], { span });
		const mean = ({ average }) => ` · Ø ${formats.number(average, formats.coarse)}`;
		const times = found.map(({ start, end }) => {
			const time = formats.range(start, end);
			return this.isTomorrow(start) ? fill(texts.tomorrow_at, { time }) : time;
		});
		if (found.length < 2) return { label: label + mean(found[0]), times };
		return { label, times: times.map((time, index) => time + mean(found[index])) };
	}

	/** Return the loads with runs in a time range, with these runs. */
	loads(from, to) {
		if (this.hides("loads")) return [];
		return this.chart.loads
			.map((load) => ({ ...load, runs: load.runs.filter(([start, end]) => end > from && start < to) }))
			.filter((load) => load.runs.length);
	}

	/** Return the batteries with a plan in a time range, with its rows. */
	batteries(from, to) {
		if (this.hides("batteries")) return [];
		return this.chart.batteries
			.map(({ name, rows }) => ({
				name,
				rows: rows
					.map(([start, end, mode, level]) => ({ start, end, mode, level }))
					.filter(({ start, end }) => end > from && start < to),
			}))
			.filter(({ rows }) => rows.length);
	}

	/** Return the number of lanes under the prices. */
	get lanes() {
		return this.loads(this.from, this.to).length + this.batteries(this.from, this.to).length + (this.outlook ? 2 : 0);
	}
}
