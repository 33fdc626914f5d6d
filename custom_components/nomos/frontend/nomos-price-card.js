/**
 * The price card of the Nomos integration: today and tomorrow, interval by interval.
 *
 * What it draws comes from the websocket command `nomos/chart`. It asks again when one of the entities named there
 * changes, and draws again when the answer, the current interval or its size does. Times are seconds since 1970,
 * prices EUR/kWh. Text is only ever set as text, never as markup.
 */

const TAG = "nomos-price-card";
const HOUR = 3600;
/** Heights: of a lane, of what stands around the bars, and of the bars at least. */
const [LANE, AROUND, BARS] = [20, 40, 48];
const PARTS = ["electricity", "grid", "levies"];
const SIGNS = ["", "▼▼", "▼", "●", "▲", "▲▲"];

const TEXTS = {
	en: {
		title: { consumption: "Electricity price", feed_in: "Feed-in payout" },
		levels: {
			consumption: ["", "Very cheap", "Cheap", "Normal", "Expensive", "Very expensive"],
			feed_in: ["", "Very low", "Low", "Normal", "High", "Very high"],
		},
		best: { consumption: "Cheapest {span}", feed_in: "Best {span}" },
		parts: { electricity: "Energy", grid: "Grid", levies: "Levies" },
		hours: "{n} h",
		minutes: "{n} min",
		today: "Today",
		tomorrow: "Tomorrow",
		tomorrow_at: "tomorrow {time}",
		total: "Price",
		by_parts: "Parts",
		by_parts_hint: "Show what the price is made of",
		slider: "Interval; arrow keys move through the day",
		unknown: "No price known",
		no_tomorrow: "Prices for tomorrow usually come in the early afternoon.",
		zone: "Times in {zone}",
		summary: "{title}: now {price}, {level}.",
		summary_day: "{day} from {low} to {high}, {average} on average.",
		loading: "Loading prices …",
		no_entity: "Choose the current price of a Nomos contract in the card's settings.",
		not_found: "{entity} is not the current price of a Nomos contract.",
		unauthorized: "You have no access to {entity}.",
		not_loaded: "Waiting for Nomos. The card fills by itself.",
		no_data: "No prices are known yet. They appear by themselves.",
		card_name: "Nomos price",
		card_description: "Prices of today and tomorrow with the cheapest window and planned loads",
	},
	de: {
		title: { consumption: "Strompreis", feed_in: "Einspeisevergütung" },
		levels: {
			consumption: ["", "Sehr günstig", "Günstig", "Normal", "Teuer", "Sehr teuer"],
			feed_in: ["", "Sehr niedrig", "Niedrig", "Normal", "Hoch", "Sehr hoch"],
		},
		best: { consumption: "Günstigste {span}", feed_in: "Beste {span}" },
		parts: { electricity: "Energie", grid: "Netz", levies: "Abgaben" },
		hours: "{n} Std.",
		minutes: "{n} Min.",
		today: "Heute",
		tomorrow: "Morgen",
		tomorrow_at: "morgen {time}",
		total: "Preis",
		by_parts: "Anteile",
		by_parts_hint: "Zeigen, woraus der Preis besteht",
		slider: "Intervall; Pfeiltasten gehen durch den Tag",
		unknown: "Kein Preis bekannt",
		no_tomorrow: "Die Preise für morgen kommen meist am frühen Nachmittag.",
		zone: "Uhrzeiten in {zone}",
		summary: "{title}: jetzt {price}, {level}.",
		summary_day: "{day} von {low} bis {high}, im Durchschnitt {average}.",
		loading: "Preise werden geladen …",
		no_entity: "Wähle in den Einstellungen der Karte den aktuellen Preis eines Nomos-Vertrags.",
		not_found: "{entity} ist nicht der aktuelle Preis eines Nomos-Vertrags.",
		unauthorized: "Du hast keinen Zugriff auf {entity}.",
		not_loaded: "Wartet auf Nomos. Die Karte füllt sich von selbst.",
		no_data: "Es sind noch keine Preise bekannt. Sie erscheinen von selbst.",
		card_name: "Nomos-Preis",
		card_description: "Preise von heute und morgen mit der günstigsten Zeit und geplanten Läufen",
	},
};

