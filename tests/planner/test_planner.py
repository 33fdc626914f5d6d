"""Tests of the figures of plans, and of requests that cannot be planned."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from custom_components.nomos.planner import (
    Objective,
    PlanRequest,
    PlanStatus,
    Prefer,
    Run,
    duration_for,
    plan,
)
from custom_components.nomos.pricing import (
    EMPTY_TABLE,
    TARIFF_ZONE,
    Components,
    PriceTable,
    day_bounds,
)
from tests.planner import enumeration

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUARTER = 15 * MINUTE
HOUR = timedelta(hours=1)


def make_table(
    *cents: float | None,
    length: timedelta = QUARTER,
    start: datetime = START,
    components: Components = enumeration.NO_COMPONENTS,
) -> PriceTable:
    """Return a table of prices in cents, from the full hour on."""
    return enumeration.make_table(cents, length, start, components)


def ask(duration: timedelta, *, last: timedelta = 2 * HOUR, **kwargs: Any):
    """Return a request for a window from the start of the table."""
    return PlanRequest(START, START + last, duration, **kwargs)


def minutes(*runs: tuple[int, int]) -> tuple[Run, ...]:
    """Return runs by their minutes from the start of the table."""
    return tuple(
        Run(start=START + start * MINUTE, end=START + end * MINUTE)
        for start, end in runs
    )


def test_job_that_is_no_multiple_of_the_interval() -> None:
    """Forty minutes on quarter-hours end or start inside an interval, whichever is cheaper."""
    table = make_table(9, 9, 3, 1, 2, 9, 9, 9)
    result = plan(table, ask(40 * MINUTE), START)
    assert result.runs == minutes((35, 75))
    result = plan(make_table(9, 9, 2, 1, 3, 9, 9, 9), ask(40 * MINUTE), START)
    assert result.runs == minutes((30, 70))


def test_figures_of_a_plan() -> None:
    """Cost, energy, averages, savings and components follow from the slices."""
    parts = Components(electricity=0.05, grid=0.1, levies=None)
    table = make_table(40, 30, 20, 10, length=HOUR, components=parts)
    result = plan(
        table, ask(90 * MINUTE, last=4 * HOUR, power_kw=2.0), START + HOUR / 2
    )
    assert result.status is PlanStatus.COMPLETE
    assert result.runs == minutes((150, 240))
    assert [(piece.price, piece.energy_kwh, piece.cost) for piece in result.slices] == [
        (0.2, 1.0, 0.2),
        (0.1, 2.0, 0.2),
    ]
    assert result.cost == pytest.approx(0.4)
    assert result.energy == pytest.approx(3)
    assert result.average_price == pytest.approx(0.4 / 3)
    assert result.component_cost.electricity == pytest.approx(0.15)
    assert result.component_cost.grid == pytest.approx(0.3)
    assert result.component_cost.levies is None
    assert result.cost_if_now == pytest.approx(0.4 + 0.3 * 2)
    assert result.saving_vs_now == pytest.approx(0.6)
    average = (0.4 / 2 + 0.3 + 0.2 + 0.1) / 3.5
    assert result.cost_at_average == pytest.approx(average * 3)
    assert result.saving_vs_average == pytest.approx(average * 3 - 0.4)
    assert (result.start, result.end) == (result.runs[0].start, result.runs[0].end)
    assert not result.provisional
    assert result.unknown == ()
    with pytest.raises(FrozenInstanceError):
        result.cost = 0.0  # type: ignore[misc]


def test_power_profile() -> None:
    """The step with the highest power is put where electricity is cheap; slices follow the steps."""
    table = make_table(5, 5, 1, 5, 5, 5, 5, 5)
    profile = ((10 * MINUTE, 0.5), (15 * MINUTE, 2.0), (10 * MINUTE, 0.0))
    result = plan(table, ask(35 * MINUTE, profile=profile), START)
    assert result.runs == minutes((20, 55))
    assert [piece.power_kw for piece in result.slices] == [0.5, 2.0, 0.0]
    assert result.energy == pytest.approx(0.5 / 6 + 0.5)
    assert result.cost == pytest.approx(0.05 * 0.5 / 6 + 0.01 * 0.5)
    assert result.cost_if_now == pytest.approx(0.05 * 0.5 / 6 + 0.05 * 2 / 4)


def test_power_profile_is_never_cut() -> None:
    """A profile that does not fit as a whole is not planned at all."""
    profile = ((10 * MINUTE, 0.5), (25 * MINUTE, 2.0))
    result = plan(
        make_table(5, 5, None, 5), ask(35 * MINUTE, profile=profile, last=HOUR), START
    )
    assert result.status is PlanStatus.INFEASIBLE
    assert (result.runs, result.planned) == ((), timedelta(0))
    assert result.cost_if_now is None
    assert result.saving_vs_now is None
    assert result.saving_vs_average is None
    assert result.average_price is None


@pytest.mark.parametrize(
    ("prefer", "contiguous", "expected"),
    [
        (Prefer.EARLY, True, (0, 40)),
        (Prefer.LATE, True, (80, 120)),
        (Prefer.EARLY, False, (0, 40)),
        (Prefer.LATE, False, (80, 120)),
    ],
)
def test_preference_among_equals(
    prefer: Prefer, contiguous: bool, expected: tuple[int, int]
) -> None:
    """On a flat day the preference decides, although floats differ in their last digits."""
    table = make_table(*[30, 10 + 20.00000000001] * 4)
    result = plan(table, ask(40 * MINUTE, contiguous=contiguous, prefer=prefer), START)
    assert result.runs == minutes(expected)


def test_price_cap_plans_less() -> None:
    """Nothing runs above the cap; the plan is shorter and says so."""
    table = make_table(9, 2, 9, 3, 1, 9, 9, 9)
    result = plan(table, ask(HOUR, contiguous=False, price_cap=0.03), START)
    assert result.status is PlanStatus.SHORT
    assert result.runs == minutes((15, 30), (45, 75))
    assert result.planned == 45 * MINUTE
    assert result.cost_if_now == pytest.approx((0.09 + 0.02 + 0.09) / 4)
    result = plan(table, ask(HOUR, price_cap=0.03), START)
    assert result.runs == minutes((45, 75))
    result = plan(table, ask(HOUR, price_cap=0.03, min_run=31 * MINUTE), START)
    assert result.status is PlanStatus.INFEASIBLE
    for cap in (0.0, -float("inf")):
        assert not plan(table, ask(HOUR, price_cap=cap), START).runs


def test_highest_payout() -> None:
    """On a feed-in contract, the highest payouts above the floor are used, and the extra income is the gain."""
    table = make_table(4, 9, 2, 8, 7, 1)
    paid = ask(3 * QUARTER, contiguous=False, objective=Objective.HIGHEST, power_kw=4.0)
    result = plan(table, paid, START)
    assert result.objective is Objective.HIGHEST
    assert result.runs == minutes((15, 30), (45, 75))
    assert result.cost == pytest.approx(0.24)
    assert result.average_price == pytest.approx(0.08)
    assert result.saving_vs_now == pytest.approx(0.24 - 0.15)
    assert result.saving_vs_average == pytest.approx(0.24 - 3 * 0.31 / 6)
    result = plan(table, replace(paid, contiguous=True), START)
    assert result.runs == minutes((15, 60))
    result = plan(table, replace(paid, price_floor=0.08), START)
    assert result.status is PlanStatus.SHORT
    assert result.runs == minutes((15, 30), (45, 60))
    assert not plan(table, replace(paid, price_floor=float("inf")), START).runs
    result = plan(table, replace(paid, price_floor=-float("inf")), START)
    assert result.status is PlanStatus.COMPLETE


def test_negative_prices_do_not_prolong_a_run() -> None:
    """The load uses only what was requested, and earns money with it."""
    result = plan(make_table(0, -5, -5, -5, 0, 3, 3, 3), ask(2 * QUARTER), START)
    assert result.runs == minutes((15, 45))
    assert result.cost == pytest.approx(-0.025)


def test_unknown_prices_are_not_planned_into() -> None:
    """Gaps, unknown prices and time beyond the horizon are reported and not used."""
    table = PriceTable.of(
        [
            *make_table(5, None, 4, float("nan")).intervals,
            *make_table(3, 3, start=START + 5 * QUARTER).intervals,
        ]
    )
    result = plan(table, ask(3 * QUARTER), START)
    assert result.status is PlanStatus.SHORT
    assert result.runs == minutes((75, 105))
    assert result.provisional
    assert result.unknown == (
        (START + QUARTER, START + 2 * QUARTER),
        (START + 3 * QUARTER, START + 5 * QUARTER),
        (START + 7 * QUARTER, START + 8 * QUARTER),
    )
    assert result.cost_if_now is None
    assert result.saving_vs_now is None
    assert not plan(table, ask(QUARTER, last=7 * QUARTER), START).provisional


def test_nothing_known() -> None:
    """Without prices there is no plan, and the whole window is unknown."""
    result = plan(EMPTY_TABLE, ask(HOUR), START)
    assert result.status is PlanStatus.INFEASIBLE
    assert result.provisional
    assert result.unknown == ((START, START + 2 * HOUR),)
    assert result.cost_at_average is None


def test_window_that_is_too_short_or_past() -> None:
    """A window shorter than the duration is filled; for a past window, nothing is planned."""
    table = make_table(*range(8))
    result = plan(table, ask(3 * HOUR), START)
    assert (result.status, result.planned) == (PlanStatus.SHORT, 2 * HOUR)
    result = plan(table, ask(HOUR), START + 90 * MINUTE)
    assert result.runs == minutes((90, 120))
    for contiguous in (True, False):
        result = plan(table, ask(HOUR, contiguous=contiguous), START + 2 * HOUR)
        assert result.status is PlanStatus.INFEASIBLE
        assert result.unknown == ()
        assert not result.provisional
    for contiguous in (True, False):
        past = ask(HOUR, last=QUARTER, contiguous=contiguous)
        assert plan(table, past, START + 20 * MINUTE).runs == ()


def test_nothing_requested() -> None:
    """A request without any duration is met by an empty plan."""
    result = plan(make_table(1, 2), ask(timedelta(0)), START)
    assert (result.status, result.runs, result.cost) == (PlanStatus.COMPLETE, (), 0)


def test_partial_interval_joins_a_run() -> None:
    """A partial interval is used next to an adjoining run, even against the preference."""
    table = make_table(9, 2, 1, 9, 9, 9, 9, 9)
    result = plan(table, ask(20 * MINUTE, contiguous=False), START)
    assert result.runs == minutes((25, 45))
    table = make_table(2, 9, 2, 1, 9, 9, 9, 9)
    result = plan(table, ask(20 * MINUTE, contiguous=False), START)
    assert result.runs == minutes((40, 60))


def test_fewest_runs_among_equals() -> None:
    """Among equal prices, those that connect runs are chosen."""
    table = make_table(2, 9, 1, 2, 1, 9, 9, 2)
    result = plan(table, ask(45 * MINUTE, contiguous=False), START)
    assert result.runs == minutes((30, 75))


def test_begun_steps_count_as_full() -> None:
    """Duration, minimum run and pause are rounded up to five minutes, but no run is longer than the load needs."""
    table = make_table(1, 9, 1, 9, 9, 9, 9, 9)
    half = timedelta(seconds=30)
    request = ask(
        30 * MINUTE, contiguous=False, min_run=14 * MINUTE + half, min_pause=half
    )
    assert plan(table, request, START).runs == minutes((0, 15), (30, 45))
    request = ask(40 * MINUTE + half, contiguous=False, min_run=40 * MINUTE + half)
    result = plan(table, request, START)
    assert (result.status, result.planned) == (PlanStatus.COMPLETE, 45 * MINUTE)
    request = ask(35 * MINUTE, contiguous=False, min_run=16 * MINUTE)
    assert plan(table, request, START).runs == minutes((0, 35))
    request = ask(40 * MINUTE, contiguous=False, min_run=16 * MINUTE)
    assert plan(table, request, START).runs == minutes((0, 20), (25, 45))


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({}, 10),
        ({"max_runs": 2}, 10),
        ({"min_run": 10 * MINUTE}, 10),
        ({"min_pause": 5 * MINUTE}, 10),
        ({"max_runs": 1}, 7.5),
        ({"contiguous": True, "min_run": 10 * MINUTE}, 7.5),
    ],
)
def test_window_off_the_grid(options: dict[str, Any], start: float) -> None:
    """Several runs keep to five-minute marks, as prices do; one run starts at any instant."""
    table = make_table(1, 1, 9, 9, 9, 9, 9, 9)
    request = ask(15 * MINUTE, **{"contiguous": False, **options})
    opens = START + 7.5 * MINUTE
    assert plan(table, request, opens).start == START + start * MINUTE
    later = replace(request, earliest=opens)
    assert plan(table, later, START).start == START + start * MINUTE


def test_window_off_the_grid_that_is_needed_in_full() -> None:
    """If the five-minute marks leave too little time, the first run may start when the window opens."""
    table = make_table(1, None, *[5] * 6)
    opens = START + 7 * MINUTE
    request = ask(112 * MINUTE, contiguous=False)
    result = plan(table, request, opens)
    assert result.runs == minutes((7, 12), (32, 117))
    assert result.cost == pytest.approx((5 * 1 + 85 * 5) / 60 / 100)


def test_prices_off_the_grid() -> None:
    """A slot over a boundary of prices costs its share of both."""
    table = make_table(1, 9, 5, 9, length=timedelta(minutes=7))
    result = plan(table, ask(10 * MINUTE, contiguous=False), START)
    assert result.runs == minutes((0, 5), (15, 20))
    assert result.cost == pytest.approx((5 * 1 + 5 * 5) / 60 / 100)


def test_duration_between_one_and_two_minimum_runs() -> None:
    """If one run is too short and two are too long, as much as possible is planned."""
    table = make_table(1, 1, 1, 1, None, 1, 1, 1, 1)
    request = PlanRequest(
        START, START + 9 * QUARTER, 90 * MINUTE, contiguous=False, min_run=50 * MINUTE
    )
    result = plan(table, request, START)
    assert (result.status, result.planned) == (PlanStatus.SHORT, HOUR)


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2026, 3, 29), 92), (date(2026, 6, 1), 96), (date(2026, 10, 25), 100)],
)
def test_days_of_every_length(day: date, count: int) -> None:
    """A day is planned to its last interval, however long it is."""
    first, last = day_bounds(day)
    table = make_table(*range(count, 0, -1), start=first)
    request = PlanRequest(
        first.astimezone(TARIFF_ZONE), last.astimezone(TARIFF_ZONE), HOUR
    )
    result = plan(table, request, first)
    assert result.runs == (Run(start=last - HOUR, end=last),)
    assert not result.unknown
    everything = PlanRequest(first, last, count * QUARTER, contiguous=False)
    assert plan(table, everything, first).runs == (Run(start=first, end=last),)


@pytest.mark.parametrize(
    "changes",
    [
        {"latest": START - HOUR},
        {"duration": -HOUR},
        {"min_run": -HOUR},
        {"min_pause": -HOUR},
        {"min_run": 2 * HOUR},
        {"max_runs": 0},
        {"power_kw": float("nan")},
        {"power_kw": float("inf")},
        {"power_kw": 0.0},
        {"profile": ()},
        {"profile": ((HOUR, 1.0),), "contiguous": False},
        {"profile": ((HOUR, -1.0),)},
        {"profile": ((HOUR, float("nan")),)},
        {"profile": ((HOUR, 1.0), (timedelta(0), 1.0))},
        {"profile": ((2 * HOUR, 1.0),)},
    ],
)
def test_bad_requests(changes: dict[str, Any]) -> None:
    """A contradictory request is refused."""
    good: dict[str, Any] = {
        "earliest": START,
        "latest": START + 2 * HOUR,
        "duration": HOUR,
    }
    with pytest.raises(ValueError, match="contradicts itself"):
        PlanRequest(**(good | changes))


def test_repeated_hour_is_in_order() -> None:
    """Earliest and latest are compared as instants, not by the wall clock."""
    earliest = datetime(2026, 10, 25, 2, 30, tzinfo=TARIFF_ZONE)
    latest = datetime(2026, 10, 25, 2, 15, fold=1, tzinfo=TARIFF_ZONE)
    table = make_table(3, 2, 1, 4, start=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    result = plan(
        table,
        PlanRequest(earliest, latest, QUARTER),
        datetime(2026, 10, 24, tzinfo=UTC),
    )
    assert result.start == datetime(2026, 10, 25, 1, 0, tzinfo=UTC)


def test_duration_for() -> None:
    """The duration for an energy is rounded up to seconds."""
    assert duration_for(11, 11) == HOUR
    assert duration_for(0.1, 0.3) == 20 * MINUTE
    assert duration_for(10, 11) == timedelta(seconds=3273)
    assert duration_for(0, 11) == timedelta(0)
