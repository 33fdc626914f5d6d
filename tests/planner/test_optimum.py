"""Tests that the planner finds the optimum in every mode, compared with plain enumeration."""

from dataclasses import replace
from datetime import timedelta
import os
from random import Random
from typing import Any

from hypothesis import HealthCheck, assume, given, settings, strategies as st
import pytest

from custom_components.nomos.planner import (
    Objective,
    Plan,
    PlanRequest,
    PlanStatus,
    Prefer,
    plan,
)
from custom_components.nomos.pricing import PriceTable
from tests.planner.enumeration import (
    QUARTER,
    SLOT,
    START,
    best,
    make_table,
    slot_costs,
    value,
)

CASES = settings(
    deadline=None,
    derandomize=True,
    max_examples=int(os.environ.get("NOMOS_PLANNER_CASES", "250")),
    suppress_health_check=[HealthCheck.too_slow],
)


@st.composite
def cases(draw: st.DrawFn, *, contiguous: bool) -> tuple[PriceTable, PlanRequest]:
    """Draw a small table with ties, gaps and negative prices, and a request whose times are on slots."""
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
        objective=draw(st.sampled_from(Objective)),
    )


@CASES
@given(cases(contiguous=True))
def test_contiguous_is_optimal(case: tuple[PriceTable, PlanRequest]) -> None:
    """A single run costs as little as the best of all runs, and follows the preference."""
    table, request = case
    result = plan(table, request, request.earliest)
    assert value(result, table, request) == best(table, request)


@CASES
@given(cases(contiguous=False))
def test_interruptible_is_optimal(case: tuple[PriceTable, PlanRequest]) -> None:
    """Runs under constraints are the best of all in duration, cost, number and preference."""
    table, request = case
    result = plan(table, request, request.earliest)
    assert value(result, table, request) == best(table, request)


@CASES
@given(cases(contiguous=False))
def test_unconstrained_is_optimal(case: tuple[PriceTable, PlanRequest]) -> None:
    """Without constraints, the cheapest time is used, in as few runs as possible."""
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
    st.sampled_from(Objective),
)
def test_profile_is_optimal(
    cents: list[int | None],
    steps: list[tuple[int, int]],
    skipped: int,
    prefer: Prefer,
    objective: Objective,
) -> None:
    """A power profile starts where its total cost is lowest."""
    table = make_table(cents)
    powers = [power for length, power in steps for _ in range(length)]
    request = PlanRequest(
        START + skipped * SLOT,
        START + len(cents) * QUARTER,
        len(powers) * SLOT,
        profile=tuple((length * SLOT, float(power)) for length, power in steps),
        prefer=prefer,
        objective=objective,
    )
    slots = slot_costs(table, request, SLOT)
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
    cost = -least if objective is Objective.HIGHEST else least
    assert result.cost == pytest.approx(cost / 100 / 12)
    assert result.energy == pytest.approx(sum(powers) / 12)


@CASES
@given(cases(contiguous=False), st.integers(0, 299), st.integers(1, 1500))
def test_odd_seconds(
    case: tuple[PriceTable, PlanRequest], seconds: int, more: int
) -> None:
    """At odd seconds, the plan is at least as good as on the inner slots, and at most as good as on the outer ones."""
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
    return (-more if one.objective is Objective.HIGHEST else more) <= 1e-9


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
    """With one constraint less, a plan is never shorter, nor more expensive for the same duration."""
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
    """The highest payout is the lowest cost at negated prices, and its gain equals that saving."""
    table, request = case
    cap, floor = request.price_cap, request.price_floor
    paid = plan(table, replace(request, objective=Objective.HIGHEST), START)
    upside_down = replace(
        request,
        objective=Objective.LOWEST,
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


@st.composite
def days(draw: st.DrawFn) -> tuple[PriceTable, PlanRequest]:
    """Draw a longer table and a request for much of it, or more than there is."""
    cents = draw(
        st.lists(
            st.one_of(st.integers(5, 25), st.sampled_from([None, 10, 20])),
            min_size=12,
            max_size=40,
        )
    )
    size = 3 * len(cents)
    first = draw(st.integers(0, 5))
    last = draw(st.integers(size - 10, size))
    return make_table(cents), PlanRequest(
        START + first * SLOT,
        START + last * SLOT,
        draw(st.integers(12, last - first)) * SLOT,
        contiguous=False,
        min_run=draw(st.integers(0, 6)) * SLOT,
        min_pause=draw(st.integers(0, 6)) * SLOT,
        max_runs=draw(st.sampled_from([None, 2, 3, 4])),
        price_cap=draw(st.sampled_from([None, None, 0.15, 0.2])),
        prefer=draw(st.sampled_from(Prefer)),
    )


@CASES
@given(days())
def test_much_of_a_day_is_optimal(case: tuple[PriceTable, PlanRequest]) -> None:
    """In a long window with a long duration, the best plan is found, too."""
    table, request = case
    result = plan(table, request, request.earliest)
    assert value(result, table, request) == best(table, request)


def test_more_than_boundaries_allow() -> None:
    """A duration is planned that requires runs to start or end inside intervals."""
    table = make_table([20, 30, None, 30, 20])
    request = PlanRequest(
        START,
        START + 5 * QUARTER,
        8 * SLOT,
        contiguous=False,
        min_pause=7 * SLOT,
        max_runs=3,
    )
    result = plan(table, request, START)
    assert result.status is PlanStatus.COMPLETE
    assert value(result, table, request) == best(table, request)


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
    """For two whole days, with few or many different prices, the result equals the enumeration's."""
    random = Random(7)
    for span, quarters in ((4, 13), (40, 14), (4000, 11)):
        table = make_table([random.randint(0, span) for _ in range(192)])
        request = PlanRequest(
            START, START + 192 * QUARTER, quarters * QUARTER, prefer=prefer, **modes
        )
        result = plan(table, request, START)
        assert value(result, table, request, QUARTER) == best(table, request, QUARTER)


def test_two_days_in_slots() -> None:
    """With settings that are not multiples of the interval, the result equals the enumeration's."""
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
