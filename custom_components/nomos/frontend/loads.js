/** The lanes of loads under the prices; loaded if there is a load. Pure. */

import { LANE, rect, text } from "./chart.js";

/** Return the runs of a load, and its name in the widest gap. */
export function drawLane(load, top, { x, from, to, measure, lane }) {
	const height = lane * 0.8;
	const bar = (kind, begin, width) => rect(kind, begin, top, width, height, { rx: height / 4 });
	const out = [bar("track", x(from), x(to) - x(from))];
	let edge = x(from);
	const gaps = [];
	for (const [start, end] of load.runs) {
		const begin = x(Math.max(start, from));
		const finish = x(Math.min(end, to));
		gaps.push([edge, begin]);
		edge = finish;
		out.push(bar("run", begin, Math.max(finish - begin, 2)));
	}
	// There is no room for the name; the tooltip has it.
	if (lane < LANE) return out;
	gaps.push([edge, x(to)]);
	const name = load.running ? `▶ ${load.name}` : load.name;
	const wanted = measure(name) + 12;
	// After the last run, or where it fits, or where it is truncated least.
	const wide = (gap) => gap[1] - gap[0];
	const [begin, finish] =
		gaps.filter((gap) => wide(gap) >= wanted).pop() || gaps.reduce((one, two) => (wide(two) > wide(one) ? two : one));
	let content = name;
	for (let length = name.length - 1; length > 0 && measure(content) > finish - begin - 12; length -= 1) {
		content = `${name.slice(0, length).trimEnd()}…`;
	}
	const atEnd = begin === x(from) && finish < x(to);
	const [at, anchor] = atEnd ? [finish - 6, "end"] : [begin + 6, "start"];
	return [...out, text(content, at, top + 12, anchor, "lane")];
}
