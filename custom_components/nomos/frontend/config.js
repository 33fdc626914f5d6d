/** The price card's configuration. */

/** Return the entities that a card can show: prices, then payouts. */
export function priceEntities(hass) {
	const all = Object.values(hass?.entities || {}).filter((entity) => entity.platform === "nomos");
	const named = (key) => all.filter((entity) => entity.translation_key === key).map((entity) => entity.entity_id);
	return [...named("price"), ...named("payout")];
}

/** Reject an invalid configuration; the editor then shows code instead of the form. */
export function checkConfig({ unit = "ct", days = "both", layout = "full", view = "levels", resolution = "quarter", window_minutes: minutes = 120, windows = 1, hide = [] }) {
	const rules = {
		unit: ["ct", "eur"].includes(unit),
		days: ["both", "today"].includes(days),
		layout: ["full", "tile"].includes(layout),
		view: ["levels", "parts"].includes(view),
		resolution: ["quarter", "hour"].includes(resolution),
		window_minutes: Number.isInteger(minutes) && minutes >= 15 && minutes <= 1440,
		windows: Number.isInteger(windows) && windows >= 1 && windows <= 5,
		hide: Array.isArray(hide) && hide.every((part) => ["average", "window", "loads", "batteries", "expected", "legend", "days"].includes(part)),
	};
	const wrong = Object.keys(rules).filter((name) => !rules[name]);
	if (wrong.length) throw new Error(`nomos-price-card: ${wrong.join(", ")}?`);
}
