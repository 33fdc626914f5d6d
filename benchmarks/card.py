"""The script time of drawing the price card, as counted by the browser, and the size of its scripts.

    .venv/bin/python -m benchmarks.card

Draws two autumn days, 196 intervals and three loads, in both views, each time from the change of a state to the
chart: request, response, drawing. Then two days cut into more and more intervals, to show how the time grows. Needs
Chromium.
"""

import argparse
from datetime import datetime, timedelta
from math import log, sin
from statistics import median
from typing import Any, Final

from custom_components.nomos.pricing import Components, Interval, day_bounds
from tests.browser.card_page import FRONTEND, CardPage, open_chromium
from tests.browser.card_samples import (
    AUTUMN,
    SUMMER,
    answer,
    both,
    intervals,
    load,
    local,
)


def script_milliseconds(session: Any) -> float:
    """Return the processor time of the page's thread so far, without style and layout, in milliseconds.

    The browser's own count of script time omits code that runs after a promise, which is how the card draws. This
    figure includes painting, so it is an upper bound.
    """
    found = session.send("Performance.getMetrics")["metrics"]
    metrics = {one["name"]: one["value"] for one in found}
    other = metrics["LayoutDuration"] + metrics["RecalcStyleDuration"]
    return float(metrics["TaskDuration"] - other) * 1000


SIZES: Final = (96, 192, 960, 9_600)


def cut(count: int) -> list[Interval]:
    """Return two summer days, cut into intervals of equal length."""
    first, last = day_bounds(SUMMER)[0], day_bounds(SUMMER + timedelta(days=1))[1]
    length = (last - first) / count
    return [
        Interval(
            first + index * length,
            first + (index + 1) * length,
            round(0.25 + 0.1 * sin(12 * index / count), 6),
            Components(0.1, 0.1, 0.05),
        )
        for index in range(count)
    ]


def measure(
    browser: Any,
    view: str,
    width: int,
    drawings: int,
    known: list[Interval],
    now: datetime,
) -> list[float]:
    """Return the script time of drawings in milliseconds, each for a different response of the hub."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    card = CardPage(context.new_page())
    card.open(now)
    runs = [
        (now + timedelta(hours=hour), now + timedelta(hours=hour + 2))
        for hour in (1, 4, 7)
    ]
    chart = answer(known, now) | {
        "loads": [load(f"Load {index}", *runs) for index in range(3)]
    }
    assert len(chart["intervals"]) == len(known)
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
    """Measure the card, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawings", type=int, default=50)
    drawings = parser.parse_args().drawings
    for path in sorted(FRONTEND.glob("*.js")):
        print(f"{path.name}: {path.stat().st_size / 1000:.1f} kB")
    with open_chromium() as browser:
        autumn, now = intervals(both(AUTUMN)), local(AUTUMN, 13, 22)
        for view in ("levels", "parts"):
            for width in (340, 900):
                taken = measure(browser, view, width, drawings, autumn, now)
                print(
                    f"{view}, {width} px: median {median(taken):.1f} ms, maximum {max(taken):.1f} ms"
                )
        now = local(SUMMER, 13, 22)
        for view in ("levels", "parts"):
            times = [
                median(measure(browser, view, 900, 9, cut(size), now)) for size in SIZES
            ]
            growth = log(times[-1] / times[0]) / log(SIZES[-1] / SIZES[0])
            listed = ", ".join(
                f"{size:,}: {time:.1f} ms"
                for size, time in zip(SIZES, times, strict=True)
            )
            print(f"{view}, 900 px, intervals {listed}; growth {growth:.2f}")


if __name__ == "__main__":
    main()
