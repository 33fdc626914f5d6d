/** The small card: price, level, the next cheap period and a sparkline; loaded by a card with `layout: tile`. */

import { fill } from "./texts.js";
import { draw } from "./view.js";

const TEXTS = {
	en: {
		until: "{level} until",
		tomorrow: "{level} tomorrow",
		none: { consumption: "No cheap time ahead", feed_in: "No high payout ahead" },
	},
	de: {
		until: "{level} bis",
		tomorrow: "{level} morgen",
		none: { consumption: "Nichts Günstiges in Sicht", feed_in: "Nichts Hohes in Sicht" },
	},
};

/** The whole card is the button. */
const STYLE = `
:host([tile]) ha-card { position: relative; padding: 9px 12px; gap: 4px; }
:host([tile]) .head { gap: 0 16px; margin: 0; }
:host([tile]) .open::after { content: ""; position: absolute; inset: 0; border-radius: var(--ha-card-border-radius, 12px); }
:host([tile]) .open:focus-visible { outline: 0; }
:host([tile]) .open:focus-visible::after { outline: 2px solid var(--primary-color); outline-offset: -2px; }
:host([tile]) .label { font-size: 12px; line-height: 16px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
:host([tile]) .untitled .open .label { position: absolute; width: 1px; height: 1px; clip-path: inset(50%); }
:host([tile]) .value { flex-direction: column-reverse; align-items: flex-start; gap: 0; line-height: 24px; }
:host([tile]) .price { font-size: 20px; }
:host([tile]) .unit { font-size: 12px; }
:host([tile]) .chip { padding: 0; line-height: 18px; font-size: 12px; background: none; }
:host([tile]) .time { font-size: 13px; line-height: 18px; white-space: nowrap; }
:host([tile]) .message { padding: 0; margin: auto; font-size: 12px; }
:host(:not([tile])) .spark, .head[hidden] ~ .spark { display: none; }
.spark { position: static; flex: 1 1 22px; min-height: 0; height: auto; }
`;

/** Return when the next cheap period is, or until when it is cheap. */
function sayPeriod(ui, model, formats, now) {
	const { texts } = formats;
	const { kind, period } = model.chart;
	const said = TEXTS[texts.language];
	const level = model.levelName(texts, kind === "feed_in" ? 4 : 2);
	const runs = period && period.start <= now;
	const label = runs ? said.until : model.isTomorrow(period?.start) ? said.tomorrow : "{level}";
	ui.best.hidden = Boolean(period && period.end <= now);
	ui.bestLabel.textContent = period ? fill(label, { level }) : said.none[kind];
	ui.bestTime.textContent = period ? (runs ? formats.time(period.end) : formats.range(period.start, period.end)) : "";
}

/** Return the bars from an interval on, in their levels' colours. */
function bars(model, from) {
	const rows = model.all.filter(({ start, price }) => start >= from && price !== null);
	const prices = rows.map(({ price }) => price);
	const [low, high] = [Math.min(0, ...prices), Math.max(0, ...prices)];
	const y = (price) => ((high - price) / (high - low || 1)) * 100;
	const paths = {};
	for (const { start, end, price, level } of rows) {
		const key = `l${level ? model.quality(level) : 3}`;
		paths[key] = `${paths[key] || ""}M${start - from} ${y(0)}V${y(price)}h${end - start}V${y(0)}z`;
	}
	const width = Math.max(1, ...rows.map(({ end }) => end - from));
	return [width, Object.keys(paths).map((key) => draw(["path", { class: "bars", d: paths[key], style: `fill:var(--${key})` }]))];
}

/** Update the tile; the head already has the current price. */
export function drawTile(ui, model, formats, row, now) {
	ui.head.classList.toggle("untitled", !model.config.title);
	sayPeriod(ui, model, formats, now);
	const [width, paths] = bars(model, row?.start ?? now);
	ui.spark.setAttribute("viewBox", `0 0 ${width} 100`);
	ui.spark.replaceChildren(...paths);
}

/** Add the elements that only a tile has. */
export function buildTile(ui) {
	if (ui.spark) return;
	const style = document.createElement("style");
	style.textContent = STYLE;
	ui.spark = draw(["svg", { class: "spark", preserveAspectRatio: "none", "aria-hidden": "true" }]);
	ui.head.before(style);
	ui.head.after(ui.spark);
}
