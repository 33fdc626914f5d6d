/** The card's messages without prices or supply; loaded on demand. */

import { fill } from "./texts.js";

const TEXTS = {
	en: {
		no_entity: "Choose the current price of a Nomos contract in the card's settings.",
		not_found: "{entity} is not the current price of a Nomos contract.",
		unauthorized: "You have no access to {entity}.",
		pending: "Your supply begins on {date}. Prices come that day.",
		pending_undated: "Your supply has not begun yet. Prices come on the day it does.",
		ended: "Supply under this contract ended on {date}.",
		ended_undated: "Supply under this contract has ended.",
	},
	de: {
		no_entity: "Wähle in den Einstellungen der Karte den aktuellen Preis eines Nomos-Vertrags.",
		not_found: "{entity} ist nicht der aktuelle Preis eines Nomos-Vertrags.",
		unauthorized: "Du hast keinen Zugriff auf {entity}.",
		pending: "Deine Lieferung beginnt am {date}. Ab dann gibt es Preise.",
		pending_undated: "Deine Lieferung hat noch nicht begonnen. Sobald sie beginnt, gibt es Preise.",
		ended: "Die Lieferung nach diesem Vertrag endete am {date}.",
		ended_undated: "Die Lieferung nach diesem Vertrag ist zu Ende.",
	},
};

/** Return why there is no chart. */
export const explain = (problem, { language }, entity) => fill(TEXTS[language][problem], { entity });

/** Return when supply begins or ended; nothing while it runs. */
export function supply({ status, at }, { texts, long }) {
	if (status === "active") return "";
	const said = TEXTS[texts.language];
	// The end is the midnight after the last day.
	const date = at && long(status === "ended" ? at - 1 : at);
	return date ? fill(said[status], { date }) : said[`${status}_undated`];
}