const STYLE = `
:host {
	--l1: #006d77; --l2: #2f9c95; --l3: #7d8a99; --l4: #d17a22; --l5: #b3261e;
	--p0: #0072b2; --p1: #d98a1f; --p2: #8793a0; --run: #6a4fc4;
	--ink: var(--primary-text-color); --soft: var(--secondary-text-color); --line: var(--divider-color);
	display: block; height: 100%;
}
:host([dark]) {
	--l1: #5ff0dc; --l2: #2fb5a8; --l3: #718092; --l4: #e0892f; --l5: #ff7a66;
	--p0: #56b4e9; --p1: #e6a23c; --p2: #7f8b99; --run: #b7a2ff;
}
ha-card { box-sizing: border-box; height: 100%; display: flex; flex-direction: column; padding: 14px 16px 12px; overflow: hidden; color: var(--ink); font-variant-numeric: tabular-nums; }
[hidden] { display: none !important; }
.sr { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.head { flex: none; display: flex; flex-wrap: wrap; justify-content: space-between; align-items: flex-end; gap: 4px 20px; margin-bottom: 8px; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; margin: 0; text-align: start; cursor: pointer; border-radius: 8px; }
button:focus-visible, .cursor:focus-visible { outline: 2px solid var(--primary-color); outline-offset: 2px; }
.label { display: block; font-size: 13px; line-height: 18px; color: var(--soft); }
.value { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 10px; line-height: 32px; white-space: nowrap; }
.price { font-size: 28px; font-weight: 500; }
.unit { font-size: 14px; color: var(--soft); }
.chip { display: inline-flex; align-items: center; gap: 5px; font-size: 13px; font-weight: 500; line-height: 24px; padding: 0 10px; border-radius: 12px; background: color-mix(in srgb, var(--c) 18%, transparent); }
.sign { font-size: 9px; letter-spacing: -1px; color: var(--c); }
.time { font-size: 16px; line-height: 26px; font-weight: 500; }
.plot { position: relative; flex: 1 1 calc(184px + var(--lanes, 0px)); min-height: 104px; }
svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
svg text { fill: var(--soft); font-size: 11px; }
svg .day { fill: var(--ink); font-weight: 500; }
svg .lane, .now-tip { fill: var(--ink); }
.grid { stroke: var(--line); opacity: .55; }
.zero, .split { stroke: var(--soft); opacity: .45; }
.zero { opacity: .8; }
.mean { stroke: var(--ink); stroke-width: 1.25; stroke-dasharray: 4 3; opacity: .75; }
.past { opacity: .42; }
.total { fill: none; stroke: var(--ink); stroke-width: 1.25; }
.best-fill { fill: var(--l1); opacity: .14; }
.best-edge { fill: var(--l1); }
.track { fill: var(--line); opacity: .35; }
.run { fill: var(--run); }
.now { stroke: var(--ink); stroke-width: 1.5; }
.hover { fill: var(--ink); opacity: .13; }
.cursor { position: absolute; inset: 0; border-radius: 6px; cursor: crosshair; touch-action: pan-y; user-select: none; }
.tip { position: absolute; top: 18px; z-index: 1; pointer-events: none; min-width: 128px; max-width: 220px; padding: 8px 10px; border-radius: 10px; font-size: 12px; line-height: 18px; background: var(--card-background-color); border: 1px solid var(--line); box-shadow: 0 2px 10px rgba(0, 0, 0, .22); }
.tip b { display: block; font-size: 15px; line-height: 22px; font-weight: 500; white-space: nowrap; }
.tip .row { display: flex; justify-content: space-between; gap: 14px; color: var(--soft); }
.tip .row span { white-space: nowrap; }
.tip .row span:first-child { overflow: hidden; text-overflow: ellipsis; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 3px; background: var(--c); margin-inline-end: 6px; }
.foot { flex: none; display: flex; align-items: center; flex-wrap: wrap; gap: 4px 12px; min-height: 26px; margin-top: 8px; font-size: 12px; line-height: 18px; color: var(--soft); }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 12px; }
.legend span { white-space: nowrap; }
.steps { display: flex; border-radius: 3px; overflow: hidden; }
.steps i { width: 16px; height: 9px; background: var(--c); }
.rule { display: inline-block; width: 12px; margin-inline-end: 6px; border-top: 2px solid var(--ink); vertical-align: middle; }
.toggle { margin-inline-start: auto; padding: 0 12px; line-height: 24px; border: 1px solid var(--line); border-radius: 13px; color: var(--ink); }
.toggle[aria-pressed="true"] { background: color-mix(in srgb, var(--p0) 20%, transparent); border-color: var(--p0); }
.note { flex-basis: 100%; }
.message { padding: 28px 8px; text-align: center; color: var(--soft); line-height: 1.5; overflow-wrap: anywhere; }
`;

const textsOf = (language) => TEXTS[String(language || "en").slice(0, 2)] || TEXTS.en;

const pageTexts = () => textsOf(document.documentElement.lang);

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** Make an element. Children are elements or text; empty ones are left out. */
function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const name in attributes) element.setAttribute(name, attributes[name]);
	element.append(...children.filter(Boolean));
	return element;
}

const span = (kind, ...children) => make("span", kind ? { class: kind } : {}, ...children);

const div = (kind, ...children) => make("div", { class: kind }, ...children);

function dot(colour, kind = "dot") {
	return make("i", { class: kind, style: `--c:var(--${colour})` });
}

function draw(tag, attributes, text) {
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const name in attributes) element.setAttribute(name, attributes[name]);
	if (text !== undefined) element.textContent = text;
	return element;
}

/** Locales whose numbers look as the profile says; any other takes the language's. */
const NUMBERS = { comma_decimal: "en", decimal_comma: "de", space_comma: "fr", quote_decimal: "de-CH", none: "en", system: [] };

