/** The buttons for yesterday, today and tomorrow, and the swipe from one to the next; loaded by the first card. */

/** The places of the days in a model, in the order of time: yesterday, today, tomorrow. */
const ORDER = [2, 0, 1];

const TEXTS = { en: "Show one day", de: "Einen Tag zeigen" };

/** A swipe is quicker than this (ms) and longer (px); what is slower points at one interval after the other. */
const [QUICK, LONG] = [400, 48];

export class Days {
	#place;
	#go;
	#model;

	/** Fill a place with the buttons. `go` shows a day by its place in a model, or all days if there is none. */
	constructor(place, plot, go) {
		this.#place = place;
		this.#go = go;
		place.setAttribute("role", "group");
		for (const day of ORDER) {
			const button = document.createElement("button");
			button.className = "pill";
			// Pressed again, it shows all days.
			button.addEventListener("click", () => go(this.#model.day === day ? undefined : day));
			place.append(button);
		}
		this.#swipe(plot);
	}

	/** Follow what is shown. */
	show(model, texts) {
		this.#model = model;
		this.#place.setAttribute("aria-label", TEXTS[texts.language]);
		const names = [texts.yesterday, texts.today, texts.tomorrow];
		[...this.#place.children].forEach((button, index) => {
			button.textContent = names[index];
			button.disabled = !this.#has(ORDER[index]);
			button.setAttribute("aria-pressed", String(model.day === ORDER[index]));
		});
	}

	#has(day) {
		return day === 2 ? this.#model.chart.yesterday : this.#model.pricesOf(this.#model.days[day]).length > 0;
	}

	/** Show the day before or after; from all days to the last, or back to today alone. */
	#step(step) {
		const { day, shown } = this.#model;
		const all = shown.length > 1 ? (step > 0 ? 1 : 2) : 1;
		const next = ORDER[(day === undefined ? all : ORDER.indexOf(day)) + step];
		if (next !== undefined && this.#has(next)) this.#go(next);
	}

	#swipe(plot) {
		let began;
		plot.addEventListener("pointerdown", (event) => {
			began = event.isPrimary && event.pointerType !== "mouse" ? event : undefined;
		});
		plot.addEventListener("pointerup", (event) => {
			if (!began || event.pointerId !== began.pointerId) return;
			const [right, down] = [event.clientX - began.clientX, event.clientY - began.clientY];
			const quick = event.timeStamp - began.timeStamp < QUICK;
			began = undefined;
			if (quick && Math.abs(right) > LONG && Math.abs(right) > 2 * Math.abs(down)) this.#step(right < 0 ? 1 : -1);
		});
	}
}
