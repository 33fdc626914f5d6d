/** The price card's texts in all its languages. */

const TEXTS = {
	en: {
		language: "en",
		title: { consumption: "Electricity price", feed_in: "Feed-in payout" },
		levels: {
			consumption: ["", "Very cheap", "Cheap", "Normal", "Expensive", "Very expensive"],
			feed_in: ["", "Very low", "Low", "Normal", "High", "Very high"],
		},
		best: { consumption: "Cheapest {span}", feed_in: "Best {span}" },
		parts: { electricity: "Energy", grid: "Grid", levies: "Levies" },
		modes: { self_use: "left to itself", hold: "hold", delay_charge: "delay charging", charge: "charge", feed_in: "feed in" },
		hours: "{n} h",
		minutes: "{n} min",
		yesterday: "Yesterday",
		today: "Today",
		tomorrow: "Tomorrow",
		tomorrow_at: "tomorrow {time}",
		legend: "Legend",
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
		not_loaded: "Waiting for Nomos. The card fills by itself.",
		no_data: "No prices are known yet. They appear by themselves.",
		card_name: "Nomos price",
		card_page: "card.md",
		card_description: "Prices of today and tomorrow with the cheapest window and planned loads",
	},
	de: {
		language: "de",
		title: { consumption: "Strompreis", feed_in: "Einspeisevergütung" },
		levels: {
			consumption: ["", "Sehr günstig", "Günstig", "Normal", "Teuer", "Sehr teuer"],
			feed_in: ["", "Sehr niedrig", "Niedrig", "Normal", "Hoch", "Sehr hoch"],
		},
		best: { consumption: "Günstigste {span}", feed_in: "Beste {span}" },
		parts: { electricity: "Energie", grid: "Netz", levies: "Abgaben" },
		modes: { self_use: "Eigenverbrauch", hold: "halten", delay_charge: "Laden aufschieben", charge: "laden", feed_in: "einspeisen" },
		hours: "{n} Std.",
		minutes: "{n} Min.",
		yesterday: "Gestern",
		today: "Heute",
		tomorrow: "Morgen",
		tomorrow_at: "morgen {time}",
		legend: "Legende",
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
		not_loaded: "Wartet auf Nomos. Die Karte füllt sich von selbst.",
		no_data: "Es sind noch keine Preise bekannt. Sie erscheinen von selbst.",
		card_name: "Nomos-Preis",
		card_page: "card.de.md",
		card_description: "Preise von heute und morgen mit der günstigsten Zeit und geplanten Läufen",
	},
};

export const textsOf = (language) => TEXTS[String(language || "en").slice(0, 2)] || TEXTS.en;

/** Return the texts in the language of the page. */
export const pageTexts = () => textsOf(document.documentElement.lang);

/** Fill in a text's placeholders. */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
