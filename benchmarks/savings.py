"""What a year of planned loads costs, compared with the optimum: docs/savings.md.

    .venv/bin/python -m benchmarks.savings [PRICES.csv]

Day-ahead prices of a year are given to the code that plans a load, day by day as they are published. A load is planned
when its window opens, at 14:00 when tomorrow's prices arrive, at midnight, and whenever a planned run was missed. It
knows only prices published by then, and pays the real ones. The optimum knows the whole window beforehand.

Without a path, the file is searched for next to the repository. Its columns: local time with offset, EUR/MWh.
"""

import argparse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
import csv
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from math import fsum
from pathlib import Path
import sys
from typing import Any, Final

from custom_components.nomos.loads.plan import Task
from custom_components.nomos.loads.planning import next_planning, plan_load
from custom_components.nomos.loads.settings import LoadSettings
from custom_components.nomos.planner import Run, plan
from custom_components.nomos.pricing import (
    TARIFF_ZONE,
    Interval,
    PriceTable,
    day_bounds,
    local_date,
)

from .tables import table as markdown

PRICES: Final = "shared/data/day_ahead_de_lu_2025.csv"
PUBLISHED: Final = time(14)
"""When tomorrow's prices are published, in local time."""

_ZERO: Final = timedelta()
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_QUARTER: Final = timedelta(minutes=15)

