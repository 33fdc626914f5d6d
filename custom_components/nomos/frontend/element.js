/** Redefine an element until the page (`hc-main`: Cast) has replaced its registry. */
export function defineElement(tag, element) {
	const define = () => customElements.get(tag) || customElements.define(tag, class extends element {});
	for (const root of ["home-assistant", "hc-main"]) {
		customElements.whenDefined(root).then(() => {
			for (const delay of [0, 200, 1000, 3000]) setTimeout(define, delay);
		});
	}
}
