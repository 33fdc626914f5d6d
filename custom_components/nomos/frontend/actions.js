/** Actions for a tap, a double tap and a long press, as on Home Assistant's cards; loaded if one is configured. */

/** The time of a long press and before a second tap (ms); how far a finger may slip (px). */
const [HELD, SOON, SLIP] = [500, 250, 12];

const STYLE = `
:host(:not([tile])) .head { position: relative; }
.open::after { content: ""; position: absolute; inset: 0; border-radius: 8px; }
.open { touch-action: manipulation; -webkit-touch-callout: none; user-select: none; -webkit-user-select: none; }
`;

/** Whether a configuration has any action. */
const does = (action) => action && action.action !== "none";

export class Actions {
	#card;
	#config;
	#waiting;

	/** Listen to the button on top of a card, whose configuration `config` returns; it covers the whole top. */
	constructor(card, { head, now: button }, config) {
		this.#card = card;
		this.#config = config;
		const style = document.createElement("style");
		style.textContent = STYLE;
		head.before(style);
		let pressed;
		let held = false;
		button.addEventListener("pointerdown", (event) => {
			pressed = event;
			held = false;
		});
		button.addEventListener("pointerup", (event) => {
			const slipped = Math.hypot(event.clientX - pressed?.clientX, event.clientY - pressed?.clientY) > SLIP;
			held = does(config().hold_action) && !slipped && event.timeStamp - pressed?.timeStamp >= HELD;
			if (held) this.#act("hold");
		});
		// A long press would open a menu on touch screens.
		button.addEventListener("contextmenu", (event) => pressed?.pointerType !== "mouse" && event.preventDefault());
		button.addEventListener("click", () => {
			if (!held) this.#tap();
			held = false;
		});
	}

	#tap() {
		if (!does(this.#config().double_tap_action)) return this.#act("tap");
		if (this.#waiting) {
			clearTimeout(this.#waiting);
			this.#waiting = undefined;
			return this.#act("double_tap");
		}
		this.#waiting = setTimeout(() => {
			this.#waiting = undefined;
			this.#act("tap");
		}, SOON);
	}

	/** Let Home Assistant run the action; the default opens the sensor. */
	#act(action) {
		const detail = { config: this.#config(), action };
		this.#card.dispatchEvent(new CustomEvent("hass-action", { bubbles: true, composed: true, detail }));
	}
}
