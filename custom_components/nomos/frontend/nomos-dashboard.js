/**
 * The ready-made dashboard of the Nomos integration: a view per contract, and one for usage if it is known.
 *
 * Home Assistant generates it each time it is opened, so contracts and loads appear and disappear by themselves.
 */

import { defineElement } from "./element.js";

const TEXTS = {
	en: {
		page: "card.md",
		description: "Price, best times, planned loads, batteries and history of your Nomos contracts",
		prices: "Prices",
		today: { price: "Price today", payout: "Payout today" },
		short: {
			lowest_price_today: "Lowest",
			average_price_today: "Average",
			highest_price_today: "Highest",
			lowest_payout_today: "Lowest",
			average_payout_today: "Average",
			highest_payout_today: "Highest",
		},
		actions: { load_start_now: "Start", load_skip: "Skip" },
		history: "History",
		usage: "Usage",
		cost: "Cost",
		returned: "Fed in",
		compensation: "Compensation",
		none: "There is no Nomos contract yet. Add Nomos under Settings → Devices & services; this page fills by itself.",
	},
	de: {
		page: "card.de.md",
		description: "Preis, beste Zeiten, geplante Verbraucher, Batterien und Verlauf deiner Nomos-Verträge",
		prices: "Preise",
		today: { price: "Preis heute", payout: "Vergütung heute" },
		short: {
			lowest_price_today: "Niedrigster",
			average_price_today: "Durchschnitt",
			highest_price_today: "Höchster",
			lowest_payout_today: "Niedrigste",
			average_payout_today: "Durchschnitt",
			highest_payout_today: "Höchste",
		},
		actions: { load_start_now: "Starten", load_skip: "Auslassen" },
		history: "Verlauf",
		usage: "Verbrauch",
		cost: "Kosten",
		returned: "Einspeisung",
		compensation: "Erlös",
		none: "Es gibt noch keinen Nomos-Vertrag. Füge Nomos unter Einstellungen → Geräte & Dienste hinzu; diese Seite füllt sich von selbst.",
	},
};

const LOAD = [
	"load_status",
	"next_start",
	"next_end",
	"expected_cost",
	"expected_saving",
	"load_saved_this_month",
	"load_planned",
	"load_ready_by",
	// The strategy needs one of these.
	"load_duration",
	"load_energy_needed",
	"load_target_charge",
	"load_start_now",
	"load_skip",
];

const BATTERY = [
	"battery_mode",
	"battery_target_level",
	"battery_charging_power",
	"battery_next_change",
	"battery_expected_gain",
	"battery_gain_this_month",
];

/** Entities shown as time of day: "in 9 hours" does not say whether it is at night. */
const CLOCK_TIMES = ["next_start", "next_end", "battery_next_change"];

/** Entities that are known only while there is a plan; rows without one are hidden. */
const OF_THE_PLAN = ["next_start", "next_end", "expected_cost", "expected_saving"];

const textsOf = (language) => TEXTS[String(language || "en").slice(0, 2)] || TEXTS.en;

/** Return the visible entities of Nomos, by device and translation key. */
function devicesOf(hass) {
	const devices = new Map();
	for (const entity of Object.values(hass.entities)) {
		if (entity.platform !== "nomos" || entity.hidden || !(entity.entity_id in hass.states)) continue;
		if (!devices.has(entity.device_id)) devices.set(entity.device_id, {});
		devices.get(entity.device_id)[entity.translation_key] = entity.entity_id;
	}
	return devices;
}

const nameOf = (hass, id) => hass.devices[id]?.name_by_user || hass.devices[id]?.name || "Nomos";

const heading = (text, icon) => ({ type: "heading", heading: text, icon });

const unless = (entity, ...states) => [{ condition: "state", entity, state_not: states }];

const UNKNOWN = ["unknown", "unavailable"];

/** Return tiles for some of a device's entities, with short names that fit on a phone; the heading has the rest. */
const tiles = (texts, entities, keys) =>
	keys
		.filter((key) => entities[key])
		.map((key) => ({
			type: "tile",
			entity: entities[key],
			name: texts.short[key] || { type: "entity" },
			grid_options: { columns: 6 },
		}));

/** Return what makes a row a labelled button: by default, each would be read as "Press". */
const press = (entity, action) => ({
	type: "button",
	action_name: action,
	tap_action: { action: "perform-action", perform_action: "button.press", target: { entity_id: entity } },
});

/** Return the row of an entity of a load or a battery. */
const row = (hass, texts, entity, key) => ({
	entity,
	// Without the device's name, which is the heading.
	...(hass.entities[entity].name && { name: hass.entities[entity].name }),
	...(CLOCK_TIMES.includes(key) && { format: "time" }),
	...(texts.actions[key] && press(entity, texts.actions[key])),
});

/** Return the list of a load's or a battery's entities. */
const listCard = (hass, texts, entities, keys) => ({
	type: "entities",
	show_header_toggle: false,
	entities: keys.filter((key) => entities[key]).map((key) => {
		const shown = row(hass, texts, entities[key], key);
		return OF_THE_PLAN.includes(key) ? { type: "conditional", conditions: unless(entities[key], ...UNKNOWN), row: shown } : shown;
	}),
	grid_options: { columns: "full" },
});

