"""How long a plan takes to compute, in CPU milliseconds, in every mode of the planner.

    .venv/bin/python -m benchmarks.planner

Each cell is the median and the maximum over several random price tables; two thirds of them have a distinct price for
each interval, as on a spot market, the others few different prices. The last modes use deliberately hard prices, which
go up and down from one interval to the next and are nearly equal. ``now`` is on a boundary (aligned) or 7 min 23 s
after one (odd).

Last, plans of interruptible loads with random settings: a duration of 1.5 to 20 hours, to the minute, with or without
a minimum run, a minimum pause and a limit of up to eight runs.
"""

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import fmean, median
from time import process_time_ns
from typing import Any

from custom_components.nomos.planner import PlanRequest, Prefer, plan
from custom_components.nomos.pricing import Interval, PriceTable

START = datetime(2026, 3, 2, 23, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ODD = timedelta(minutes=7, seconds=23)
MINUTE = timedelta(minutes=1)

PAUSING = {"contiguous": False}
type Mode = tuple[int, dict[str, Any]]
"""A duration and settings; all times in minutes."""

MODES: dict[str, Mode] = {
    "in one go, 3 h": (180, {}),
    "in one go, 3 h 37": (217, {}),
    "free, 3 h": (180, PAUSING),
    "free, 3 h 37": (217, PAUSING),
    "run 30, pause 15, 3 h": (180, {**PAUSING, "min_run": 30, "min_pause": 15}),
    "run 30, pause 15, 3 h 37": (217, {**PAUSING, "min_run": 30, "min_pause": 15}),
    "run 45, pause 60, 5 h": (300, {**PAUSING, "min_run": 45, "min_pause": 60}),
    "max 2, 3 h 37": (217, {**PAUSING, "max_runs": 2}),
    "max 4, 5 h": (300, {**PAUSING, "max_runs": 4}),
    "run 20, pause 10, 3 h 37": (217, {**PAUSING, "min_run": 20, "min_pause": 10}),
    "run 25, pause 7, 3 h": (180, {**PAUSING, "min_run": 25, "min_pause": 7}),
    "max 4, run 25, pause 7, 5 h 13": (
        313,
        {**PAUSING, "min_run": 25, "min_pause": 7, "max_runs": 4},
    ),
}
HARD: dict[str, Mode] = {
    "hard: run 50, pause 15, 6 h": (360, {**PAUSING, "min_run": 50, "min_pause": 15}),
    "hard: max 6, run 20, 14 h 17": (
        857,
        {**PAUSING, "min_run": 20, "max_runs": 6},
    ),
}

type Tables = Callable[[int, int], Iterator[PriceTable]]


def tables(size: int, count: int) -> Iterator[PriceTable]:
    """Yield tables of random prices that follow a daily course."""
    for seed in range(count):
        random = Random(seed)
        span = 12 if seed % 3 == 2 else 10_000
        level, prices = 0.5, []
        for _ in range(size):
            level = min(max(level + random.uniform(-0.12, 0.12), 0), 1)
            noise = random.uniform(-0.2, 0.2)
            prices.append(round((level + noise) * span) / span * 0.3)
        yield _table(prices)


def hard_tables(size: int, count: int) -> Iterator[PriceTable]:
    """Yield tables in which every second price is equal and the others differ only slightly."""
    for steps in range(2, count + 2):
        yield _table(
            [0.1 if index % 2 else 0.3 + index % steps * 0.01 for index in range(size)]
        )


def _table(prices: list[float]) -> PriceTable:
    return PriceTable.of(
        Interval(START + index * QUARTER, START + (index + 1) * QUARTER, price)
        for index, price in enumerate(prices)
    )


def draw(count: int) -> Iterator[Mode]:
    """Yield random durations (minutes) and settings of interruptible loads."""
    for seed in range(count):
        random = Random(seed)
        settings = {
            "min_run": random.choice([0, 5, 10, 15, 20, 25, 30, 35, 45, 50, 60, 90]),
            "min_pause": random.choice([0, 0, 0, 5, 7, 10, 15, 20, 30, 45, 60]),
            "max_runs": random.choice([None, None, 2, 3, 4, 5, 6, 7, 8]),
        }
        yield random.randrange(90, 1200), {**PAUSING, **settings}


def plan_time(table: PriceTable, mode: Mode, *, late: bool, odd: bool) -> float:
    """Return the CPU milliseconds of a plan within a whole table."""
    length, asked = mode
    options = {
        name: value * MINUTE if name.startswith("min_") else value
        for name, value in asked.items()
    }
    request = PlanRequest(
        START,
        table.intervals[-1].end,
        length * MINUTE,
        prefer=Prefer.LATE if late else Prefer.EARLY,
        **options,
    )
    begin = process_time_ns()
    plan(table, request, START + ODD * odd)
    return (process_time_ns() - begin) / 1e6


def measure(
    made: Tables, size: int, mode: Mode, *, odd: bool, count: int
) -> list[float]:
    """Return the CPU milliseconds of a plan for each of the tables."""
    return [
        plan_time(table, mode, late=index % 2 == 1, odd=odd)
        for index, table in enumerate(made(size, count))
    ]


def survey(count: int) -> list[float]:
    """Return the CPU milliseconds of plans for two days with random settings, each with its own table."""
    drawn = zip(tables(192, count), draw(count), strict=True)
    return [
        plan_time(table, mode, late=index % 2 == 1, odd=False)
        for index, (table, mode) in enumerate(drawn)
    ]


def main() -> None:
    """Measure all modes, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=12)
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 192, 960])
    parser.add_argument("--draws", type=int, default=500)
    arguments = parser.parse_args()
    sizes = arguments.sizes
    heads = [f"{size} {now}" for size in sizes for now in ("aligned", "odd")]
    print(f"{'median / maximum CPU ms':32}" + "".join(f"{head:>18}" for head in heads))
    rows: list[tuple[Tables, str, Mode]] = [
        *((tables, *row) for row in MODES.items()),
        *((hard_tables, *row) for row in HARD.items()),
    ]
    for made, name, mode in rows:
        print(f"{name:32}", end="", flush=True)
        for size in sizes:
            for odd in (False, True):
                taken = measure(made, size, mode, odd=odd, count=arguments.tables)
                cell = f"{median(taken):.1f} / {max(taken):.1f}"
                print(f"{cell:>18}", end="", flush=True)
        print()
    drawn = sorted(survey(arguments.draws))
    hundredth = drawn[len(drawn) * 99 // 100]
    print(
        f"{len(drawn)} settings drawn, 192 intervals: median {median(drawn):.1f}, "
        f"mean {fmean(drawn):.1f}, slowest hundredth from {hundredth:.1f}, slowest {drawn[-1]:.1f}"
    )


if __name__ == "__main__":
    main()
