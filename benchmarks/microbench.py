"""The cost of single functions in interpreter steps, and how it grows with the number of intervals.

    .venv/bin/python -m benchmarks.microbench

Steps are the same on every machine and in every run: if a number has changed, the code has. The growth is the exponent
between the smallest and the largest size: 1 is linear, 0 is independent of the size, 2 would be a mistake. Only Python
is counted; sorting and comparing happen in C and count as single steps. The milliseconds of the largest size are a
rough figure.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
import json
from math import log
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from custom_components.nomos.api import PriceSeries
from custom_components.nomos.api.parsing import decode
from custom_components.nomos.planner import PlanRequest, plan
from custom_components.nomos.prices.conversion import price_table
from custom_components.nomos.pricing import PriceTable, local_date, rate_day
from custom_components.nomos.totals import RunningTotal
from custom_components.nomos.usage.ledger import StatisticKind, revisions
from custom_components.nomos.usage.metering import days_and_hours_of, readings_by_day

from .fake_time import FakeTime, LeapingClock
from .hub import enter_account, hub
from .opcount import count_steps, milliseconds
from .planner import MODES
from .samples import FIRST, QUARTER, price_answer, price_sample, reading_sample
from .simulator_process import simulator_process
from .tables import table

SIZES: Final = (96, 192, 960, 9_600)
PLANNED: Final = (96, 192, 960, 9_600)

type Work = Callable[[], object]
type Part = Callable[[int], Work]
"""Prepares work for a number of intervals."""


def parse(count: int) -> Work:
    """Convert the body of a response to a price table."""
    body = json.dumps(price_answer(count)).encode()
    return lambda: price_table(
        PriceSeries.from_json(decode(body, PriceSeries.read_item))
    )


def merge_all(count: int) -> Work:
    """Merge two tables of the same size with different prices."""
    old, new = price_sample(count), price_sample(count, shift=1)
    return lambda: old.merge(new)


def merge_days(count: int) -> Work:
    """Merge today and tomorrow into a table, as for every response."""
    old, new = price_sample(count), price_sample(192, shift=1)
    return lambda: old.merge(new)


def day_statistics(count: int) -> Work:
    """Compute averages, extremes and levels of every day."""
    intervals = price_sample(count).intervals
    days = sorted({local_date(one.start) for one in intervals})

    def work() -> None:
        known = PriceTable(intervals)
        for day in days:
            prices = known.day(day)
            assert prices.average is not None
            assert prices.lowest is not prices.highest
            rate_day(prices)

    return work


def usage_hours(count: int) -> Work:
    """Convert readings to days, hours and the rows to write."""
    readings, known = reading_sample(count), price_sample(count)
    supply = FIRST, FIRST + count * QUARTER
    range_of_days = local_date(FIRST), local_date(supply[1]) + timedelta(days=1)
    rows = {
        FIRST + index * timedelta(hours=1): (0.4, 0.4 * (index + 1))
        for index in range(count // 4)
    }
    account = RunningTotal(rows)

    def work() -> None:
        by_day = readings_by_day(readings, *range_of_days)
        days, hours = days_and_hours_of(by_day, QUARTER, known.between, supply)
        assert days
        assert revisions({StatisticKind.USAGE: account}, hours, {}, selling=False)

    return work


def planning(minutes: int, asked: dict[str, Any]) -> Part:
    """Plan a load within the whole table."""
    options: dict[str, Any] = {
        key: timedelta(minutes=value) if key.startswith("min_") else value
        for key, value in asked.items()
    }

    def made(count: int) -> Work:
        known = price_sample(count)
        end, length = FIRST + count * QUARTER, timedelta(minutes=minutes)
        request = PlanRequest(FIRST, end, length, **options)
        # A new table each time, since a table may cache results.
        return lambda: plan(PriceTable(known.intervals), request, FIRST)

    return made


PARTS: Final[dict[str, Part]] = {
    "parsing a price answer": parse,
    "merging a table with another of its size": merge_all,
    "merging a table with today and tomorrow": merge_days,
    "statistics and levels of all days": day_statistics,
    "usage to days, hours and statistics": usage_hours,
}


async def ticks(folder: Path, sizes: Sequence[int], loads: bool) -> dict[int, int]:
    """Return the steps of all listeners at a boundary, on average over a quarter of a day."""
    found = {}
    now = FIRST + timedelta(hours=6, minutes=1)
    with simulator_process(now, date(2026, 6, 1)) as nomos:
        os.environ["NOMOS_API_URL"] = nomos.url
        fake = FakeTime(now, nomos.move_to)
        with fake.replace_real():
            async with hub(folder, recorder=False) as hass:
                clock = LeapingClock(hass, fake)
                entry = await enter_account(hass, nomos, loads=loads)
                await clock.drive(hass.config_entries.async_setup(entry.entry_id))
                (coordinator,) = entry.runtime_data.prices.values()
                for size in sizes:
                    coordinator.async_set_updated_data(price_sample(size))
                    await clock.settle()
                    boundary, taken = now, []
                    for _ in range(25):
                        boundary += QUARTER
                        fake.move_to(boundary)
                        taken.append(count_steps(coordinator.async_update_listeners))
                        await clock.settle()
                    fake.move_to(now)
                    # The first boundary fills the caches of the new table.
                    found[size] = sum(taken[1:]) // len(taken[1:])
                clock.release()
    return found


def growth(counts: dict[int, int]) -> float:
    """Return the exponent of the growth of the steps."""
    first, *_, last = counts
    return log(counts[last] / counts[first]) / log(last / first)


def _row(name: str, counts: dict[int, int], taken: float | None) -> list[object]:
    first, *_, last = counts
    return [
        name,
        *counts.values(),
        f"{counts[first] / first:.0f} / {counts[last] / last:.0f}",
        f"{growth(counts):.2f}",
        "" if taken is None else f"{taken:.1f}",
    ]


def _measured(name: str, part: Part, sizes: Sequence[int]) -> list[object]:
    works = {size: part(size) for size in sizes}
    counts = {}
    for size, work in works.items():
        # Run once before, so that late imports and compilation do not count.
        work()
        counts[size] = count_steps(work)
    return _row(name, counts, milliseconds(works[sizes[-1]]))


def _heads(sizes: Sequence[int]) -> list[object]:
    return [
        "steps for … intervals",
        *(f"{size:,}" for size in sizes),
        "each interval, least / most",
        "growth",
        "ms, most",
    ]


def _tick_rows() -> Iterator[list[object]]:
    for name, loads in (("a boundary", False), ("a boundary, three loads", True)):
        with TemporaryDirectory() as folder:
            counts = asyncio.run(ticks(Path(folder), SIZES, loads))
        yield _row(name, counts, None)


def report() -> str:
    """Return the figures as Markdown."""
    rows = [_measured(name, part, SIZES) for name, part in PARTS.items()]
    plans = [_measured(name, planning(*mode), PLANNED) for name, mode in MODES.items()]
    return (
        table(_heads(SIZES), [*rows, *_tick_rows()])
        + "\nPlans within the whole table:\n\n"
        + table(_heads(PLANNED), plans)
    )


def main() -> None:
    """Measure all functions, and print the results."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(report())


if __name__ == "__main__":
    main()
