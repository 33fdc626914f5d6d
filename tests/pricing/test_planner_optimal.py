"""The planner finds the optimum: held against plain enumeration, in every mode."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import os
from random import Random
from typing import Any

from hypothesis import HealthCheck, assume, given, settings, strategies as st
import pytest

from custom_components.nomos.pricing import (
    Goal,
    Interval,
    Plan,
    PlanRequest,
    PlanStatus,
    Prefer,
    PriceTable,
    plan,
)

START = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
SLOT = timedelta(minutes=5)
CASES = settings(
    deadline=None,
    derandomize=True,
    max_examples=int(os.environ.get("NOMOS_PLANNER_CASES", "250")),
    suppress_health_check=[HealthCheck.too_slow],
)

type Value = tuple[int, int, int, int]
"""What plans are compared by: less duration, cost (less payout), runs, preference; in slots and cents."""


def make_table(
    cents: Sequence[int | None], length: timedelta = QUARTER, start: datetime = START
) -> PriceTable:
    """Return a table of intervals of one length with prices in cents."""
    return PriceTable.of(
        Interval(
            start + index * length,
            start + (index + 1) * length,
            None if cent is None else cent / 100,
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
            paid = request.goal is Goal.HIGHEST
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
    assert result.shortfall == request.duration - planned
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


@st.composite
def cases(draw: st.DrawFn, *, contiguous: bool) -> tuple[PriceTable, PlanRequest]:
    """Draw a small table with ties, holes and negative prices and a request whose times are on slots."""
    hours = draw(st.booleans())
    cents = draw(
        st.lists(
            st.one_of(
                st.integers(-2, 3), st.integers(-9, 40), st.sampled_from([0, 5, None])
            ),
            min_size=1,
            max_size=4 if hours else 12,
        )
    )
    table = make_table(cents, timedelta(hours=1) if hours else QUARTER)
    size = len(cents) * (12 if hours else 3)
    # The window may start before the table does and end after it.
    first = draw(st.integers(-2, size - 1))
    last = draw(st.integers(first + 1, size + 2))
    asked = draw(st.integers(1, min(last - first + 2, 24)))
    least = draw(st.one_of(st.just(0), st.integers(0, asked)))
    return table, PlanRequest(
        START + first * SLOT,
        START + last * SLOT,
        asked * SLOT,
        contiguous=contiguous,
        min_run=least * SLOT,
        min_pause=draw(st.one_of(st.just(0), st.integers(0, 6))) * SLOT,
        max_runs=draw(st.sampled_from([None, None, 1, 2, 3])),
        price_cap=draw(st.sampled_from([None, None, 0.05, 0.1, 0.0])),
        price_floor=draw(st.sampled_from([None, None, None, 0.0, 0.05])),
        prefer=draw(st.sampled_from(Prefer)),
        goal=draw(st.sampled_from(Goal)),
    )


@CASES
@given(cases(contiguous=True))
def test_contiguous_is_optimal(case: tuple[PriceTable, PlanRequest]) -> None:
    """One run costs what the best of all runs costs, and lies where the preference wants it."""
    table, request = case
    result = plan(table, request, request.earliest)
    assert value(result, table, request) == best(table, request)


@CASES
@given(cases(contiguous=False))
def test_interruptible_is_optimal(case: tuple[PriceTable, PlanRequest]) -> None:
    """Runs under constraints are the best of all: in duration, cost, number and preference."""
    table, request = case
    result = plan(table, request, request.earliest)
    assert value(result, table, request) == best(table, request)


@CASES
@given(cases(contiguous=False))
def test_unconstrained_is_optimal(case: tuple[PriceTable, PlanRequest]) -> None:
    """Without constraints the cheapest time is filled, in as few runs as that allows."""
    table, request = case
    request = replace(
        request, min_run=timedelta(0), min_pause=timedelta(0), max_runs=None
    )
    result = plan(table, request, request.earliest)
    assert value(result, table, request) == best(table, request)


@CASES
@given(
    st.lists(st.one_of(st.integers(-5, 30), st.none()), min_size=1, max_size=16),
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=5
    ).filter(lambda steps: any(power for _, power in steps)),
    st.integers(0, 2),
    st.sampled_from(Prefer),
    st.sampled_from(Goal),
)
def test_profile_is_optimal(
    cents: list[int | None],
    steps: list[tuple[int, int]],
    skipped: int,
    prefer: Prefer,
    goal: Goal,
) -> None:
    """A power profile starts where the sum over its slots is the least."""
    table = make_table(cents)
    powers = [power for length, power in steps for _ in range(length)]
    request = PlanRequest(
        START + skipped * SLOT,
        START + len(cents) * QUARTER,
        len(powers) * SLOT,
        profile=tuple((length * SLOT, float(power)) for length, power in steps),
        prefer=prefer,
        goal=goal,
    )
    slots = cut(table, request, SLOT)
    costs = {
        first: sum(
            cent * power
            for cent, power in zip(slots[first:], powers, strict=False)
            if cent is not None
        )
        for first in range(len(slots) - len(powers) + 1)
        if None not in slots[first : first + len(powers)]
    }
    result = plan(table, request, START)
    if not costs:
        assert result.status is PlanStatus.INFEASIBLE
        return
    least = min(costs.values())
    firsts = [first for first, cost in costs.items() if cost == least]
    first = min(firsts) if prefer is Prefer.EARLY else max(firsts)
    assert result.start == request.earliest + first * SLOT
    cost = -least if goal is Goal.HIGHEST else least
    assert result.cost == pytest.approx(cost / 100 / 12)
    assert result.energy == pytest.approx(sum(powers) / 12)


@CASES
@given(cases(contiguous=False), st.integers(0, 299), st.integers(1, 1500))
def test_no_grid_is_assumed(
    case: tuple[PriceTable, PlanRequest], seconds: int, more: int
) -> None:
    """At odd seconds no plan on the slots inside is better, and none on the slots outside is worse."""
    table, request = case
    odd = replace(
        request,
        earliest=request.earliest + timedelta(seconds=seconds),
        latest=request.latest + timedelta(seconds=seconds),
        duration=request.duration + timedelta(seconds=more),
        price_cap=None,
        price_floor=None,
    )
    assume(odd.min_run * 2 < odd.duration)
    found = plan(table, odd, START - timedelta(days=1))
    wider = replace(odd, earliest=request.earliest, latest=odd.latest + SLOT)
    better = plan(table, wider, START - timedelta(days=1))
    assert better.planned >= found.planned
    if better.planned == found.planned:
        assert no_worse(better, found)


def no_worse(one: Plan, two: Plan) -> bool:
    """Return whether a plan costs no more than another, or earns no less."""
    more = one.cost - two.cost
    return (-more if one.goal is Goal.HIGHEST else more) <= 1e-9


@CASES
@given(
    cases(contiguous=False),
    st.sampled_from(
        ["min_run", "min_pause", "max_runs", "price_cap", "price_floor", "contiguous"]
    ),
)
def test_a_constraint_is_never_cheaper(
    case: tuple[PriceTable, PlanRequest], name: str
) -> None:
    """A constraint less never means less planned, nor more to pay for the same."""
    table, request = case
    free: dict[str, Any] = {
        "min_run": timedelta(0),
        "min_pause": timedelta(0),
        "max_runs": None,
        "price_cap": None,
        "price_floor": None,
        "contiguous": False,
    }
    tight = replace(request, contiguous=name == "contiguous")
    bound = plan(table, tight, START - timedelta(days=1))
    loose = plan(table, replace(tight, **{name: free[name]}), START - timedelta(days=1))
    if name == "contiguous" and request.min_run:
        assume(bound.status is PlanStatus.COMPLETE)
    assert loose.planned >= bound.planned
    if loose.planned == bound.planned:
        assert no_worse(loose, bound)


@settings(CASES, max_examples=250)
@given(st.booleans().flatmap(lambda whole: cases(contiguous=whole)))
def test_highest_is_lowest_upside_down(case: tuple[PriceTable, PlanRequest]) -> None:
    """To be paid the most is to pay the least at the prices with the other sign, and gains what that saves."""
    table, request = case
    cap, floor = request.price_cap, request.price_floor
    paid = plan(table, replace(request, goal=Goal.HIGHEST), START)
    upside_down = replace(
        request,
        goal=Goal.LOWEST,
        price_cap=None if floor is None else -floor,
        price_floor=None if cap is None else -cap,
    )
    turned = PriceTable.of(
        replace(one, price=None if one.price is None else -one.price)
        for one in table.intervals
    )
    cost = plan(turned, upside_down, START)
    assert paid.runs == cost.runs
    assert paid.cost == pytest.approx(-cost.cost)
    for gained, saved in (
        (paid.saving_vs_now, cost.saving_vs_now),
        (paid.saving_vs_average, cost.saving_vs_average),
    ):
        assert gained == (None if saved is None else pytest.approx(saved))


TWO_DAYS = [
    {"contiguous": True},
    {"contiguous": False},
    {"contiguous": False, "min_run": 2 * QUARTER, "min_pause": QUARTER},
    {"contiguous": False, "min_run": 3 * QUARTER, "min_pause": 4 * QUARTER},
    {"contiguous": False, "max_runs": 2},
    {"contiguous": False, "max_runs": 3, "min_run": QUARTER, "min_pause": 2 * QUARTER},
]


@pytest.mark.parametrize("modes", TWO_DAYS)
@pytest.mark.parametrize("prefer", Prefer)
def test_two_days_of_quarters(modes: dict[str, Any], prefer: Prefer) -> None:
    """Two whole days, with few different prices and with many, agree with the slow way."""
    random = Random(7)
    for span, quarters in ((4, 13), (40, 14), (4000, 11)):
        table = make_table([random.randint(0, span) for _ in range(192)])
        request = PlanRequest(
            START, START + 192 * QUARTER, quarters * QUARTER, prefer=prefer, **modes
        )
        result = plan(table, request, START)
        assert value(result, table, request, QUARTER) == best(table, request, QUARTER)


def test_two_days_in_slots() -> None:
    """A duration, a minimum run and a pause that are no multiples of the interval agree with the slow way."""
    random = Random(3)
    table = make_table([random.randint(-5, 30) for _ in range(192)])
    request = PlanRequest(
        START + SLOT,
        START + 192 * QUARTER,
        13 * SLOT,
        contiguous=False,
        min_run=4 * SLOT,
        min_pause=2 * SLOT,
    )
    assert value(plan(table, request, START), table, request) == best(table, request)