/** All that depends on the user's profile and the tariff's time zone. */
class Formats {
	constructor(hass, zone, unit) {
		const { language = "en", locale = {} } = hass;
		this.texts = textsOf(language);
		this.cents = unit !== "eur";
		this.unit = this.cents ? "ct/kWh" : "EUR/kWh";
		const numbers = NUMBERS[locale.number_format] || language;
		this.digits = [0, 1, 2, 3, 4].map(
			(count) => new Intl.NumberFormat(numbers, { minimumFractionDigits: count, maximumFractionDigits: count }),
		);
		this.fine = this.digits[this.cents ? 2 : 4];
		this.coarse = this.digits[this.cents ? 1 : 3];
		const times = locale.time_format === "system" ? [] : language;
		const hourCycle = { 12: "h12", 24: "h23" }[locale.time_format];
		const when = { timeZone: zone, ...(hourCycle && { hourCycle }) };
		this.bare = new Intl.DateTimeFormat(times, { ...when, hour: "numeric" });
		this.halves = this.bare.resolvedOptions().hour12;
		const hour = this.halves ? "numeric" : "2-digit";
		this.clock = new Intl.DateTimeFormat(times, { ...when, hour, minute: "2-digit" });
		this.date = new Intl.DateTimeFormat(language, { timeZone: zone, weekday: "short", day: "numeric", month: "short" });
		this.counter = new Intl.DateTimeFormat("en", { timeZone: zone, hour: "2-digit", hourCycle: "h23" });
	}

	number(price, format = this.fine) {
		return format.format(this.cents ? price * 100 : price).replace("-", "−");
	}

	price(price, format = this.fine) {
		return `${this.number(price, format)} ${this.unit}`;
	}

	time(seconds) {
		return this.clock.format(seconds * 1000);
	}

	range(start, end) {
		return `${this.time(start)} – ${this.time(end)}`;
	}

	/** Return the label of a full hour on the axis, with or without its minutes. */
	tick(seconds, short) {
		if (this.halves) return this.bare.format(seconds * 1000);
		return short ? this.time(seconds).slice(0, 2) : this.time(seconds);
	}

	hour(seconds) {
		return Number(this.counter.format(seconds * 1000));
	}

	span(minutes) {
		const whole = minutes % 60 === 0;
		return fill(whole ? this.texts.hours : this.texts.minutes, { n: whole ? minutes / 60 : minutes });
	}
}

const ruler = document.createElement("canvas").getContext("2d");
function widthOf(text, font) {
	ruler.font = font;
	return ruler.measureText(text).width;
}

