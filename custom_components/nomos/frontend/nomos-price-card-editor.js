/** The price card's form in Home Assistant's editor; loaded on demand. */

const TEXTS = {
	en: {
		entity: "Current price or payout",
		title: "Title",
		layout: "Size",
		unit: "Unit",
		days: "Days",
		view: "Bars show",
		resolution: "A bar for each",
		window_minutes: "Length of the best window",
		windows: "Number of best windows",
		hide: "Hide",
		interactions: "Interactions",
		tap_action: "When tapped",
		hold_action: "When held",
		double_tap_action: "When tapped twice",
		options: {
			full: "Chart",
			tile: "Tile",
			both: "Today and tomorrow",
			today: "Today only",
			levels: "Price level",
			parts: "Parts of the price",
			quarter: "Quarter-hour",
			hour: "Hour",
			average: "Average",
			window: "Best window",
			loads: "Planned runs",
			batteries: "Batteries",
			expected: "Expected sun and need",
			legend: "Legend",
			days: "Buttons for the days",
		},
	},
	de: {
		entity: "Aktueller Preis oder aktuelle Vergütung",
		title: "Titel",
		layout: "Größe",
		unit: "Einheit",
		days: "Tage",
		view: "Balken zeigen",
		resolution: "Ein Balken je",
		window_minutes: "Länge der besten Zeit",
		windows: "Anzahl der besten Zeiten",
		hide: "Ausblenden",
		interactions: "Interaktionen",
		tap_action: "Beim Antippen",
		hold_action: "Beim Halten",
		double_tap_action: "Beim doppelten Antippen",
		options: {
			full: "Diagramm",
			tile: "Kachel",
			both: "Heute und morgen",
			today: "Nur heute",
			levels: "Preisstufe",
			parts: "Preisanteile",
			quarter: "Viertelstunde",
			hour: "Stunde",
			average: "Durchschnitt",
			window: "Beste Zeit",
			loads: "Geplante Läufe",
			batteries: "Batterien",
			expected: "Erwartete Sonne und Bedarf",
			legend: "Legende",
			days: "Knöpfe für die Tage",
		},
	},
};

/**
 * Return the form in a language.
 *
 * @param {string} language The language of the page.
 * @param {string[]} entities The sensors to choose from; without any, all sensors of Nomos are offered.
 * @param {(config: object) => void} assertConfig Throws if the configuration can be edited as YAML only.
 */
export function form(language, entities, assertConfig) {
	const texts = TEXTS[String(language).slice(0, 2)] || TEXTS.en;
	const options = (...values) => values.map((value) => ({ value, label: texts.options[value] }));
	const choice = (name, values) => ({ name, selector: { select: { mode: "dropdown", options: values } } });
	const action = (name, usual) => ({
		name,
		selector: { ui_action: { default_action: usual } },
		context: { entity_id: "entity" },
	});
	const filter = { integration: "nomos", domain: "sensor" };
	return {
		schema: [
			{ name: "entity", required: true, selector: { entity: entities.length ? { include_entities: entities } : { filter } } },
			{ name: "title", selector: { text: {} } },
			{
				name: "",
				type: "grid",
				schema: [
					choice("layout", options("full", "tile")),
					choice("unit", [
						{ value: "ct", label: "ct/kWh" },
						{ value: "eur", label: "EUR/kWh" },
					]),
					choice("days", options("both", "today")),
					choice("view", options("levels", "parts")),
					choice("resolution", options("quarter", "hour")),
					{
						name: "window_minutes",
						selector: { number: { min: 15, max: 1440, step: 15, mode: "box", unit_of_measurement: "min" } },
					},
					{ name: "windows", selector: { number: { min: 1, max: 5, mode: "box" } } },
				],
			},
			{
				name: "hide",
				selector: { select: { multiple: true, mode: "list", options: options("average", "window", "loads", "batteries", "expected", "legend", "days") } },
			},
			{
				name: "interactions",
				type: "expandable",
				flatten: true,
				schema: [action("tap_action", "more-info"), action("hold_action", "none"), action("double_tap_action", "none")],
			},
		],
		computeLabel: (field) => texts[field.name],
		assertConfig,
	};
}
