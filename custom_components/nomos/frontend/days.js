/** The buttons for yesterday, today and tomorrow, and swiping between days; loaded by the first card. */

/** The indexes of days in a model, in chronological order: yesterday, today, tomorrow. */
const ORDER = [2, 0, 1];

const TEXTS = { en: "Show one day", de: "Einen Tag zeigen" };

/** A swipe is faster (ms) and longer (px) than this; a slower move points at intervals. */
const [QUICK, LONG] = [400, 48];

export class Days {
	#place;
	#go;
	#model;

	/** Fill an element with the buttons. `go` shows a day by its index, or all days without one. */
	constructor(place, plot, go) {
		this.#place = place;
		this.#go = go;
		place.setAttribute("role", "group");
		for (const day of ORDER) {
			const button = document.createElement("button");
			button.className = "pill";
			// Pressed again, a button shows all days.
			button.addEventListener("click", () => go(this.#model.day === day ? undefined : day));
			place.append(button);
		}
		this.#swipe(plot);
	}

	/** Update the buttons. */
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

	/** Show the next or previous day; from all days, the last day or today. */
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
