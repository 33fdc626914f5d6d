"""Tests of the battery planner, compared with exhaustive search and checked against a battery's limits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import os
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.nomos.planner.battery import (
    Battery,
    BatteryMode,
    BatteryPlan,
    Quarter,
    Target,
    plan_battery,
)
from tests.planner.battery_enumeration import UNIT, least_cost

START = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
CHANGE = 0.001
"""The least gain for which the planner changes the mode, in EUR."""

CASES = settings(
    deadline=None,
    derandomize=True,
    max_examples=int(os.environ.get("NOMOS_BATTERY_CASES", "150")),
    suppress_health_check=[HealthCheck.too_slow],
)


def quarters(
    prices: Sequence[float],
    needs: Sequence[float],
    payouts: float | Sequence[float] = 0.0,
    *,
    start: datetime = START,
) -> list[Quarter]:
    """Return quarter-hours with prices in EUR/kWh and needs in kWh."""
    if isinstance(payouts, float):
        payouts = [payouts] * len(prices)
    return [
        Quarter(start + index * QUARTER, start + (index + 1) * QUARTER, *rest)
        for index, rest in enumerate(zip(needs, prices, payouts, strict=True))
    ]


def modes(plan: BatteryPlan) -> list[str]:
    """Return the modes of a plan, in order."""
    return [step.mode.value for step in plan.steps]


USUAL = Battery(capacity=10, charge_power=5, discharge_power=5)


@st.composite
def on_levels(draw: st.DrawFn) -> tuple[Battery, float, list[Quarter]]:
    """Draw a battery whose charge stays on the planner's levels, and quarter-hours with all kinds of prices."""
    cents = st.one_of(st.integers(-5, 40), st.sampled_from([0, 10, 30]))
    size = draw(st.integers(1, 8))
    power = st.sampled_from([8, 16, 24]).map(lambda steps: steps * UNIT * 4)
    battery = Battery(
        capacity=10,
        charge_power=draw(power),
        discharge_power=draw(power),
        charge_efficiency=1,
        discharge_efficiency=1,
        reserve=draw(st.sampled_from([0, 0, 1, 5])),
        wear=draw(st.sampled_from([0.0, 0.02, 0.05])),
        from_grid=draw(st.booleans()),
        to_grid=draw(st.booleans()),
    )
    chosen = [
        Quarter(
            START + index * QUARTER,
            START + (index + 1) * QUARTER,
            draw(st.integers(-15, 15)) * UNIT,
            draw(cents) / 100,
            draw(st.one_of(st.just(0), st.integers(-10, 20))) / 100,
            draw(st.sampled_from([True, True, True, False])),
        )
        for index in range(size)
    ]
    return battery, draw(st.integers(0, 100)) * UNIT, chosen


@CASES
@given(on_levels())
def test_as_good_as_exhaustive_search(
    case: tuple[Battery, float, list[Quarter]],
) -> None:
    """No sequence of modes and powers costs less, except that the plan may omit changes that earn next to nothing."""
    battery, level, chosen = case
    best = least_cost(battery, level, chosen)
    cost = plan_battery(battery, level, chosen).cost
    assert best - 1e-9 <= cost <= best + len(chosen) * CHANGE + 1e-9


@CASES
@given(
    on_levels(),
    st.floats(0.7, 1),
    st.floats(0, 0.3),
    st.integers(1, 14 * 60),
    st.sampled_from(BatteryMode),
)
def test_limits_of_the_battery(
    case: tuple[Battery, float, list[Quarter]],
    efficiency: float,
    standby: float,
    seconds: int,
    mode: BatteryMode,
) -> None:
    """A plan respects levels, powers and permissions, its costs are correct, and it is never worse than self-use."""
    battery, level, chosen = case
    battery = replace(
        battery,
        charge_efficiency=efficiency,
        discharge_efficiency=efficiency,
        standby=standby,
    )
    first = chosen[0]
    cut = first._replace(start=first.start + timedelta(seconds=seconds))
    chosen = [cut._replace(need=first.need * (cut.hours / first.hours)), *chosen[1:]]
    beyond = [
        one._replace(start=one.start + 8 * QUARTER, end=one.end + 8 * QUARTER)
        for one in chosen
    ]
    plan = plan_battery(battery, level, chosen, beyond, mode=mode)
    assert plan.quarters == tuple(chosen)
    assert plan.gain >= 0
    before = level
    for quarter, step in zip(plan.quarters, plan.steps, strict=True):
        charged = step.grid - quarter.need + step.discharged
        expected = before + charged * efficiency - step.discharged / efficiency
        expected = min(max(expected - standby * quarter.hours, 0), battery.capacity)
        assert step.level == pytest.approx(expected, abs=1e-9)
        assert min(charged, step.discharged) == pytest.approx(0, abs=1e-9)
        assert -1e-9 <= charged <= battery.charge_power * quarter.hours + 1e-9
        assert (
            -1e-9 <= step.discharged <= battery.discharge_power * quarter.hours + 1e-9
        )
        if step.discharged > 1e-9:
            drawn = step.discharged / efficiency
            assert before - drawn >= battery.reserve - 1e-9
        if step.mode is BatteryMode.CHARGE:
            assert battery.from_grid
            assert quarter.known
            assert step.power == pytest.approx(charged / quarter.hours)
        elif step.mode is BatteryMode.FEED_IN:
            assert battery.to_grid
            assert quarter.known
            assert step.power == pytest.approx(step.discharged / quarter.hours)
        else:
            assert step.power == 0
            assert charged <= max(-quarter.need, 0) + 1e-9
            assert step.discharged <= max(quarter.need, 0) + 1e-9
        price = quarter.price if step.grid > 0 else quarter.payout
        cost = step.grid * price + battery.wear * step.discharged
        assert step.cost == pytest.approx(cost, abs=1e-9)
        before = step.level
    spent = sum(step.cost for step in plan.steps)
    assert plan.cost == pytest.approx(spent - plan.end_value, abs=1e-9)
    assert plan.gain == pytest.approx(plan.cost_self_use - plan.cost, abs=1e-9)


