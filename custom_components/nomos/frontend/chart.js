/**
 * The price chart as SVG elements: `[tag, attributes, text]`.
 *
 * Pure: a function measures texts, and nothing here uses a document.
 */

const HOUR = 3600;

/** Heights: of a lane, of everything around the bars, and the least of the bars. */
export const LANE = 20;
const [AROUND, BARS] = [40, 48];
const [TOP, RIGHT] = [22, 2];

/** Return the extra height for lanes. */
export const lanesHeight = (count) => (count ? count * LANE + 4 : 0);

/** Return the ends of an axis with a little margin, its round ticks, and the decimals that they need. */
export function scale(lowest, highest, count) {
	const raw = (highest - lowest) / count || 1;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw * 0.8) * power;
	const air = raw * count * 0.04;
	const low = lowest < 0 ? lowest - air : 0;
	const high = highest > 0 ? highest + air : air;
	const ticks = [];
	for (let index = Math.ceil(low / step); index * step <= high; index += 1) ticks.push(index * step || 0);
	const decimals = [0, 1, 2].find((digits) => Math.abs(Math.round(step * 10 ** digits) - step * 10 ** digits) < 1e-6) ?? 3;
	return { ticks, low, high, decimals };
}

/** Return the lowest and the highest drawn value. */
function extent(rows, parts) {
	const values = [0];
	for (const { price, parts: some } of rows) {
		if (price === null) continue;
		values.push(price);
		if (parts) {
			values.push(some.reduce((sum, part) => sum + Math.max(part || 0, 0), 0));
			values.push(some.reduce((sum, part) => sum + Math.min(part || 0, 0), 0));
		}
	}
	return [Math.min(...values), Math.max(...values)];
}

const line = (kind, x1, y1, x2, y2) => ["line", { class: kind, x1, y1, x2, y2 }];

export const rect = (kind, x, y, width, height, more) => ["rect", { class: kind, x, y, width, height, ...more }];

export const text = (content, x, y, anchor, kind = "") => ["text", { x, y, "text-anchor": anchor, class: kind }, content];

/**
 * Return the elements of the chart and the position of each interval.
 *
 * @param {Model} model What to show.
 * @param {Formats} formats How to write it.
 * @param {{width: number, height: number, ratio: number, parts: boolean, current: number, now: number,
 *   rtl: boolean, measure: (text: string, bold?: boolean) => number}} options Size and pixel ratio, whether bars show components,
 *   the index of the current interval, the time, whether text is right-to-left, and a function that measures a text's width.
 */
export function drawChart(model, formats, options) {
	const { width, height, ratio, measure } = options;
	const { from, to } = model;
	const lanes = [...model.loads(from, to), ...model.batteries(from, to)];
	// In a given height, the bars shrink first, then the lanes.
	const lane = Math.max(3, Math.min(LANE, (height - AROUND - BARS - 4) / model.lanes));
	const extra = model.lanes ? model.lanes * lane + 4 : 0;
	const plotHeight = Math.max(height - extra - AROUND, 1);
	const factor = formats.cents ? 100 : 1;
	const [lowest, highest] = extent(model.rows, options.parts).map((value) => value * factor);
	const axis = scale(lowest, highest, Math.max(2, Math.min(5, Math.floor(plotHeight / 30))));
	const labels = axis.ticks.map((tick) => formats.digits[axis.decimals].format(tick).replace("-", "−"));
	const wide = Math.ceil(Math.max(...labels.map((label) => measure(label)))) + 8;
	// As in Home Assistant's graphs, time always runs from left to right; the price axis is where lines of text start.
	const [left, right] = options.rtl ? [RIGHT, wide] : [wide, RIGHT];
	const bottom = TOP + plotHeight;
	const snap = (value) => Math.round(value * ratio) / ratio;
	const x = (seconds) => left + ((seconds - from) / (to - from)) * (width - left - right);
	const y = (price) => bottom - ((price * factor - axis.low) / (axis.high - axis.low)) * plotHeight;
	const frame = { ...options, x, y, snap, left, right, top: TOP, bottom, lane, factor, from, to };
	const elements = [
		...drawAxis(axis, labels, frame),
		...model.windows.flatMap((best) => drawWindow(best, frame)),
		...drawBars(model, frame),
		...drawAverages(model, frame),
		...drawHours(formats, frame),
		...drawDays(model, formats, frame),
		...lanes.flatMap((one, index) => (one.runs ? model.extras.drawLane : model.extras.drawBattery)?.(one, bottom + 24 + index * lane, frame) || []),
		...(model.outlook?.draw(bottom + 24 + lanes.length * lane, frame) || []),
		...drawNow(model.rows[options.current], frame),
	];
	return { elements, layout: { x, from, to, left, right, top: TOP, bottom, width } };
}

function drawAxis(axis, labels, { y, snap, ratio, factor, left, right, width, rtl }) {
	return axis.ticks.flatMap((tick, index) => {
		const at = snap(y(tick / factor)) + 0.5 / ratio;
		const kind = Math.abs(tick) < 1e-9 ? "zero" : "grid";
		return [line(kind, left, at, width - right, at), rtl ? text(labels[index], width - right + 6, at + 4, "start") : text(labels[index], left - 6, at + 4, "end")];
	});
}

