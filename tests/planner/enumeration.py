"""The best plan by plain enumeration, to compare the planner with."""

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
"""What plans are compared by: missing duration, cost (or negative payout), runs, preference; in slots and cents."""


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


def slot_costs(
    table: PriceTable, request: PlanRequest, slot: timedelta
) -> list[int | None]:
    """Return the cost of each slot in which the load may run, in cents; a payout is a negative cost."""
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


_RUN = 1 << 24
_CENT = _RUN << 8
_SLOT = _CENT << 24


def _decode(value: int) -> Value:
    """Decode a value that is stored as a single number (missing duration first) for quick comparison."""
    preference, runs = value % _RUN, value // _RUN % (_CENT // _RUN)
    rest = value // _CENT
    slots = (rest + _SLOT // _CENT // 2) // (_SLOT // _CENT)
    return slots, rest - slots * (_SLOT // _CENT), runs, preference


def best(table: PriceTable, request: PlanRequest, slot: timedelta = SLOT) -> Value:
    """Return the value of the best plan on slot boundaries: tries every run from every slot, backwards."""
    cents = slot_costs(table, request, slot)
    size = len(cents)
    asked = request.duration // slot
    least, pause = max(request.min_run // slot, 1), max(request.min_pause // slot, 1)
    most = 1 if request.contiguous else request.max_runs
    layers = range((most or size) + 1) if most else [0]
    weights = [weight(index, size, request.prefer) for index in range(size)]
    # Indexed by remaining runs, then slot, then remaining slots.
    table_of = {runs: [[0] * (asked + 1) for _ in range(size + 1)] for runs in layers}
    for index in range(size - 1, -1, -1):
        # The cost of each run from here, up to the first slot in which it must end.
        runs_from: list[tuple[int, int, int]] = []
        total = _RUN
        for end in range(index + 1, min(size, index + asked) + 1):
            if (cent := cents[end - 1]) is None:
                break
            total += cent * _CENT + weights[end - 1] - _SLOT
            if end - index >= least:
                runs_from.append((end - index, min(end + pause, size), total))
        for runs in layers:
            here, after = table_of[runs], table_of[runs - 1 if most and runs else runs]
            for left in range(asked + 1):
                found = here[index + 1][left]
                if runs or not most:
                    for length, following, cost in runs_from:
                        if length > left:
                            break
                        found = min(found, after[following][left - length] + cost)
                here[index][left] = found
    return _decode(table_of[most or 0][0][asked])


def weight(slot: int, size: int, prefer: Prefer) -> int:
    """Return the weight of a slot against the preference."""
    return 2 * slot + 1 if prefer is Prefer.EARLY else 2 * (size - slot) - 1


def value(
    result: Plan, table: PriceTable, request: PlanRequest, slot: timedelta = SLOT
) -> Value:
    """Return the value of a plan, after checking that it meets the request."""
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
    cents = slot_costs(table, request, slot)
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
