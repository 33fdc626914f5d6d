/**
 * The price card of the Nomos integration: today and tomorrow, interval by interval.
 *
 * Its data comes from the websocket command `nomos/chart`. It sends a new request if a watched entity changes, and
 * redraws if the response, the current interval or its size changes. Text is always set as text, never as markup.
 */

import { drawChart, lanesHeight } from "./chart.js";
import { checkConfig, priceEntities } from "./config.js";
import { defineElement } from "./element.js";
import { Formats } from "./format.js";
import { Model } from "./model.js";
import { pageTexts } from "./texts.js";
import { build, draw, drawFoot, drawHead, widthOf } from "./view.js";

const TAG = "nomos-price-card";

class NomosPriceCard extends HTMLElement {
	#config;
	#hass;
	#formats;
	#answer;
	#model;
	#watch = [];
	#problem = "loading";
	#extras = {};
	#days;
	#actions;
	#day;
	#parts = false;
	#off = new Set();
	#row;
	#cursor;
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
		if (before?.entity === config.entity) {
			this.#take(this.#model?.chart);
		} else {
			this.#model = undefined;
			this.#problem = "loading";
			this.#watch = config.entity ? [config.entity] : [];
		}
		this.#answer = undefined;
		this.#ask(0);
	}

	getCardSize() {
		return this.#tile ? 2 : 6;
	}

	/** The size that the content needs in the narrowest section. */
	getGridOptions() {
		const { windows = 1, title } = this.#config || {};
		// Three extra windows are as high as a row.
		if (!this.#tile) return { columns: 12, rows: "auto", min_columns: 9, min_rows: 7 + Math.ceil((windows - 1) / 3) };
		const rows = title ? 3 : 2;
		return { columns: 6, rows, min_columns: 6, min_rows: rows };
	}

	get #tile() {
		return this.#config?.layout === "tile";
	}

	/** Called for every change in Home Assistant, so irrelevant changes must only cost a few comparisons. */
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
		const changed = (id) => before.states[id] !== hass.states[id];
		if (!before) this.#ask(0);
		else if (before.entities !== hass.entities || this.#watch.some(changed)) this.#ask(250);
	}

	connectedCallback() {
		this.#observer = new ResizeObserver(() => this.#resized());
		if (this.#ui) this.#observer.observe(this.#ui.plot);
		if (this.#model) this.#follow();
		this.#ask(0);
	}

	disconnectedCallback() {
		this.#observer?.disconnect();
		clearTimeout(this.#askTimer);
		clearTimeout(this.#tickTimer);
	}

	/** Send a request soon: several entities usually change together. */
	#ask(delay) {
		clearTimeout(this.#askTimer);
		if (this.#hass && this.isConnected) this.#askTimer = setTimeout(() => this.#fetch(), delay);
	}

	async #fetch() {
		const { entity, window_minutes: minutes = 120, windows = 1, resolution = "quarter" } = this.#config;
		const turn = ++this.#turn;
		const question = { type: "nomos/chart", entity_id: entity, window_minutes: minutes, windows, resolution };
		if (this.#day === 2) question.yesterday = true;
		let chart;
		let problem = "no_entity";
		try {
			if (entity) chart = await this.#hass.callWS(question);
		} catch (error) {
			problem = ["not_found", "unauthorized"].includes(error?.code) ? error.code : "not_loaded";
		}
		await this.#load(chart, problem);
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
			// Known prices stay on the screen while the connection is lost.
			if (problem !== "not_loaded") this.#model = this.#answer = undefined;
			if (this.#model) this.#schedule();
			else this.#draw();
		}
	}

	/** Load modules that only some responses or cards need. */
	async #load(chart, problem) {
		const drawn = chart && !this.#tile;
		const wanted = {
			"./loads.js": chart?.loads.length,
			"./battery.js": chart?.batteries.length,
			"./messages.js": chart ? chart.supply.status !== "active" : problem !== "not_loaded",
			"./actions.js": ["tap_action", "hold_action", "double_tap_action"].some((name) => name in this.#config),
			"./tile.js": this.#tile,
			"./cursor.js": drawn,
			"./days.js": drawn && !this.#config.hide?.includes("days"),
		};
		const modules = Object.keys(wanted).filter((module) => wanted[module]);
		// Modules may fail to load: a page from before an update may be too old.
		const loaded = await Promise.allSettled(modules.map((module) => import(module)));
		Object.assign(this.#extras, ...loaded.map(({ value }) => value));
		const { Actions, Cursor, Days, buildTile } = this.#extras;
		buildTile?.(this.#ui);
		if (Actions) this.#actions ||= new Actions(this, this.#ui, () => this.#config);
		if (Days) this.#days ||= new Days(this.#ui.days, this.#ui.cursor, (day) => this.#show(day));
		if (!Cursor) return;
		this.#cursor ||= new Cursor(this.#ui, () => ({
			model: this.#model,
			formats: this.#formats,
			layout: this.#layout,
			parts: this.#parts,
			row: this.#row,
			home: Math.max(0, this.#current),
		}));
	}

	/** Show one day, or all; yesterday has to be requested. */
	#show(day) {
		this.#day = day;
		const { chart } = this.#model;
		if (day === 2 && chart.days.length < 3) this.#ask(0);
		else this.#take(chart);
	}

	#take(chart) {
		// Formats are expensive to make.
		if (chart?.time_zone !== this.#model?.chart.time_zone) this.#formats = undefined;
		const held = this.#model?.rows[this.#cursor?.index]?.start;
		this.#model = chart && new Model(chart, this.#config, this.#extras, this.#day, this.#off);
		if (this.#cursor) this.#cursor.index = this.#model ? this.#model.at(held ?? 0) : -1;
		this.#draw();
	}

	#schedule() {
		clearTimeout(this.#tickTimer);
		if (!this.#model || !this.isConnected) return;
		const now = Date.now() / 1000;
		const next = this.#model.nextBoundary(now);
		this.#tickTimer = setTimeout(() => this.#tick(), (next - now) * 1000 + 20);
	}

	#tick() {
		// Entities announce news themselves; this is in case one was missed.
		if (this.#problem || this.#model.isTomorrow(Date.now() / 1000)) this.#ask(2000);
		this.#follow();
	}

	/** Redraw if the current interval has changed. */
	#follow() {
		if (this.#model.now(Date.now() / 1000) === this.#row) this.#schedule();
		else this.#draw();
	}

	#build() {
		if (this.#ui) return;
		this.#ui = build(this.attachShadow({ mode: "open" }));
		this.#listen(this.#ui);
		this.#observer?.observe(this.#ui.plot);
	}

	#listen({ now, toggle, legend }) {
		now.addEventListener("click", () => {
			if (this.#actions) return;
			const detail = { entityId: this.#config.entity };
			this.dispatchEvent(new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail }));
		});
		legend.addEventListener("click", ({ target }) => {
			const key = target.closest("button")?.dataset.key;
			if (!key) return;
			if (!this.#off.delete(key)) this.#off.add(key);
			this.#draw();
		});
		toggle.addEventListener("click", () => {
			this.#parts = !this.#parts;
			this.#draw();
		});
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
		const model = this.#model;
		this.#formats ||= new Formats(this.#hass, model?.chart.time_zone, this.#config.unit);
		const { texts } = this.#formats;
		const problem = () =>
			texts[this.#problem] || this.#extras.explain?.(this.#problem, texts, this.#config.entity) || texts.not_loaded;
		const message = model ? !model.shown.length && (model.supply(this.#formats) || texts.no_data) : problem();
		const tile = this.#tile;
		this.toggleAttribute("tile", tile);
		this.toggleAttribute("rtl", this.#formats.rtl);
		ui.head.hidden = Boolean(message);
		ui.plot.hidden = ui.foot.hidden = Boolean(message) || tile;
		ui.message.hidden = !message;
		ui.message.textContent = message || "";
		if (!message) {
			this.#row = model.now(Date.now() / 1000);
			drawHead(ui, model, this.#formats, this.#row);
			if (tile) this.#extras.drawTile?.(ui, model, this.#formats, this.#row, Date.now() / 1000);
			else this.#drawChart();
		}
		this.#schedule();
	}

	#drawChart() {
		const [ui, model, formats] = [this.#ui, this.#model, this.#formats];
		this.#drawPlot();
		this.#days?.show(model, formats.texts);
		drawFoot(ui, model, formats, this.#showsParts, this.#hass.config);
		this.#cursor?.follow();
	}

	/** Return the index of the current interval; -1 if not shown. */
	get #current() {
		return this.#row ? this.#model.at(this.#row.start) : -1;
	}

	get #showsParts() {
		return this.#parts && this.#model.hasParts;
	}

	#drawPlot() {
		const ui = this.#ui;
		const model = this.#model;
		const wanted = lanesHeight(model.lanes);
		// Measuring is expensive, so only if the observer has not reported a size.
		if (wanted !== this.#extra) {
			this.#extra = wanted;
			ui.plot.style.setProperty("--lanes", `${wanted}px`);
			this.#size = [ui.plot.clientWidth, ui.plot.clientHeight];
		}
		const [width, height] = this.#size;
		if (!width || !height) return;
		const font = (this.#font ||= `11px ${getComputedStyle(ui.plot).fontFamily}`);
		const { elements, layout } = drawChart(model, this.#formats, {
			width,
			height,
			ratio: window.devicePixelRatio || 1,
			parts: this.#showsParts,
			current: this.#current,
			now: Date.now() / 1000,
			rtl: this.#formats.rtl,
			measure: (text, bold) => widthOf(text, bold ? `500 ${font}` : font),
		});
		ui.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
		ui.svg.replaceChildren(...elements.map(draw), ui.hover);
		this.#layout = layout;
	}
}

window.customCards ||= [];
if (!window.customCards.some((card) => card.type === TAG)) {
	window.customCards.push({
		type: TAG,
		// Read when the list of cards opens; by then the language is known.
		get name() {
			return pageTexts().card_name;
		},
		get description() {
			return pageTexts().card_description;
		},
		preview: true,
		get documentationURL() {
			return `https://github.com/nomos-home-assistant/nomos/blob/main/docs/${pageTexts().card_page}`;
		},
		getEntitySuggestion: (hass, entity) =>
			priceEntities(hass).includes(entity) ? { config: { type: `custom:${TAG}`, entity } } : null,
	});
}

defineElement(TAG, NomosPriceCard);