function drawWindow(best, { x, snap, from, to, top, bottom }) {
	if (best.start >= to || best.end <= from) return [];
	const begin = snap(x(Math.max(best.start, from)));
	const length = snap(x(Math.min(best.end, to))) - begin;
	return [rect("best-fill", begin, top, length, bottom - top), rect("best-edge", begin + 1, top - 3, Math.max(length - 2, 1), 3)];
}

/** Return the bars: one path per colour, past ones separate. */
function drawBars(model, { x, y, snap, parts, current, now }) {
	const paths = new Map();
	const zero = snap(y(0));
	let total = "";
	let before;
	const bar = (key, past, from, to, start, end) => {
		const name = `${past ? "past " : ""}${key}`;
		const height = Math.max(Math.abs(end - start), 1);
		const top = Math.min(start, end);
		paths.set(name, `${paths.get(name) || ""}M${from} ${top}h${to - from}v${height}h${from - to}z`);
	};
	model.rows.forEach((row, index) => {
		if (row.price === null) return;
		const from = snap(x(row.start));
		const edge = snap(x(row.end));
		const to = edge - from >= 4 ? edge - 1 : edge;
		const past = current >= 0 ? index < current : row.end <= now;
		if (!parts) {
			bar(`l${row.level ? model.quality(row.level) : 3}`, past, from, to, zero, snap(y(row.price)));
			return;
		}
		let [up, down] = [0, 0];
		for (const part of [2, 1, 0]) {
			const value = row.parts[part];
			if (!value || model.off.has(`p${part}`)) continue;
			const base = value > 0 ? up : down;
			if (value > 0) up += value;
			else down += value;
			bar(`p${part}`, past, from, to, snap(y(base)), snap(y(base + value)));
		}
		const level = snap(y(row.price));
		total += before === row.start ? `V${level}H${edge}` : `M${from} ${level}H${edge}`;
		before = row.end;
	});
	const drawn = [...paths].map(([name, d]) => {
		const past = name.startsWith("past ");
		const key = past ? name.slice(5) : name;
		return ["path", { class: past ? "bars past" : "bars", "data-key": key, d, style: `fill:var(--${key})` }];
	});
	return total && !model.off.has("total") ? [...drawn, ["path", { class: "total", d: total }]] : drawn;
}

function drawAverages(model, { x, y, snap }) {
	if (model.hides("average")) return [];
	return model.shown
		.filter((day) => day.average !== null)
		.map((day) => {
			const at = snap(y(day.average));
			return line("mean", x(day.start), at, x(day.end), at);
		});
}

/** Return hour labels: as many as fit, at the same times each day. */
function drawHours(formats, { x, snap, ratio, measure, from, to, left, right, width, bottom }) {
	const perHour = ((width - left - right) / (to - from)) * HOUR;
	const stepOf = (short) => {
		const needed = Math.max(...[12, 22].map((hour) => measure(formats.tick(from + hour * HOUR, short)))) + 9;
		return [1, 2, 3, 4, 6, 12, 24].find((hours) => hours * perHour >= needed) || 24;
	};
	const short = stepOf(false) > 6;
	const step = stepOf(short);
	const out = [];
	let free = 0;
	for (let at = from; at <= to; at += HOUR) {
		if (formats.hour(at) % step) continue;
		const label = formats.tick(at, short);
		const half = measure(label) / 2;
		const middle = Math.max(half, Math.min(x(at), width - half));
		const mark = snap(x(at)) + 0.5 / ratio;
		out.push(line("split", mark, bottom, mark, bottom + 3));
		// If steps do not divide a day evenly, its last label may overlap the one before.
		if (middle - half < free) continue;
		free = middle + half + 4;
		out.push(text(label, middle, bottom + 15, "middle"));
	}
	return out;
}

function drawDays(model, formats, { x, snap, ratio, measure, from, bottom }) {
	const out = [];
	for (const day of model.shown) {
		if (day.start > from) {
			const at = snap(x(day.start)) + 0.5 / ratio;
			out.push(line("split", at, 0, at, bottom + 3));
		}
		const space = x(day.end) - x(day.start) - 10;
		const name = model.dayName(formats.texts, day.start);
		const date = formats.date.format((day.start + 12 * HOUR) * 1000);
		const hidden = day.average === null || model.hides("average");
		const mean = hidden ? "" : ` · Ø ${formats.number(day.average, formats.coarse)}`;
		const fits = (words) => measure(words, true) <= space;
		const prices = model.pricesOf(day);
		const ends = [Math.min(...prices), Math.max(...prices)].map((price) => formats.number(price, formats.coarse));
		const long = `${name}, ${date}${mean}`;
		const heading = [`${long} · ${ends.join(" – ")}`, long, `${name}${mean}`].find(fits) || name;
		out.push(text(heading, x(day.start) + (day.start > from ? 6 : 0), 12, "start", "day"));
	}
	return out;
}

function drawNow(row, { x, snap, top, bottom }) {
	if (!row) return [];
	const at = snap(x((row.start + row.end) / 2));
	return [line("now", at, top - 2, at, bottom), ["path", { class: "now-tip", d: `M${at - 4.5} ${top - 6}h9l-4.5 6z` }]];
}
