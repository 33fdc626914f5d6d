"""Tests of plans that use the house's own solar power, compared with every possible run."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.loads.plan import LoadPlan, LoadStatus, Task
from custom_components.nomos.loads.planning import plan_load
from custom_components.nomos.loads.settings import LoadSettings
from custom_components.nomos.planner import Run
from custom_components.nomos.planner.expected import EnergyForecast
from custom_components.nomos.planner.own_sun import OwnSun
from custom_components.nomos.pricing import TARIFF_ZONE, Interval, PriceTable
from tests.planner.surplus import HOUR, SLOT, SLOTS, Surplus, surpluses
from tests.planner.test_own_sun import CASES

ZERO = timedelta()
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def load(**changes: Any) -> LoadSettings:
    """Return the settings of a load that uses the house's own solar power: 2 kW for one hour."""
    usual = {"duration": {"minutes": 60}, "power": 2.0, "own_sun": True}
    return LoadSettings.of(usual | changes)


def whole(house: Surplus) -> Task:
    """Return a task whose window spans everything that is known."""
    return Task(opens=house.at(0), closes=house.at(SLOTS))


def slots(house: Surplus, run: Run) -> range:
    """Return the slots of a run that begins and ends on slot boundaries."""
    first, end = ((at - house.start) // SLOT for at in (run.start, run.end))
    assert house.at(first) == run.start
    assert house.at(end) == run.end
    return range(first, end)


def costs(house: Surplus, power: float) -> list[float]:
    """Return the cost of each slot; all prices are known."""
    found = [house.cost(slot, power) for slot in range(SLOTS)]
    assert None not in found
    return [one or 0.0 for one in found]


@CASES
@given(surpluses(known=True), st.sampled_from([0.5, 2.0, 7.5]), st.booleans())
def test_no_run_in_one_go_is_cheaper(house: Surplus, power: float, late: bool) -> None:
    """The plan's cost is the rise of the bill, no other start costs less, and its savings are correct."""
    settings = load(power=power, prefer="late" if late else "early")
    made = plan_load(
        settings, whole(house), HOUR, house.table, house.start, TARIFF_ZONE,
        sun=house.own,
    )  # fmt: skip
    [run] = made.runs
    of = costs(house, power)
    starts = [sum(of[first : first + 12]) for first in range(SLOTS - 11)]
    assert made.cost == pytest.approx(sum(of[one] for one in slots(house, run)))
    assert made.cost == pytest.approx(min(starts), abs=1e-7)
    assert made.saving == pytest.approx(starts[0] - min(starts), abs=1e-6)
    mean = sum(of) / SLOTS * 12
    assert made.saving_vs_average == pytest.approx(mean - min(starts), abs=1e-6)


@CASES
@given(surpluses(known=True), st.sampled_from([0.5, 2.0, 7.5]))
def test_no_runs_with_pauses_are_cheaper(house: Surplus, power: float) -> None:
    """A load that may pause gets the cheapest slots, each taken by itself."""
    settings = load(power=power, contiguous=False)
    made = plan_load(
        settings, whole(house), HOUR, house.table, house.start, TARIFF_ZONE,
        sun=house.own,
    )  # fmt: skip
    of = costs(house, power)
    assert made.cost == pytest.approx(sum(sorted(of)[:12]), abs=1e-7)
    taken = [one for run in made.runs for one in slots(house, run)]
    assert made.cost == pytest.approx(sum(of[one] for one in taken), abs=1e-9)


@CASES
@given(surpluses(known=True))
def test_two_loads_are_planned_one_after_the_other(house: Surplus) -> None:
    """The second load costs what the bill rises on top of the first: no solar power is used twice."""
    settings = load(contiguous=False)
    plans: list[LoadPlan] = []
    own, bill = house.own, 0.0
    for power in (2.0, 3.0):
        made = plan_load(
            replace(settings, power=power), whole(house), HOUR, house.table,
            house.start, TARIFF_ZONE, sun=own,
        )  # fmt: skip
        own = replace(own, runs=(*own.runs, *((run, power) for run in made.runs)))
        plans.append(made)
    taken = [{one for run in made.runs for one in slots(house, run)} for made in plans]
    for slot in range(SLOTS):
        power = sum(kw for kw, of in zip((2.0, 3.0), taken, strict=True) if slot in of)
        bill += house.cost(slot, power) or 0.0
    assert sum(made.cost or 0.0 for made in plans) == pytest.approx(bill, abs=1e-7)


@CASES
@given(surpluses(known=True), st.integers(-10, 45))
def test_cap_applies_to_the_price_paid(house: Surplus, cents: int) -> None:
    """A load may run at a high price if the sun covers it, but never pays more than its limit."""
    settings = load(contiguous=False, price_cap=cents)
    made = plan_load(
        settings, whole(house), HOUR, house.table, house.start, TARIFF_ZONE,
        sun=house.own,
    )  # fmt: skip
    energy = 2.0 * (SLOT / HOUR)
    allowed = [one for one in costs(house, 2.0) if one / energy <= cents / 100 + 1e-9]
    length = sum((run.duration for run in made.runs), ZERO)
    assert length == min(HOUR, len(allowed) * SLOT)
    assert (made.cost or 0.0) == pytest.approx(sum(sorted(allowed)[:12]), abs=1e-7)


@CASES
@given(surpluses(), st.booleans())
def test_without_sun_nothing_changes(house: Surplus, contiguous: bool) -> None:
    """If the forecast has vanished, the plan is that of a load that does not use solar power."""
    settings, gone = (
        load(contiguous=contiguous),
        replace(house.own, sun=EnergyForecast()),
    )
    arguments = whole(house), HOUR, house.table, house.start, TARIFF_ZONE
    plain = plan_load(settings, *arguments)
    made = plan_load(settings, *arguments, sun=gone)
    assert made.solar_share in (None, 0)
    assert made.status is plain.status
    if plain.cost is not None:
        assert made.cost == pytest.approx(plain.cost)
    assert [run.duration for run in made.runs] == [run.duration for run in plain.runs]


NOON = datetime(2026, 6, 10, 10, tzinfo=UTC)


def table(start: datetime, *prices: float | None) -> PriceTable:
    """Return hourly prices."""
    return PriceTable.of(
        Interval(start + hour * HOUR, start + (hour + 1) * HOUR, price)
        for hour, price in enumerate(prices)
    )


def sunny(start: datetime, powers: list[float], payouts: PriceTable) -> OwnSun:
    """Return hourly solar power of a house without any need."""
    rows = [(start + hour * HOUR, power) for hour, power in enumerate(powers)]
    nothing = [(start + hour * HOUR, 0.0) for hour in range(48)]
    return OwnSun(
        house=EnergyForecast.of(nothing), sun=EnergyForecast.of(rows), payouts=payouts
    )


@pytest.mark.parametrize("rains", [False, True])
def test_before_tomorrow_is_published_its_sun_counts(rains: bool) -> None:
    """Today's prices stand in for tomorrow's, but solar power is forecast for tomorrow itself."""
    # Today at noon the price is 30 ct and there is no sun; the window ends tomorrow afternoon.
    known = table(NOON, *[0.30] * 14)
    sun = [0.0] * 24 + [0.0 if rains else 5.0] * 4 + [0.0] * 20
    own = sunny(NOON, sun, table(NOON, *[0.08] * 14))
    task = Task(opens=NOON, closes=NOON + DAY + 4 * HOUR)
    made = plan_load(load(), task, HOUR, known, NOON, TARIFF_ZONE, sun=own)
    if rains:
        assert made.runs == (Run(start=NOON, end=NOON + HOUR),)
        assert made.cost == pytest.approx(0.6)
        assert made.solar_share == 0
    else:
        assert made.status is LoadStatus.PROVISIONAL
        assert not made.runs or made.runs[0].start >= NOON + DAY
        assert made.cost is None


def test_a_published_price_without_its_payout_is_paid_in_full() -> None:
    """While tomorrow's payout is unknown, no cost is shown and the full price counts for a price limit."""
    known = table(NOON, *[0.30] * 48)
    own = sunny(NOON, [5.0] * 48, table(NOON, *[0.08] * 2, *[None] * 46))
    task = Task(opens=NOON + DAY, closes=NOON + DAY + 4 * HOUR)
    made = plan_load(load(), task, HOUR, known, NOON, TARIFF_ZONE, sun=own)
    assert made.cost == pytest.approx(0.6)
    assert made.solar_share == 0
    capped = plan_load(
        load(price_cap=20), task, HOUR, known, NOON, TARIFF_ZONE, sun=own
    )
    assert capped.status is LoadStatus.ABOVE_CAP


def test_run_that_goes_on_is_shown_with_its_sun() -> None:
    """Cost and solar share cover the whole task, including what has already run."""
    known = table(NOON, *[0.30] * 14)
    own = sunny(NOON, [1.0, 2.0, 0.0] + [0.0] * 45, table(NOON, *[0.1] * 14))
    run = Run(start=NOON + 30 * MINUTE, end=NOON + 90 * MINUTE)
    task = Task(opens=NOON, closes=NOON + 4 * HOUR, runs=(run,))
    now = NOON + HOUR
    made = plan_load(load(), task, 30 * MINUTE, known, now, TARIFF_ZONE, sun=own)
    assert made.runs == (run,)
    assert made.cost == pytest.approx(0.5 * 0.3 + 1.5 * 0.1)
    assert made.solar_share == pytest.approx(0.75)


def test_own_sun_requires_a_power() -> None:
    """Without a known power, the part that the sun covers cannot be calculated."""
    with pytest.raises(ValueError, match="no_power_for_sun"):
        load(power=None)
    assert load().own_sun
    assert not LoadSettings.of({"duration": {"minutes": 60}}).own_sun