def test_charges_for_expensive_hours() -> None:
    """The battery is charged as much as the expensive hours need, and holds its charge until then."""
    plan = plan_battery(
        USUAL, 0.0, quarters([0.2] * 4 + [0.3] * 4 + [0.45] * 4, [0.25] * 12)
    )
    assert modes(plan) == ["charge"] + ["hold"] * 7 + ["self_use"] * 4 or (
        modes(plan)[:8].count("charge") <= 4 and set(modes(plan)[8:]) == {"self_use"}
    )
    assert plan.steps[7].level == pytest.approx(1 / USUAL.discharge_efficiency, abs=0.1)
    assert plan.steps[-1].level == pytest.approx(0, abs=0.1)


def test_wear_and_losses_must_pay() -> None:
    """A price difference that does not pay for losses and wear is not used."""
    prices = [0.2] * 4 + [0.26] * 4
    assert plan_battery(USUAL, 0.0, quarters(prices, [0.25] * 8)).gain == 0
    spared = replace(USUAL, wear=0.0)
    assert plan_battery(spared, 0.0, quarters(prices, [0.25] * 8)).gain > 0


def test_value_of_the_final_charge() -> None:
    """The battery is not emptied by the end of known prices if the evening after that is expensive."""
    now = quarters([0.3] * 4, [0.25] * 4)
    evening = quarters([0.5] * 8, [0.25] * 8, start=START + 4 * QUARTER)
    cheap = quarters([0.1] * 8, [0.25] * 8, start=START + 4 * QUARTER)
    kept = plan_battery(USUAL, 2.0, now, evening)
    assert kept.steps[-1].level == pytest.approx(2.0)
    assert kept.end_value > 0
    assert kept.gain > 0
    used = plan_battery(USUAL, 2.0, now, cheap)
    assert used.steps[-1].level == pytest.approx(2 - 1 / USUAL.discharge_efficiency)
    assert used.end_value == 0


def test_spare_charge_is_kept_until_the_sun_has_come() -> None:
    """Spare solar power is stored, not sold at once: it may be needed if tomorrow has less, or be sold then."""
    needs = [-1.0] * 8 + [0.25] * 8
    tomorrow = quarters([0.3] * 16, needs, 0.08, start=START + 16 * QUARTER)
    plan = plan_battery(USUAL, 2.0, quarters([0.3] * 16, needs, 0.08), tomorrow)
    assert set(modes(plan)) == {"self_use"}
    # If payouts differ, room is still kept for the solar power with the lower payout.
    payouts = [0.1] * 4 + [0.02] * 4 + [0.0] * 8
    tomorrow = quarters([0.3] * 16, needs, payouts, start=START + 16 * QUARTER)
    plan = plan_battery(USUAL, 7.0, quarters([0.3] * 16, needs, payouts), tomorrow)
    assert set(modes(plan)[:4]) == {"delay_charge"}


def test_keeps_room_for_the_sun() -> None:
    """The morning's solar power is sold if that of noon, which pays nothing, will fill the battery anyway."""
    needs, payouts = [-1.0] * 8 + [0.5] * 8, [0.1] * 4 + [-0.05] * 4 + [0.1] * 8
    small = replace(USUAL, capacity=4.0, from_grid=False)
    plan = plan_battery(small, 0.0, quarters([0.3] * 16, needs, payouts))
    assert set(modes(plan)[:4]) == {"delay_charge"}
    assert set(modes(plan)[4:8]) == {"self_use"}
    assert plan.gain > 0


def test_negative_prices_fill_the_battery() -> None:
    """While the price is negative, the battery charges and does not discharge."""
    plan = plan_battery(
        replace(USUAL, to_grid=True),
        5.0,
        quarters([-0.1] * 8, [0.25] * 8, -0.1),
    )
    assert all(step.discharged == 0 for step in plan.steps)
    assert plan.steps[-1].level == pytest.approx(10)