/** Return the battery's reason, a sentence that is too long for a row. */
const reasonCard = (mode) => ({
	type: "markdown",
	text_only: true,
	content: `{{ state_attr("${mode}", "reason") or "" }}`,
	grid_options: { columns: "full" },
});

const section = (...cards) => ({ type: "grid", cards });

/** Return the view of one contract. */
function contractView(hass, texts, unit, [id, entities], loads, batteries) {
	const price = entities.price || entities.payout;
	const noun = entities.price ? "price" : "payout";
	const figures = ["price_level", `lowest_${noun}_today`, `average_${noun}_today`, `highest_${noun}_today`];
	const today = tiles(texts, entities, figures);
	const card = { type: "custom:nomos-price-card", entity: price, unit, grid_options: { columns: "full" } };
	const sections = [{ ...section(card), column_span: 2 }];
	if (today.length) {
		// Without today's prices, the card says why: no contract yet, an ended one, or Nomos is down.
		const visibility = unless(today.at(-1).entity, ...UNKNOWN);
		sections.push({ ...section(heading(texts.today[noun], "mdi:calendar-today"), ...today), visibility });
	}
	for (const [device, load] of loads) {
		sections.push(section(heading(nameOf(hass, device), "mdi:power-plug-outline"), listCard(hass, texts, load, LOAD)));
	}
	for (const [device, battery] of batteries) {
		const parts = [reasonCard(battery.battery_mode), listCard(hass, texts, battery, BATTERY)];
		sections.push(section(heading(nameOf(hass, device), "mdi:home-battery-outline"), ...parts));
	}
	const graph = { type: "history-graph", entities: [{ entity: price }], hours_to_show: 48 };
	const history = section(heading(texts.history, "mdi:chart-line"), graph);
	const status = entities.contract_status;
	sections.push({ ...history, ...(status && { visibility: unless(status, "pending") }) });
	return {
		title: nameOf(hass, id),
		path: price.split(".")[1].replaceAll("_", "-"),
		icon: entities.price ? "mdi:lightning-bolt" : "mdi:solar-power",
		type: "sections",
		max_columns: 3,
		sections,
	};
}

/** Return the view of usage and cost; null without statistics of Nomos. */
async function usageView(hass, texts) {
	let known;
	try {
		known = await hass.callWS({ type: "recorder/list_statistic_ids", statistic_type: "sum" });
	} catch {
		// Without the recorder there are no statistics.
		return null;
	}
	const ours = known.filter((one) => one.source === "nomos").map((one) => one.statistic_id);
	const of = (kind) => ours.filter((id) => /_(usage|cost|base_fee|total_cost|returned|compensation)$/.exec(id)?.[1] === kind);
	// The bars of a day are stacked, so sums of others are left out.
	const look = { type: "statistics-graph", chart_type: "bar-stack", period: "day", days_to_show: 30, stat_types: ["change"] };
	const graph = ([title, ...kinds]) => {
		const entities = kinds.flatMap(of);
		return entities.length ? [{ ...section({ ...look, title, entities, grid_options: { columns: "full" } }), column_span: 2 }] : [];
	};
	const sections = [
		[texts.usage, "usage"],
		[texts.cost, "cost", "base_fee"],
		[texts.returned, "returned"],
		[texts.compensation, "compensation"],
	].flatMap(graph);
	return sections.length
		? { title: texts.usage, path: "usage", icon: "mdi:chart-bar", type: "sections", max_columns: 2, sections }
		: null;
}

class NomosDashboard extends HTMLElement {
	static noEditor = true;

	static registryDependencies = ["entities", "devices"];

	static getCreateSuggestions() {
		return { title: "Nomos", icon: "mdi:lightning-bolt" };
	}

	static async generate({ unit = "eur" }, hass) {
		const texts = textsOf(hass.language);
		const devices = [...devicesOf(hass)];
		const contracts = devices.filter(([, entities]) => entities.price || entities.payout);
		const loads = devices.filter(([, entities]) => entities.run_now);
		const batteries = devices.filter(([, entities]) => entities.battery_mode);
		// Devices are linked to their contract's. Those of a hidden contract must not be lost.
		const home = contracts.find(([, entities]) => entities.price) || contracts[0];
		const contractOf = ([device]) => contracts.find(([id]) => id === hass.devices[device]?.via_device_id) || home;
		const views = contracts.map((contract) => {
			const mine = (device) => contractOf(device) === contract;
			return contractView(hass, texts, unit, contract, loads.filter(mine), batteries.filter(mine));
		});
		if (!views.length) {
			views.push({ title: texts.prices, path: "prices", cards: [{ type: "markdown", content: texts.none }] });
		}
		const usage = await usageView(hass, texts);
		// Equal icons would not tell the contracts apart.
		if (views.length > 1) for (const view of views) view.show_icon_and_title = true;
		return { title: "Nomos", views: usage ? [...views, usage] : views };
	}
}

const TAG = "ll-strategy-dashboard-nomos";

window.customStrategies ||= [];
if (!window.customStrategies.some((strategy) => strategy.type === "nomos")) {
	window.customStrategies.push({
		type: "nomos",
		strategyType: "dashboard",
		name: "Nomos",
		get description() {
			return textsOf(document.documentElement.lang).description;
		},
		get documentationURL() {
			return `https://github.com/nomos-home-assistant/nomos/blob/main/docs/${textsOf(document.documentElement.lang).page}`;
		},
	});
}

defineElement(TAG, NomosDashboard);
