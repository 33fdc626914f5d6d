"""The best plan by plain enumeration, to hold the planner against."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from custom_components.nomos.planner import (
    Objective,
    Plan,
    PlanRequest,
    PlanStatus,
    Prefer,
)
from custom_components.nomos.pricing import Components, Interval, PriceTable

START = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
NO_COMPONENTS = Components()
SLOT = timedelta(minutes=5)
type Value = tuple[int, int, int, int]
"""What plans are compared by: less duration, cost (less payout), runs, preference; in slots and cents."""


def make_table(
    cents: Iterable[float | None],
    length: timedelta = QUARTER,
    start: datetime = START,
    components: Components = NO_COMPONENTS,
) -> PriceTable:
    """Return a table of intervals of one length with prices in cents."""
    return PriceTable.of(
        Interval(
            start + index * length,
            start + (index + 1) * length,
            None if cent is None else cent / 100,
            components,
        )
        for index, cent in enumerate(cents)
    )


def cut(table: PriceTable, request: PlanRequest, slot: timedelta) -> list[int | None]:
    """Return what each slot of the window in which the load may run costs, in cents; a payout costs less than nothing."""
    cents: list[int | None] = []
    at = request.earliest
    while at < request.latest:
        interval = table.at(at)
        price = interval.price if interval else None
        if price is None or not within(request, price):
            cents.append(None)
        else:
            paid = request.objective is Objective.HIGHEST
            cents.append(round(-price * 100 if paid else price * 100))
        at += slot
    return cents


def within(request: PlanRequest, price: float) -> bool:
    """Return whether a load may run at a price."""
    cap, floor = request.price_cap, request.price_floor
    return (cap is None or price <= cap) and (floor is None or price >= floor)


def best(table: PriceTable, request: PlanRequest, slot: timedelta = SLOT) -> Value:
    """Return the value of the best plan with all edges on slots: every run from every slot, from the back."""
    cents = cut(table, request, slot)
    size = len(cents)
    asked = request.duration // slot
    least, pause = max(request.min_run // slot, 1), max(request.min_pause // slot, 1)
    most = 1 if request.contiguous else request.max_runs
    layers = range((most or size) + 1) if most else [0]
    nothing = (0, 0, 0, 0)
    table_of: dict[tuple[int, int, int], Value] = {}

    def later(index: int, left: int, runs: int) -> Value:
        return table_of[min(index, size), left, runs]

    for index in range(size, -1, -1):
        for left in range(asked + 1):
            for runs in layers:
                if index == size:
                    table_of[index, left, runs] = nothing
                    continue
                found = later(index + 1, left, runs)
                cost = preference = 0
                for end in range(index + 1, min(size, index + left) + 1):
                    if (cent := cents[end - 1]) is None or (most and not runs):
                        break
                    cost += cent
                    preference += weight(end - 1, size, request.prefer)
                    if end - index >= least:
                        rest = later(
                            end + pause, left - end + index, runs - 1 if most else 0
                        )
                        found = min(
                            found,
                            (
                                rest[0] - end + index,
                                rest[1] + cost,
                                rest[2] + 1,
                                rest[3] + preference,
                            ),
                        )
                table_of[index, left, runs] = found
    return table_of[0, asked, (most or 0)]


def weight(slot: int, size: int, prefer: Prefer) -> int:
    """Return how much a slot weighs against the preference."""
    return 2 * slot + 1 if prefer is Prefer.EARLY else 2 * (size - slot) - 1


def value(
    result: Plan, table: PriceTable, request: PlanRequest, slot: timedelta = SLOT
) -> Value:
    """Return the value of a plan, having checked that it keeps what was asked."""
    runs = result.runs
    assert all(run.start < run.end for run in runs)
    assert all(one.end < two.start for one, two in pairwise(runs))
    assert all(
        request.earliest <= run.start and run.end <= request.latest for run in runs
    )
    assert all(run.duration >= request.min_run for run in runs)
    if not request.contiguous:
        assert all(
            two.start - one.end >= request.min_pause for one, two in pairwise(runs)
        )
    assert request.max_runs is None or len(runs) <= request.max_runs
    assert not request.contiguous or len(runs) <= 1
    planned = sum((run.duration for run in runs), timedelta(0))
    assert result.planned == planned <= request.duration
    assert (result.status is PlanStatus.COMPLETE) == (planned == request.duration)
    assert (result.status is PlanStatus.INFEASIBLE) == (
        not planned and bool(request.duration)
    )
    assert result.cost == pytest.approx(sum(piece.cost for piece in result.slices))
    assert sum((piece.end - piece.start for piece in result.slices), timedelta(0)) == (
        planned
    )
    for piece in result.slices:
        interval = table.at(piece.start)
        assert interval is not None
        assert piece.end <= interval.end
        assert piece.price == interval.price
        assert within(request, piece.price)
    cents = cut(table, request, slot)
    used = [
        (run.start - request.earliest) / slot + offset
        for run in runs
        for offset in range(run.duration // slot)
    ]
    assert all(at == int(at) for at in used)
    taken = [cents[int(at)] for at in used]
    return (
        -(planned // slot),
        sum(cent for cent in taken if cent is not None),
        len(runs),
        sum(weight(int(at), len(cents), request.prefer) for at in used),
    )
