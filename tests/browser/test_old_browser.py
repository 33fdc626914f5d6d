"""A test of the card and the dashboard in a browser without features that are newer than 2021."""

from datetime import timedelta

from tests.browser.card_fixtures import NOW, browser, needs_chromium, summer, window
from tests.browser.card_page import CardPage
from tests.browser.card_samples import battery, load

__all__ = ["browser", "summer", "window"]

pytestmark = needs_chromium

NEWER_METHODS = """
  for (const name of ["findLast", "findLastIndex", "toSorted", "toReversed", "toSpliced", "with"]) {
    delete Array.prototype[name];
  }
  for (const name of ["hasOwn", "groupBy"]) delete Object[name];
  for (const name of ["map", "filter", "toArray", "flatMap", "some", "every", "find", "reduce"]) {
    delete Iterator.prototype[name];
  }
  for (const name of ["requestIdleCallback", "scheduler", "navigation"]) delete window[name];
  delete Promise.withResolvers;
  delete URL.canParse;
"""
"""JavaScript that removes what browsers of 2021 lack, except `structuredClone`, which the test page itself uses."""


def test_in_an_old_browser(window: CardPage, summer) -> None:
    """Card, form and dashboard work in the oldest browsers that docs/card.md promises."""
    window.page.add_init_script(NEWER_METHODS)
    window.open(NOW)
    batteries = [battery("Powerwall", NOW, ("charge", 8, 60.0))]
    loads = [load("Car", (NOW, NOW + timedelta(hours=1)))]
    window.show(summer | {"batteries": batteries, "loads": loads})
    assert len(window.bars()) == 192
    window.page.mouse.move(*window.place(150))
    assert window.shown(".tip")
    made = window.page.evaluate("""async () => {
      await import("/frontend/nomos-dashboard.js");
      const form = await customElements.get("nomos-price-card").getConfigForm();
      await customElements.whenDefined("ll-strategy-dashboard-nomos");
      const strategy = customElements.get("ll-strategy-dashboard-nomos");
      const { views } = await strategy.generate({}, makeHass({ answers: {} }));
      return [form.schema.length, views.length];
    }""")
    assert all(made)