def test_feeds_in_only_if_allowed() -> None:
    """A payout far above the price is used if the battery may feed in."""
    chosen = quarters([0.1] * 8, [0.0] * 8, [0.0] * 4 + [0.5] * 4)
    assert plan_battery(USUAL, 0.0, chosen).gain == 0
    plan = plan_battery(replace(USUAL, to_grid=True), 0.0, chosen)
    assert modes(plan)[4:] == ["feed_in"] * 4
    assert plan.gain > 0


def test_target() -> None:
    """A target level is reached in time at the lowest cost."""
    prices = [0.4, 0.2, 0.2, 0.4, 0.4, 0.1]
    target = Target(START + 4 * QUARTER, 2.0)
    plan = plan_battery(USUAL, 0.0, quarters(prices, [0.0] * 6), target=target)
    assert plan.steps[3].level == pytest.approx(2.0, abs=0.11)
    assert {step.mode for step in plan.steps if step.power} == {BatteryMode.CHARGE}
    assert [bool(step.power) for step in plan.steps] == [
        False,
        True,
        True,
        *[False] * 3,
    ]


def test_target_beyond_known_prices() -> None:
    """For a target beyond known prices, only as much is charged as could not be charged later."""
    beyond = quarters([0.5] * 2, [0.0] * 2)
    after = [
        one._replace(start=one.start + 4 * QUARTER, end=one.end + 4 * QUARTER)
        for one in beyond
    ]
    known = quarters([0.3] * 4, [0.0] * 4)
    target = Target(START + 6 * QUARTER, 6.0)
    plan = plan_battery(USUAL, 0.0, known, after, target=target)
    reachable = 2 * 0.25 * USUAL.charge_power * USUAL.charge_efficiency
    assert plan.steps[-1].level >= 6.0 - reachable
    assert plan.gain < 0
    assert plan_battery(USUAL, 0.0, known, after).steps[-1].level == 0


def test_target_out_of_reach() -> None:
    """A target that cannot be reached in time is approached as far as possible."""
    target = Target(START + 2 * QUARTER, 9.0)
    plan = plan_battery(USUAL, 0.0, quarters([0.3] * 4, [0.0] * 4), target=target)
    assert modes(plan)[:2] == ["charge", "charge"]


def test_no_flapping() -> None:
    """Nearly equal prices do not cause a change of mode from one quarter-hour to the next."""
    random = Random(5)
    prices = [0.3 + random.uniform(-0.001, 0.001) for _ in range(96)]
    plan = plan_battery(USUAL, 5.0, quarters(prices, [0.1] * 96))
    changes = sum(one != two for one, two in pairwise(modes(plan)))
    assert changes <= 2


@pytest.mark.parametrize("level", [-1.0, 0.0, 10.0, 11.0])
def test_any_level(level: float) -> None:
    """A measured level beyond the bounds counts as empty or full."""
    plan = plan_battery(USUAL, level, quarters([0.2, 0.4] * 4, [0.3, -0.3] * 4, 0.08))
    assert all(0 <= step.level <= 10 for step in plan.steps)


def test_nothing_to_plan() -> None:
    """Without a quarter-hour there is no step and no cost."""
    plan = plan_battery(USUAL, 5.0, [])
    assert (plan.steps, plan.cost, plan.gain) == ((), 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity": 0},
        {"capacity": float("nan")},
        {"charge_power": -1},
        {"discharge_power": float("inf")},
        {"charge_efficiency": 0},
        {"discharge_efficiency": 1.1},
        {"standby": -0.1},
        {"reserve": 11},
        {"wear": -0.01},
    ],
    ids=str,
)
def test_impossible_battery(wrong: dict[str, Any]) -> None:
    """An impossible battery is refused."""
    with pytest.raises(ValueError, match="no such battery"):
        replace(USUAL, **wrong)


@pytest.mark.parametrize("level", [0.05, 0.15, 0.3, 0.5])
def test_high_standby_losses(level: float) -> None:
    """A small battery with high standby losses is planned until it is empty."""
    small = Battery(
        capacity=1, charge_power=3, discharge_power=3, standby=0.1, to_grid=True
    )
    plan = plan_battery(small, level, quarters([0.3] * 4, [0.0] * 4, 0.5))
    assert plan.steps[-1].level == 0


def test_any_battery_is_planned() -> None:
    """Whatever rounding does to a battery's numbers, there is a plan."""
    random = Random(1)
    for _ in range(60):
        battery = Battery(
            capacity=random.randint(1, 300) / 10,
            charge_power=random.randint(1, 100) / 10,
            discharge_power=random.randint(1, 100) / 10,
            charge_efficiency=1,
            discharge_efficiency=1,
            standby=random.choice([0, 0.01, 1]),
            reserve=random.choice([0, 0.1]),
            to_grid=True,
        )
        prices = [random.choice([-0.2, 0.1, 0.6]) for _ in range(2)]
        plan = plan_battery(battery, battery.capacity / 2, quarters(prices, prices))
        assert all(0 <= step.level <= battery.capacity for step in plan.steps)
