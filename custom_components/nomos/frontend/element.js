/** Define an element again until the frontend has its final registry: it replaces the first one while it loads. */
export function defineElement(tag, element) {
	const define = () => {
		if (!customElements.get(tag)) customElements.define(tag, class extends element {});
	};
	customElements.whenDefined("home-assistant").then(() => {
		define();
		for (const delay of [200, 1000, 3000]) setTimeout(define, delay);
	});
}
