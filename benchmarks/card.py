"""How much script time the price card spends on a drawing, by the browser's own account, and how big its script is.

    .venv/bin/python -m benchmarks.card

Draws two days of autumn, 196 intervals and three loads, in both views, each time from the news to the picture: asking,
reading the answer, drawing. Needs Chromium.
"""

import argparse
from statistics import median
from typing import Any

from tests.browser.card_page import FRONTEND, CardPage, open_chromium
from tests.browser.card_samples import AUTUMN, answer, both, intervals, load, local


def script_milliseconds(session: Any) -> float:
    """Return the processor time of the page's thread so far, less what style and layout took.

    The browser's own count of scripts leaves out what runs after a promise, which is where the card draws. What is
    left here also has painting in it: scripts take no more than this.
    """
    found = session.send("Performance.getMetrics")["metrics"]
    metrics = {one["name"]: one["value"] for one in found}
    other = metrics["LayoutDuration"] + metrics["RecalcStyleDuration"]
    return float(metrics["TaskDuration"] - other) * 1000


def measure(browser: Any, view: str, width: int, drawings: int) -> list[float]:
    """Return the script milliseconds of drawings, each with another answer of the hub."""
    now = local(AUTUMN, 13, 22)
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    card = CardPage(context.new_page())
    card.open(now)
    runs = [(local(AUTUMN, hour), local(AUTUMN, hour + 2)) for hour in (14, 18, 21)]
    chart = answer(intervals(both(AUTUMN)), now) | {
        "loads": [load(f"Load {index}", *runs) for index in range(3)]
    }
    assert len(chart["intervals"]) == 196
    card.show(chart, {"view": view}, width=width)
    card.page.evaluate("countDrawings()")
    session = context.new_cdp_session(card.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    taken = []
    for index in range(drawings):
        chart["intervals"][0][2] = 0.2 + index / 10_000
        card.answer(chart)
        before = script_milliseconds(session)
        card.page.evaluate(
            """() => {
              window.hass = { ...window.hass, entities: {} };
              card.hass = window.hass;
              return new Promise((done) => setTimeout(done, 320));
            }"""
        )
        taken.append(script_milliseconds(session) - before)
    assert card.page.evaluate("window.drawings") == drawings
    context.close()
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawings", type=int, default=50)
    drawings = parser.parse_args().drawings
    for path in sorted(FRONTEND.glob("*.js")):
        print(f"{path.name}: {path.stat().st_size / 1000:.1f} kB")
    with open_chromium() as browser:
        for view in ("levels", "parts"):
            for width in (340, 900):
                taken = measure(browser, view, width, drawings)
                print(
                    f"{view}, {width} px: median {median(taken):.1f} ms, maximum {max(taken):.1f} ms"
                )


if __name__ == "__main__":
    main()
