"""Tests of periods with real prices of the German auction and the grid fees of households."""

from collections import Counter
from collections.abc import Iterable
import csv
from datetime import UTC, date, datetime, timedelta

import pytest

from custom_components.nomos.pricing import (
    Interval,
    PeriodKind,
    PeriodLimits,
    PriceTable,
    TableLevels,
    local_date,
)
from simulator.tariff import GRID_STANDARD, LEVIES, MARGIN, VAT, grid_fee
from tests.pricing.test_levels import QUARTER
from tests.shared_data import find_shared

FILES = {
    "October": find_shared("data/day_ahead_de_lu_2025-10.csv"),
    "year": find_shared("data/day_ahead_de_lu_2025.csv"),
}
FEES = {"varying": grid_fee, "flat": lambda _: GRID_STANDARD}

EXACT = PeriodLimits(shortest=timedelta(), bridged=timedelta(), most=None)
USUAL = PeriodLimits()
LONG = PeriodLimits(shortest=timedelta(hours=1), bridged=timedelta(hours=1))

pytestmark = pytest.mark.skipif(
    None in FILES.values(), reason="the files of real prices are not here"
)


def prices_of(name, fee) -> PriceTable:
    """Return a household's prices, from a file of market prices."""
    path = FILES[name]
    assert path
    with path.open() as lines:
        market = [
            (datetime.fromisoformat(row["time"]), float(row["price_eur_mwh"]))
            for row in csv.DictReader(lines)
        ]
    return PriceTable.of(
        Interval(
            start.astimezone(UTC),
            start.astimezone(UTC) + QUARTER,
            round((spot / 10 + MARGIN + LEVIES + fee(start)) * VAT / 100, 6),
        )
        for start, spot in market
    )


def switches(levels: TableLevels, kind: PeriodKind) -> Counter[date]:
    """Return how often a sensor of periods switches on each day, updated by the display clock."""
    found = Counter(dict.fromkeys(levels.table.days, 0))
    before = None
    for interval in levels.table.intervals:
        within = levels.within(kind, interval.start)
        found[local_date(interval.start)] += before not in {None, within}
        before = within
    return found


def mean_and_most(counts: Iterable[int]) -> str:
    """Return the mean and the maximum of some counts."""
    counts = list(counts)
    return f"{sum(counts) / len(counts):.1f} (max {max(counts)})"


# The most switches on any day and on average, for cheap and expensive periods.
BOUNDS = {
    ("October", "varying"): ((4, 3), (4, 4)),
    ("October", "flat"): ((4, 3), (4, 4)),
    ("year", "varying"): ((4, 3), (4, 4)),
    ("year", "flat"): ((4, 3), (4, 4)),
}


@pytest.mark.parametrize(("name", "fee"), BOUNDS)
def test_real_quarter_hours(name, fee, report_figures) -> None:
    """No period is shorter than configured, and devices that follow periods switch rarely."""
    table = prices_of(name, FEES[fee])
    by_limits = [TableLevels(table, limits=limits) for limits in (EXACT, USUAL, LONG)]
    usual = by_limits[1]
    for kind, (most, mean) in zip(PeriodKind, BOUNDS[name, fee], strict=True):
        counts = [switches(levels, kind).values() for levels in by_limits]
        report_figures(
            f"{name}, {fee} grid fee, {kind.name.lower()} now: switches a day "
            f"{', '.join(map(mean_and_most, counts))} for no limits, usual and 60 minutes; "
            f"days over 4: {sum(number > 4 for number in counts[1])} of {len(counts[1])}"
        )
        lengths = [one.end - one.start for one in usual.periods(kind)]
        assert min(lengths) >= USUAL.shortest
        assert max(counts[1]) <= most
        assert sum(counts[1]) <= mean * len(counts[1])
        assert sum(counts[2]) <= sum(counts[1]) < sum(counts[0])
