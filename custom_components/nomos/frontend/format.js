/** Prices and times in the user's formats. */

import { fill, textsOf } from "./texts.js";

/** Locales for the profile's number formats; any other uses the language's. */
const NUMBERS = { comma_decimal: "en", decimal_comma: "de", space_comma: "fr", quote_decimal: "de-CH", none: "en", system: [] };

/** Everything that depends on the user's profile and the tariff's time zone. */
export class Formats {
	constructor(hass, zone, unit) {
		const { locale = {}, translationMetadata: known } = hass;
		let { language = "en" } = hass;
		this.texts = textsOf(language);
		const numbers = NUMBERS[locale.number_format] || language;
		this.rtl = Boolean(known?.translations[language]?.isRTL);
		// Our texts are left-to-right, so times and dates in them must be, too.
		if (this.rtl) ({ language } = this.texts);
		this.cents = unit !== "eur";
		this.unit = this.cents ? "ct/kWh" : "EUR/kWh";
		this.digits = [0, 1, 2, 3, 4].map(
			(count) => new Intl.NumberFormat(numbers, { minimumFractionDigits: count, maximumFractionDigits: count }),
		);
		this.fine = this.digits[this.cents ? 2 : 4];
		this.coarse = this.digits[this.cents ? 1 : 3];
		const times = locale.time_format === "system" ? [] : language;
		const hourCycle = { 12: "h12", 24: "h23" }[locale.time_format];
		const when = { timeZone: zone, ...(hourCycle && { hourCycle }) };
		this.bare = new Intl.DateTimeFormat(times, { ...when, hour: "numeric" });
		this.halves = this.bare.resolvedOptions().hour12;
		const hour = this.halves ? "numeric" : "2-digit";
		this.clock = new Intl.DateTimeFormat(times, { ...when, hour, minute: "2-digit" });
		this.date = new Intl.DateTimeFormat(language, { timeZone: zone, weekday: "short", day: "numeric", month: "short" });
		/** Returns a day as text; used too rarely to keep the format. */
		this.long = (seconds) =>
			new Date(seconds * 1000).toLocaleDateString(language, { timeZone: zone, day: "numeric", month: "long" });
		this.counter = new Intl.DateTimeFormat("en", { timeZone: zone, hour: "2-digit", hourCycle: "h23" });
	}

	number(price, format = this.fine) {
		return format.format(this.cents ? price * 100 : price).replace("-", "−");
	}

	price(price, format = this.fine) {
		return `${this.number(price, format)} ${this.unit}`;
	}

	time(seconds) {
		return this.clock.format(seconds * 1000) + this.#mark(seconds);
	}

	/** Distinguish the repeated hour as in Germany: 2A and 2B. */
	#mark(seconds) {
		const hour = this.hour(seconds);
		const mark = hour === this.hour(seconds + 3600) ? "A" : hour === this.hour(seconds - 3600) ? "B" : "";
		return mark && this.halves ? ` (${mark})` : mark;
	}

	range(start, end) {
		return `${this.time(start)} – ${this.time(end)}`;
	}

	/** Return the label of a full hour, with or without minutes. */
	tick(seconds, short) {
		if (this.halves) return this.bare.format(seconds * 1000) + this.#mark(seconds);
		return short ? this.time(seconds).replace(/:00/, "") : this.time(seconds);
	}

	hour(seconds) {
		return Number(this.counter.format(seconds * 1000));
	}

	span(minutes) {
		const whole = minutes % 60 === 0;
		return fill(whole ? this.texts.hours : this.texts.minutes, { n: whole ? minutes / 60 : minutes });
	}
}
