/**
 * An empty page, to which the dialog after linking leads: it opens the ready-made dashboard, and adds it first if it does
 * not exist.
 *
 * A page that was loaded before the first account knows neither dashboard nor card, and gets them this way.
 */

import "./nomos-price-card.js";
import "./nomos-dashboard.js";

const PATH = "dashboard-nomos"; // as Home Assistant itself would name it

async function add(hass) {
	await hass.callWS({
		type: "lovelace/dashboards/create",
		url_path: PATH,
		title: "Nomos",
		icon: "mdi:lightning-bolt",
		mode: "storage",
		show_in_sidebar: true,
		require_admin: false,
	});
	await hass.callWS({ type: "lovelace/config/save", url_path: PATH, config: { strategy: { type: "custom:nomos" } } });
}

function open(path) {
	history.replaceState(null, "", `/${path}`);
	window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: true } }));
}

class NomosStart extends HTMLElement {
	/** Home Assistant sets this again once it knows the new dashboard. */
	set hass(hass) {
		const isThere = PATH in hass.panels;
		this.added ||= isThere ? Promise.resolve() : add(hass);
		this.added.then(
			() => isThere && open(PATH),
			() => open("config/lovelace/dashboards"),
		);
	}
}

// The page needs the element at once.
customElements.get("nomos-start") || customElements.define("nomos-start", NomosStart);