FEES: Final = ("flat", "module 3")
LOADS: Final[Mapping[str, Mapping[str, Any]]] = {
    "car, 11 kW, 4 h with pauses, 12:00 to 07:00": {
        "power": 11,
        "duration": {"hours": 4},
        "contiguous": False,
        "start": "12:00",
        "end": "07:00",
    },
    "car, 11 kW, 4 h with pauses, 10:00 to 07:00": {
        "power": 11,
        "duration": {"hours": 4},
        "contiguous": False,
        "start": "10:00",
        "end": "07:00",
    },
    "car, 11 kW, 4 h in one go, 10:00 to 07:00": {
        "power": 11,
        "duration": {"hours": 4},
        "start": "10:00",
        "end": "07:00",
    },
    "car, 11 kW, 6 h with pauses, 08:00 to 07:00": {
        "power": 11,
        "duration": {"hours": 6},
        "contiguous": False,
        "start": "08:00",
        "end": "07:00",
    },
    "boiler, 2 kW, 3 h with pauses, 06:00 to 06:00": {
        "power": 2,
        "duration": {"hours": 3},
        "contiguous": False,
        "start": "06:00",
        "end": "06:00",
    },
    "washer, 1 kW, 2 h in one go, 09:00 to 09:00": {
        "power": 1,
        "duration": {"hours": 2},
        "start": "09:00",
        "end": "09:00",
    },
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The costs of a year's windows, in EUR.

    Attributes:
        cost: as planned.
        optimum: if all prices had been known.
        at_once: started when the window opens.
        average: at the mean price of the window.
        known_only: planned once when the window opens, until known prices end.
        waiting: if the window extends into tomorrow, not before its prices are published; all prices are known then.
    """

    windows: int
    cost: float
    optimum: float
    at_once: float
    average: float
    known_only: float
    waiting: float

    def above(self, cost: float) -> float:
        """Return by how much a cost exceeds the optimum, in percent."""
        return 100 * (cost / self.optimum - 1)

    @property
    def regret(self) -> float:
        """Return by how much the planned cost exceeds the optimum, in percent."""
        return self.above(self.cost)


class Year:
    """All prices of a year, and which of them were known at an instant."""

    def __init__(self, whole: PriceTable) -> None:
        """Use a table of the real prices."""
        self.whole = whole
        self._known: dict[tuple[date, date], PriceTable] = {}

    def known(self, now: datetime) -> PriceTable:
        """Return the known prices: from yesterday to the end of the last published day."""
        today = local_date(now)
        published = now.astimezone(TARIFF_ZONE).time() >= PUBLISHED
        key = today - _DAY, today + _DAY if published else today
        if key not in self._known:
            self._known[key] = self.whole.between(
                day_bounds(key[0])[0], day_bounds(key[1])[1]
            )
        return self._known[key]

    def news(self, opens: datetime, closes: datetime) -> list[datetime]:
        """Return when the known prices change within a window."""
        days = range((local_date(closes) - local_date(opens)).days + 1)
        dates = [local_date(opens) + _DAY * day for day in days]
        moments = [
            datetime.combine(day, wall, TARIFF_ZONE).astimezone(UTC)
            for day in dates
            for wall in (time(0), PUBLISHED)
        ]
        return [at for at in moments if opens < at < closes]


def play(
    settings: LoadSettings,
    task: Task,
    known: Callable[[datetime], PriceTable],
    news: Collection[datetime],
    restarts: Collection[datetime] = (),
) -> Task:
    """Return a task with all its runs, planned like ``loads/load.py`` as prices arrive and time passes.

    ``known`` returns the prices that are known at an instant; they change at ``news``. At ``restarts`` the load is
    planned again without new prices.
    """
    now = task.opens
    again: datetime | None = None
    made, planned_from = None, None
    while True:
        left = max(settings.duration - task.time_run(now), _ZERO)
        running = task.run_at(now)
        once = settings.contiguous and task.runs
        if not running and (now >= task.closes or not left or once):
            return task
        if made and not running and (run := made.run_at(now)):
            task = task.with_run(run)
        if now in restarts or (made and made.has_missed(now, task.runs)):
            planned_from = None
        table = known(now)
        if table != planned_from or (again is not None and now >= again):
            made = plan_load(settings, task, left, table, now, TARIFF_ZONE)
            planned_from = table
            begun = tuple(run for run in made.runs if run.start <= now)
            task = replace(task, runs=begun)
            again = next_planning(settings, table, task, now)
        assert made is not None
        edges = [*news, *restarts, task.closes, *(run.end for run in task.runs)]
        edges += filter(None, [again, made.next_change(now)])
        now = min(at for at in edges if at > now)


def windows(settings: LoadSettings, whole: PriceTable) -> Iterator[Task]:
    """Yield the windows for which all prices are known, including those of the day before."""
    first, last = whole.intervals[0].start, whole.intervals[-1].end
    now = first + _DAY
    while True:
        opens, closes = settings.window(now, TARIFF_ZONE)
        if closes > last:
            return
        if opens >= now:
            yield Task(opens=opens, closes=closes)
        now = closes


def cost(table: PriceTable, runs: Iterable[Run]) -> float:
    """Return the cost of runs of 1 kW."""
    return fsum(
        (one.price or 0.0)
        * ((min(one.end, run.end) - max(one.start, run.start)) / _HOUR)
        for run in runs
        for one in table.between(run.start, run.end).intervals
    )


def measure(settings: LoadSettings, whole: PriceTable) -> Outcome:
    """Return the costs of a load in all windows."""
    year, power = Year(whole), settings.power or 1.0
    found: list[tuple[float, ...]] = []
    for task in windows(settings, whole):
        done = play(settings, task, year.known, year.news(task.opens, task.closes))
        length = sum((run.duration for run in done.runs), _ZERO)
        assert length == settings.duration, (task, done.runs)
        around = whole.between(task.opens, task.closes)
        request = settings.request(task.opens, task.closes, settings.duration)
        at_once = Run(start=task.opens, end=task.opens + settings.duration)
        whole_window = Run(start=task.opens, end=task.closes)
        share = settings.duration / whole_window.duration
        found.append(
            (
                power * cost(around, done.runs),
                plan(around, request, task.opens).cost,
                power * cost(around, [at_once]),
                power * cost(around, [whole_window]) * share,
                *_other_rules(settings, task, year),
            )
        )
    return Outcome(len(found), *map(fsum, zip(*found, strict=True)))


def _other_rules(settings: LoadSettings, task: Task, year: Year) -> tuple[float, float]:
    """Return the cost of a window that ends with known prices, and of one that begins when tomorrow is published."""

    def best(opens: datetime, closes: datetime) -> float:
        request = settings.request(opens, closes, settings.duration)
        return plan(year.whole.between(opens, closes), request, opens).cost

    opens, closes, known = task.opens, task.closes, year.known(task.opens).horizon
    assert known is not None
    if known >= closes:
        return best(opens, closes), best(opens, closes)
    published = datetime.combine(local_date(opens), PUBLISHED, TARIFF_ZONE)
    fits = known - opens >= settings.duration
    return (
        best(opens, known if fits else closes),
        best(max(opens, published.astimezone(UTC)), closes),
    )


def grid_fee(fee: str, hour: int) -> float:
    """Return a grid fee in ct/kWh: flat, or by time of day as in § 14a EnWG, module 3."""
    if fee == "flat" or 6 <= hour < 17 or 21 <= hour < 23:
        return 8.9
    return 13.4 if 17 <= hour < 21 else 3.2


def price(market: float, fee: str, hour: int) -> float:
    """Return the all-in price (EUR/kWh) for a market price (EUR/MWh), with margin, levies, tax and grid fee."""
    return (market / 10 + 1.45 + 6.656 + grid_fee(fee, hour)) * 1.19 / 100


def read(path: Path, fee: str | None) -> PriceTable:
    """Return the all-in prices for a file of market prices, or the market prices without a grid fee."""
    with path.open(newline="") as file:
        rows = [
            (datetime.fromisoformat(at), float(eur))
            for at, eur in list(csv.reader(file))[1:]
        ]
    return PriceTable.of(
        Interval(
            at.astimezone(UTC),
            at.astimezone(UTC) + _QUARTER,
            eur / 1000 if fee is None else price(eur, fee, at.hour),
        )
        for at, eur in rows
    )


def find() -> Path | None:
    """Return the file of prices, if there is one next to the repository."""
    parents = Path(__file__).resolve().parents[1:4]
    return next((at for one in parents if (at := one / PRICES).exists()), None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all loads, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prices", nargs="?", type=Path, default=find())
    path = parser.parse_args(arguments).prices
    if path is None:
        print(f"No prices: {PRICES} is not there.")
        return 0
    rows = []
    for name, data in LOADS.items():
        settings = LoadSettings.of(data)
        for fee in FEES:
            found = measure(settings, read(path, fee))
            rows.append(
                (
                    name,
                    fee,
                    found.windows,
                    f"{found.optimum:.2f}",
                    f"{found.cost:.2f}",
                    f"{found.regret:.2f} %",
                    f"{found.average:.2f}",
                    f"{found.at_once:.2f}",
                    f"{found.above(found.known_only):.1f} %",
                    f"{found.above(found.waiting):.1f} %",
                )
            )
    heads = (
        "load",
        "grid fee",
        "windows",
        "optimum",
        "cost",
        "above it",
        "average",
        "at once",
        "known prices only",
        "waiting",
    )
    print(markdown(heads, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
