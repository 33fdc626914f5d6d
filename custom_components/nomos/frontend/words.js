/** The chart as text, for assistive technology and the tooltip. Pure. */

import { fill } from "./texts.js";

/** Return the chart's summary. */
export function summary(model, formats, row) {
	const { texts } = formats;
	const title = model.title(texts);
	const sentences = [`${title}: ${texts.unknown}.`];
	if (row && row.price !== null) {
		const level = model.levelName(texts, row.level || 3);
		sentences[0] = fill(texts.summary, { title, price: formats.price(row.price), level });
	}
	for (const day of model.shown) {
		const prices = model.pricesOf(day);
		sentences.push(
			fill(texts.summary_day, {
				day: model.dayName(texts, day.start),
				low: formats.price(Math.min(...prices)),
				high: formats.price(Math.max(...prices)),
				average: formats.price(day.average),
			}),
		);
	}
	const best = model.bestWindows(formats);
	if (best) sentences.push(`${best.label}: ${best.times.join("; ")}.`);
	if (row) sentences.push(...modes(model, formats, row).map((words) => `${words}.`));
	if (model.outlook) sentences.push(...model.outlook.sentences(formats));
	return sentences.join(" ");
}

/** Return the batteries' modes in an interval and their levels after it. */
export function modes(model, { texts }, { start, end }) {
	return model.batteries(start, end).map(({ name, rows }) => {
		const { mode, level } = rows.at(-1);
		return `${name}: ${texts.modes[mode]}, ${Math.round(level)} %`;
	});
}

/** Return the description of one interval. */
export function describe(model, formats, row) {
	const { texts } = formats;
	const words = [formats.range(row.start, row.end)];
	const day = model.dayName(texts, row.start);
	if (day !== texts.today) words.unshift(day);
	words.push(row.price === null ? texts.unknown : formats.price(row.price));
	if (row.price !== null && row.level) words.push(model.levelName(texts, row.level));
	for (const load of model.loads(row.start, row.end)) words.push(load.name);
	words.push(...modes(model, formats, row), ...(model.outlook?.powers(formats, row) || []).map(({ name, power }) => `${name} ${power}`));
	return words.join(", ");
}