/** Return the ends of an axis with a little air beyond the prices, its even ticks, and how many decimals they need. */
function scale(lowest, highest, count) {
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

class NomosPriceCard extends HTMLElement {
	#config;
	#hass;
	#formats;
	#chart;
	#answer;
	#rows = [];
	#watch = [];
	#problem = "loading";
	#parts = false;
	#current = -1;
	#cursor = -1;
	#size = [0, 0];
	#extra = -1;
	#font;
	#layout;
	#turn = 0;
	#askTimer;
	#tickTimer;
	#observer;
	#ui;

	static async getConfigForm() {
		const { form } = await import("./nomos-price-card-editor.js");
		const entities = priceEntities(document.querySelector("home-assistant")?.hass);
		return form(document.documentElement.lang, entities, checkConfig);
	}

	static getStubConfig(hass) {
		return { entity: priceEntities(hass)[0] || "", unit: "ct", days: "both", view: "levels", window_minutes: 120 };
	}

	setConfig(config) {
		checkConfig(config);
		const before = this.#config;
		this.#config = config;
		this.#parts = config.view === "parts";
		this.#formats = undefined;
		this.#build();
		if (before && before.entity === config.entity && before.window_minutes === config.window_minutes) {
			this.#take(this.#chart);
		} else {
			this.#chart = this.#answer = undefined;
			this.#problem = "loading";
			this.#watch = config.entity ? [config.entity] : [];
			this.#ask(0);
		}
	}

	getCardSize() {
		return 6;
	}

	/** No smaller than all of it needs in the narrowest section. */
	getGridOptions() {
		return { columns: 12, rows: "auto", min_columns: 9, min_rows: 6 };
	}

	/** Called with every change in Home Assistant: what is not the card's costs some comparisons. */
	set hass(hass) {
		const before = this.#hass;
		this.#hass = hass;
		if (!this.#config) return;
		const dark = hass.themes?.darkMode === true;
		if (dark !== this.hasAttribute("dark")) this.toggleAttribute("dark", dark);
		if (!before || before.language !== hass.language || before.locale !== hass.locale) {
			this.#formats = undefined;
			this.#draw();
		}
		const news = (id) => before.states[id] !== hass.states[id];
		if (!before) this.#ask(0);
		else if (before.entities !== hass.entities || this.#watch.some(news)) this.#ask(250);
	}

	connectedCallback() {
		this.#observer = new ResizeObserver(() => this.#resized());
		if (this.#ui) this.#observer.observe(this.#ui.plot);
		if (this.#hass) this.#ask(0);
	}

	disconnectedCallback() {
		this.#observer?.disconnect();
		clearTimeout(this.#askTimer);
		clearTimeout(this.#tickTimer);
	}

	// Data.

	/** Ask soon: several entities usually change together. */
	#ask(delay) {
		clearTimeout(this.#askTimer);
		if (this.#hass && this.isConnected) this.#askTimer = setTimeout(() => this.#fetch(), delay);
	}

	async #fetch() {
		const { entity, window_minutes: minutes } = this.#config;
		const turn = ++this.#turn;
		const question = { type: "nomos/chart", entity_id: entity, window_minutes: minutes ?? 120 };
		let chart;
		let problem = "no_entity";
		try {
			if (entity) chart = await this.#hass.callWS(question);
		} catch (error) {
			problem = ["not_found", "unauthorized"].includes(error?.code) ? error.code : "not_loaded";
		}
		if (turn !== this.#turn || !this.isConnected) return;
		if (chart) {
			const answer = JSON.stringify(chart);
			if (answer === this.#answer && !this.#problem) return void this.#follow();
			this.#answer = answer;
			this.#watch = chart.watch;
			this.#problem = undefined;
			this.#take(chart);
		} else {
			this.#problem = problem;
			// What is known stays on the screen while Nomos or the connection is away.
			if (problem !== "not_loaded") this.#chart = this.#answer = undefined;
			if (this.#chart) this.#schedule();
			else this.#draw();
		}
	}

	#take(chart) {
		// Formats are dear to make.
		if (chart?.time_zone !== this.#chart?.time_zone) this.#formats = undefined;
		this.#chart = chart;
		const last = chart && (this.#config.days === "today" ? chart.days[0].end : chart.days[1].end);
		const held = this.#rows[this.#cursor]?.start;
		this.#rows = (chart?.intervals || [])
			.filter(([start]) => start < last)
			.map(([start, end, price, level, ...parts]) => ({ start, end, price, level, parts }));
		this.#cursor = this.#at(held ?? 0);
		this.#draw();
	}

	/** Return the index of the interval that holds a time; -1 where there is none. */
	#at(seconds) {
		let low = 0;
		let high = this.#rows.length - 1;
		while (low <= high) {
			const middle = (low + high) >> 1;
			if (seconds < this.#rows[middle].start) high = middle - 1;
			else if (seconds >= this.#rows[middle].end) low = middle + 1;
			else return middle;
		}
		return -1;
	}

	/** Wake at the next boundary of an interval; midnight is one. */
	#schedule() {
		clearTimeout(this.#tickTimer);
		if (!this.#chart || !this.isConnected) return;
		const now = Date.now() / 1000;
		const marks = [this.#chart.days[1].start, now + HOUR];
		for (const { start, end } of this.#rows) marks.push(start, end);
		const next = Math.min(...marks.filter((mark) => mark > now));
		this.#tickTimer = setTimeout(() => this.#tick(), (next - now) * 1000 + 20);
	}

	#tick() {
		// The entities tell of news by themselves; this is for what was missed.
		if (this.#problem || Date.now() / 1000 >= this.#chart.days[1].start) this.#ask(2000);
		this.#follow();
	}

	/** Draw where another interval has become the current one. */
	#follow() {
		if (this.#at(Date.now() / 1000) === this.#current) this.#schedule();
		else this.#draw();
	}

	#build() {
		if (this.#ui) return;
		const root = this.attachShadow({ mode: "open" });
		const ui = {
			title: span("label"),
			price: span("price"),
			unit: span("unit"),
			sign: make("span", { class: "sign", "aria-hidden": "true" }),
			level: span(""),
			bestLabel: span("label"),
			bestTime: span("time"),
			summary: make("p", { class: "sr", id: "summary" }),
			svg: draw("svg", { role: "img", "aria-labelledby": "summary" }),
			cursor: make("div", { class: "cursor", role: "slider", tabindex: "0", "aria-valuemin": "0" }),
			tip: make("div", { class: "tip", "aria-hidden": "true", hidden: "" }),
			legend: make("div", { class: "legend", "aria-hidden": "true" }),
			toggle: make("button", { class: "toggle" }),
			note: div("note"),
			message: make("div", { class: "message", role: "status" }),
		};
		ui.chip = span("chip", ui.sign, ui.level);
		ui.now = make("button", {}, ui.title, span("value", span("", ui.price, " ", ui.unit), ui.chip));
		ui.best = div("best", ui.bestLabel, ui.bestTime);
		ui.plot = div("plot", ui.summary, ui.svg, ui.cursor, ui.tip);
		ui.hover = draw("rect", { class: "hover", visibility: "hidden" });
		ui.head = div("head", ui.now, ui.best);
		ui.foot = div("foot", ui.legend, ui.toggle, ui.note);
		root.append(make("style", {}, STYLE), make("ha-card", {}, ui.head, ui.plot, ui.foot, ui.message));
		ui.now.addEventListener("click", () => {
			const detail = { entityId: this.#config.entity };
			this.dispatchEvent(new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail }));
		});
		ui.toggle.addEventListener("click", () => {
			this.#parts = !this.#parts;
			this.#draw();
		});
		const point = (event) => {
			if (event.pointerType === "mouse" || event.buttons) this.#pick(this.#indexAt(event));
		};
		ui.cursor.addEventListener("pointerdown", point);
		ui.cursor.addEventListener("pointermove", point);
		ui.cursor.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.#pick(-1));
		ui.cursor.addEventListener("keydown", (event) => this.#key(event));
		ui.cursor.addEventListener("focus", () => {
			if (ui.cursor.matches(":focus-visible")) this.#pick(this.#cursor < 0 ? this.#home : this.#cursor);
		});
		ui.cursor.addEventListener("blur", () => this.#pick(-1));
		this.#ui = ui;
		this.#observer?.observe(ui.plot);
	}

	#resized() {
		const { clientWidth: width, clientHeight: height } = this.#ui.plot;
		if (width === this.#size[0] && height === this.#size[1]) return;
		this.#size = [width, height];
		this.#font = undefined;
		this.#draw();
	}

	// Drawing.

	#draw() {
		const ui = this.#ui;
		if (!ui || !this.#hass) return;
		const chart = this.#chart;
		this.#formats ||= new Formats(this.#hass, chart?.time_zone, this.#config.unit);
		const { texts } = this.#formats;
		const empty = !chart?.days.some((day) => this.#pricesOf(day).length);
		const message = chart ? empty && "no_data" : this.#problem || "loading";
		for (const part of [ui.head, ui.plot, ui.foot]) part.hidden = Boolean(message);
		ui.message.hidden = !message;
		ui.message.textContent = message ? fill(texts[message], { entity: this.#config.entity }) : "";
		if (!message) {
			this.#current = this.#at(Date.now() / 1000);
			this.#drawHead();
			this.#drawPlot();
			this.#drawFoot();
			this.#summarise();
			this.#pick(this.#cursor);
		}
		this.#schedule();
	}

	#hidden(part) {
		return Boolean(this.#config.hide?.includes(part));
	}

	/** Return how good a level is, 1 best to 5 worst: a high price is good for who is paid. */
	#quality(level) {
		return this.#chart.kind === "feed_in" ? 6 - level : level;
	}

	#pricesOf(day) {
		const rows = this.#rows.filter(({ start, price }) => price !== null && start >= day.start && start < day.end);
		return rows.map((row) => row.price);
	}

	get #title() {
		return this.#config.title || this.#formats.texts.title[this.#chart.kind];
	}

	get #home() {
		return Math.max(0, this.#current);
	}

	#levelName(level) {
		return this.#formats.texts.levels[this.#chart.kind][level];
	}

	/** Return the best window in words. */
	#best() {
		const { window: best, days, kind } = this.#chart;
		if (!best || this.#hidden("window")) return null;
		const formats = this.#formats;
		const span = formats.span((best.end - best.start) / 60);
		const time = formats.range(best.start, best.end);
		return {
			label: `${fill(formats.texts.best[kind], { span })} · Ø ${formats.number(best.average, formats.coarse)}`,
			time: best.start >= days[1].start ? fill(formats.texts.tomorrow_at, { time }) : time,
		};
	}

	#drawHead() {
		const ui = this.#ui;
		const formats = this.#formats;
		const row = this.#rows[this.#current];
		const known = row && row.price !== null;
		ui.title.textContent = this.#title;
		ui.price.textContent = known ? formats.number(row.price) : "–";
		ui.unit.textContent = formats.unit;
		ui.chip.hidden = !known || !row.level;
		if (known && row.level) {
			ui.chip.style.setProperty("--c", `var(--l${this.#quality(row.level)})`);
			ui.sign.textContent = SIGNS[row.level];
			ui.level.textContent = this.#levelName(row.level);
		}
		const best = this.#best();
		ui.best.hidden = !best;
		ui.bestLabel.textContent = best?.label;
		ui.bestTime.textContent = best?.time;
	}

	/** Return the loads that have a run in what is shown, with these runs. */
	#lanes(from, to) {
		if (this.#hidden("loads")) return [];
		return this.#chart.loads
			.map((load) => ({ ...load, runs: load.runs.filter(([start, end]) => end > from && start < to) }))
			.filter((load) => load.runs.length);
	}

	#drawPlot() {
		const ui = this.#ui;
		const formats = this.#formats;
		const { days } = this.#chart;
		const shown = days.filter((day) => this.#pricesOf(day).length);
		const from = Math.min(...shown.map((day) => day.start));
		const to = Math.max(...shown.map((day) => day.end));
		const lanes = this.#lanes(from, to);
		const wanted = lanes.length ? lanes.length * LANE + 4 : 0;
		// To read a size is dear: only where the observer has not told it.
		if (wanted !== this.#extra) {
			this.#extra = wanted;
			ui.plot.style.setProperty("--lanes", `${wanted}px`);
			this.#size = [ui.plot.clientWidth, ui.plot.clientHeight];
		}
		const [width, height] = this.#size;
		if (!width || !height) return;
		// Where the height is given, the bars get lower first, then the lanes.
		const lane = Math.max(3, Math.min(LANE, (height - AROUND - BARS - 4) / lanes.length));
		const extra = lanes.length ? lanes.length * lane + 4 : 0;

		const parts = this.#parts && this.#hasParts;
		const factor = formats.cents ? 100 : 1;
		const extent = [0];
		for (const { price, parts: some } of this.#rows) {
			if (price === null) continue;
			extent.push(price);
			if (parts) {
				extent.push(some.reduce((sum, part) => sum + Math.max(part || 0, 0), 0));
				extent.push(some.reduce((sum, part) => sum + Math.min(part || 0, 0), 0));
			}
		}
		const font = (this.#font ||= `11px ${getComputedStyle(ui.plot).fontFamily}`);
		const plotHeight = Math.max(height - extra - AROUND, 1);
		const count = Math.max(2, Math.min(5, Math.floor(plotHeight / 30)));
		const axis = scale(Math.min(...extent) * factor, Math.max(...extent) * factor, count);
		const labels = axis.ticks.map((tick) => formats.digits[axis.decimals].format(tick).replace("-", "−"));
		const left = Math.ceil(Math.max(...labels.map((label) => widthOf(label, font)))) + 8;
		const right = 2;
		const top = 22;
		const bottom = top + plotHeight;
		const ratio = window.devicePixelRatio || 1;
		const snap = (value) => Math.round(value * ratio) / ratio;
		const x = (seconds) => left + ((seconds - from) / (to - from)) * (width - left - right);
		const y = (price) => bottom - ((price * factor - axis.low) / (axis.high - axis.low)) * plotHeight;
		const line = (kind, x1, y1, x2, y2) => draw("line", { class: kind, x1, y1, x2, y2 });
		const text = (content, at, base, anchor, kind = "") =>
			draw("text", { x: at, y: base, "text-anchor": anchor, class: kind }, content);
		const out = [];

		axis.ticks.forEach((tick, index) => {
			const at = snap(y(tick / factor)) + 0.5 / ratio;
			out.push(line(Math.abs(tick) < 1e-9 ? "zero" : "grid", left, at, width - right, at));
			out.push(text(labels[index], left - 6, at + 4, "end"));
		});

		const best = this.#hidden("window") ? null : this.#chart.window;
		if (best && best.start < to && best.end > from) {
			const begin = snap(x(Math.max(best.start, from)));
			const length = snap(x(Math.min(best.end, to))) - begin;
			out.push(draw("rect", { class: "best-fill", x: begin, y: top, width: length, height: plotHeight }));
			out.push(draw("rect", { class: "best-edge", x: begin, y: top - 3, width: length, height: 3 }));
		}

		out.push(...this.#bars(x, y, snap, parts));

		if (!this.#hidden("average")) {
			for (const day of shown) {
				if (day.average === null) continue;
				const at = snap(y(day.average));
				out.push(line("mean", x(day.start), at, x(day.end), at));
			}
		}

		// Hours: as many as fit, at the same times on both days.
		const perHour = ((width - left - right) / (to - from)) * HOUR;
		const stepOf = (short) => {
			const needed = Math.max(...[12, 22].map((hour) => widthOf(formats.tick(from + hour * HOUR, short), font))) + 9;
			return [1, 2, 3, 4, 6, 12, 24].find((hours) => hours * perHour >= needed) || 24;
		};
		const short = stepOf(false) > 6;
		const step = stepOf(short);
		let free = 0;
		for (let at = from; at <= to; at += HOUR) {
			if (formats.hour(at) % step) continue;
			const label = formats.tick(at, short);
			const half = widthOf(label, font) / 2;
			const middle = Math.min(x(at), width - half);
			const mark = snap(x(at)) + 0.5 / ratio;
			out.push(line("split", mark, bottom, mark, bottom + 3));
			// Where a day has no whole number of steps, its last label might lie on the one before.
			if (middle - half < free) continue;
			free = middle + half + 4;
			out.push(text(label, middle, bottom + 15, "middle"));
		}

		for (const day of shown) {
			if (day.start > from) {
				const at = snap(x(day.start)) + 0.5 / ratio;
				out.push(line("split", at, 0, at, bottom + 3));
			}
			const space = x(day.end) - x(day.start) - 10;
			const name = day === days[0] ? formats.texts.today : formats.texts.tomorrow;
			const date = formats.date.format((day.start + 12 * HOUR) * 1000);
			const mean = day.average === null || this.#hidden("average") ? "" : ` · Ø ${formats.number(day.average, formats.coarse)}`;
			const bold = `500 ${font}`;
			const heading = [`${name}, ${date}${mean}`, `${name}${mean}`, name].find((words) => widthOf(words, bold) <= space) || name;
			out.push(text(heading, x(day.start) + (day.start > from ? 6 : 0), 12, "start", "day"));
		}

		lanes.forEach((load, index) => {
			out.push(...this.#lane(load, bottom + 24 + index * lane, { x, from, to, font, lane }));
		});

		if (this.#current >= 0) {
			const row = this.#rows[this.#current];
			const at = snap(x((row.start + row.end) / 2));
			out.push(line("now", at, top - 2, at, bottom));
			out.push(draw("path", { class: "now-tip", d: `M${at - 4.5} ${top - 6}h9l-4.5 6z` }));
		}
		out.push(ui.hover);
		ui.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
		ui.svg.replaceChildren(...out);
		this.#layout = { x, from, to, left, right, top, bottom, width };
	}

	get #hasParts() {
		return this.#rows.some((row) => row.parts.some((part) => part !== null));
	}

	/** Return the bars: one path for each colour, past and coming apart. */
	#bars(x, y, snap, parts) {
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
		this.#rows.forEach((row, index) => {
			if (row.price === null) return;
			const from = snap(x(row.start));
			const edge = snap(x(row.end));
			const to = edge - from >= 4 ? edge - 1 : edge;
			const past = this.#current >= 0 ? index < this.#current : row.end * 1000 <= Date.now();
			if (!parts) {
				bar(`l${row.level ? this.#quality(row.level) : 3}`, past, from, to, zero, snap(y(row.price)));
				return;
			}
			let up = 0;
			let down = 0;
			for (const part of [2, 1, 0]) {
				const value = row.parts[part];
				if (!value) continue;
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
			return draw("path", { class: past ? "bars past" : "bars", "data-key": key, d, style: `fill:var(--${key})` });
		});
		return total ? [...drawn, draw("path", { class: "total", d: total })] : drawn;
	}

	/** Return the runs of a load with its name, where there is most room for it. */
	#lane(load, top, { x, from, to, font, lane }) {
		const height = lane * 0.8;
		const bar = (kind, begin, width) => draw("rect", { class: kind, x: begin, y: top, width, height, rx: height / 4 });
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
		// No room for its name; the tooltip has it.
		if (lane < LANE) return out;
		gaps.push([edge, x(to)]);
		const name = load.running ? `▶ ${load.name}` : load.name;
		const wanted = widthOf(name, font) + 12;
		// After the last run, else where it fits, else where it is cut least.
		const wide = (gap) => gap[1] - gap[0];
		const [begin, finish] =
			gaps.findLast((gap) => wide(gap) >= wanted) || gaps.reduce((one, two) => (wide(two) > wide(one) ? two : one));
		let content = name;
		for (let length = name.length - 1; length > 0 && widthOf(content, font) > finish - begin - 12; length -= 1) {
			content = `${name.slice(0, length).trimEnd()}…`;
		}
		const atEnd = begin === x(from) && finish < x(to);
		const [at, anchor] = atEnd ? [finish - 6, "end"] : [begin + 6, "start"];
		return [...out, draw("text", { class: "lane", x: at, y: top + 12, "text-anchor": anchor }, content)];
	}

	#drawFoot() {
		const ui = this.#ui;
		const { texts } = this.#formats;
		const { days, kind, time_zone: zone } = this.#chart;
		const parts = this.#parts && this.#hasParts;
		const items = [];
		if (!this.#hidden("legend")) {
			if (parts) {
				PARTS.forEach((part, index) => items.push(span("", dot(`p${index}`), texts.parts[part])));
				items.push(span("", make("i", { class: "rule" }), texts.total));
			} else {
				const steps = [1, 2, 3, 4, 5].map((level) => dot(`l${this.#quality(level)}`, ""));
				items.push(texts.levels[kind][2], span("steps", ...steps), texts.levels[kind][4]);
			}
		}
		ui.legend.replaceChildren(...items);
		ui.toggle.hidden = !this.#hasParts;
		ui.toggle.textContent = texts.by_parts;
		ui.toggle.title = texts.by_parts_hint;
		ui.toggle.setAttribute("aria-pressed", String(parts));
		const notes = [];
		if (!this.#pricesOf(days[1]).length && this.#config.days !== "today") notes.push(texts.no_tomorrow);
		if (this.#hass.config && this.#hass.config.time_zone !== zone) notes.push(fill(texts.zone, { zone }));
		ui.note.textContent = notes.join(" ");
		ui.note.hidden = !notes.length;
		ui.foot.hidden = !items.length && ui.toggle.hidden && !notes.length;
	}

	/** Say in words what the picture shows, for those who do not see it. */
	#summarise() {
		const formats = this.#formats;
		const { texts } = formats;
		const row = this.#rows[this.#current];
		const sentences = [`${this.#title}: ${texts.unknown}.`];
		if (row && row.price !== null) {
			const values = { title: this.#title, price: formats.price(row.price), level: this.#levelName(row.level || 3) };
			sentences[0] = fill(texts.summary, values);
		}
		this.#chart.days.forEach((day, index) => {
			const prices = this.#pricesOf(day);
			if (!prices.length) return;
			sentences.push(
				fill(texts.summary_day, {
					day: index ? texts.tomorrow : texts.today,
					low: formats.price(Math.min(...prices)),
					high: formats.price(Math.max(...prices)),
					average: formats.price(day.average),
				}),
			);
		});
		const best = this.#best();
		if (best) sentences.push(`${best.label}: ${best.time}.`);
		this.#ui.summary.textContent = sentences.join(" ");
		const { cursor } = this.#ui;
		cursor.setAttribute("aria-label", texts.slider);
		cursor.setAttribute("aria-valuemax", String(this.#rows.length - 1));
		this.#announce(this.#home);
	}

	// One interval.

	#indexAt(event) {
		if (!this.#layout) return -1;
		const { from, to, left, right, width } = this.#layout;
		const share = (event.clientX - this.#ui.plot.getBoundingClientRect().left - left) / (width - left - right);
		return share < 0 || share >= 1 ? -1 : this.#at(from + share * (to - from));
	}

	#key(event) {
		const last = this.#rows.length - 1;
		const at = this.#cursor < 0 ? this.#home : this.#cursor;
		const hour = Math.max(1, Math.round(HOUR / (this.#rows[at].end - this.#rows[at].start)));
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
		if (event.key === "Escape") this.#pick(-1);
		if (!step) return;
		event.preventDefault();
		this.#pick(Math.min(last, Math.max(0, at + step)));
	}

	/** Show one interval in full; -1 shows none. */
	#pick(index) {
		const { tip, hover } = this.#ui;
		this.#cursor = index < this.#rows.length ? index : -1;
		const row = this.#rows[this.#cursor];
		tip.hidden = !row || !this.#layout;
		hover.setAttribute("visibility", tip.hidden ? "hidden" : "visible");
		if (tip.hidden) return;
		this.#announce(this.#cursor);
		this.#fillTip(tip, row);
		const { x, top, bottom, width, left } = this.#layout;
		const begin = x(row.start);
		const end = x(row.end);
		hover.setAttribute("x", begin);
		hover.setAttribute("y", top);
		hover.setAttribute("width", Math.max(end - begin, 1));
		hover.setAttribute("height", bottom - top);
		const room = tip.offsetWidth;
		const place = begin - left > width - end ? begin - room - 8 : end + 8;
		tip.style.left = `${Math.max(0, Math.min(width - room, place))}px`;
	}

	#fillTip(tip, row) {
		const formats = this.#formats;
		const { texts } = formats;
		const entry = (label, value, colour) =>
			div("row", span("", colour && dot(colour), label), span("", value));
		const { days } = this.#chart;
		const day = row.start >= days[1].start ? texts.tomorrow : texts.today;
		const content = [span("", `${day} ${formats.range(row.start, row.end)}`)];
		if (row.price === null) {
			content.push(make("b", {}, texts.unknown));
		} else {
			content.push(make("b", {}, formats.price(row.price)));
			if (row.level) content.push(entry(this.#levelName(row.level), "", `l${this.#quality(row.level)}`));
			PARTS.forEach((part, index) => {
				const value = row.parts[index];
				if (value !== null) content.push(entry(texts.parts[part], formats.number(value), this.#parts && `p${index}`));
			});
		}
		for (const load of this.#lanes(row.start, row.end)) content.push(entry(load.name, "", "run"));
		tip.replaceChildren(...content);
	}

	/** Tell assistive technology of an interval: its price is the slider's value. */
	#announce(index) {
		const row = this.#rows[index];
		if (!row) return;
		const formats = this.#formats;
		const words = [formats.range(row.start, row.end)];
		if (row.start >= this.#chart.days[1].start) words.unshift(formats.texts.tomorrow);
		words.push(row.price === null ? formats.texts.unknown : formats.price(row.price));
		if (row.price !== null && row.level) words.push(this.#levelName(row.level));
		for (const load of this.#lanes(row.start, row.end)) words.push(load.name);
		this.#ui.cursor.setAttribute("aria-valuenow", String(index));
		this.#ui.cursor.setAttribute("aria-valuetext", words.join(", "));
	}
}

/** Return the entities that a card can be about: prices first, payouts after them. */
function priceEntities(hass) {
	const all = Object.values(hass?.entities || {}).filter((entity) => entity.platform === "nomos");
	const named = (key) => all.filter((entity) => entity.translation_key === key).map((entity) => entity.entity_id);
	return [...named("price"), ...named("payout")];
}

/** Refuse a configuration that cannot be meant; the editor then shows the code instead of the form. */
function checkConfig({ unit = "ct", days = "both", view = "levels", window_minutes: minutes = 120, hide = [] }) {
	const rules = {
		unit: ["ct", "eur"].includes(unit),
		days: ["both", "today"].includes(days),
		view: ["levels", "parts"].includes(view),
		window_minutes: Number.isInteger(minutes) && minutes >= 15 && minutes <= 1440,
		hide: Array.isArray(hide) && hide.every((part) => ["average", "window", "loads", "legend"].includes(part)),
	};
	const wrong = Object.keys(rules).filter((name) => !rules[name]);
	if (wrong.length) throw new Error(`${TAG}: ${wrong.join(", ")}?`);
}

window.customCards ||= [];
if (!window.customCards.some((card) => card.type === TAG)) {
	window.customCards.push({
		type: TAG,
		// Read when the list of cards opens, when the language is known.
		get name() {
			return pageTexts().card_name;
		},
		get description() {
			return pageTexts().card_description;
		},
		preview: true,
		documentationURL: "https://github.com/nomos-home-assistant/nomos/blob/main/docs/card.md",
		getEntitySuggestion: (hass, entity) =>
			priceEntities(hass).includes(entity) ? { config: { type: `custom:${TAG}`, entity } } : null,
	});
}

// While it loads, the frontend replaces the registry of elements: what was defined before that is lost.
function define() {
	if (!customElements.get(TAG)) customElements.define(TAG, class extends NomosPriceCard {});
}
customElements.whenDefined("home-assistant").then(() => {
	define();
	for (const delay of [200, 1000, 3000]) setTimeout(define, delay);
});
