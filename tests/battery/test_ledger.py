"""What a battery earned, derived from its charge level."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.battery.ledger import GainLedger
from custom_components.nomos.planner.battery import (
    Battery,
    BatteryMode,
    Quarter,
    plan_battery,
)

START = datetime(2026, 6, 10, 20, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
BATTERY = Battery(capacity=10, charge_power=5, discharge_power=5)


def quarters(prices: list[float], needs: list[float]) -> list[Quarter]:
    """Return quarter-hours with prices (EUR/kWh) and needs (kWh)."""
    return [
        Quarter(
            START + index * QUARTER, START + (index + 1) * QUARTER, need, price, 0.08
        )
        for index, (price, need) in enumerate(zip(prices, needs, strict=True))
    ]


def follow(level: float, chosen: list[Quarter]) -> tuple[GainLedger, float]:
    """Return the ledger of a battery that follows its plan, and the plan's gain without its remaining charge."""
    plan = plan_battery(BATTERY, level, chosen)
    ledger = GainLedger().with_reading(BATTERY, START, level)
    for quarter, step in zip(plan.quarters, plan.steps, strict=True):
        ledger = ledger.with_quarter(BATTERY, quarter, step.mode, step.level)
    return ledger, plan.gain


def test_as_planned() -> None:
    """The gain is that of the plan, except for the remaining charge."""
    ledger, gain = follow(0.0, quarters([0.2] * 8 + [0.5] * 16, [0.25] * 24))
    assert gain > 0.3
    assert ledger.month(START) + ledger.pending == pytest.approx(gain, abs=1e-6)
    assert abs(ledger.pending) < 0.05


def test_a_night_of_charging_is_no_loss() -> None:
    """Charging earns or costs nothing until the charge is used."""
    chosen = quarters([0.2] * 8 + [0.5] * 16, [0.25] * 24)
    plan = plan_battery(BATTERY, 0.0, chosen)
    ledger = GainLedger().with_reading(BATTERY, START, 0.0)
    gains = []
    for quarter, step in zip(plan.quarters, plan.steps, strict=True):
        ledger = ledger.with_quarter(BATTERY, quarter, step.mode, step.level)
        gains.append(ledger.month(START))
    assert min(gains) >= -1e-9
    assert gains[7] == 0
    assert ledger.month(START) > 0


def test_held_charge() -> None:
    """Charge that self-use would have used earlier counts once it is used."""
    ledger, gain = follow(4.0, quarters([0.25] * 8 + [0.5] * 16, [0.25] * 24))
    assert gain > 0.1
    assert ledger.month(START) + ledger.pending == pytest.approx(gain, abs=1e-6)


def test_self_use_earns_nothing() -> None:
    """An inverter in self-use earns nothing, whatever the house really needed."""
    ledger = GainLedger().with_reading(BATTERY, START, 5.0)
    for quarter, level in zip(
        quarters([0.3] * 4, [0.1] * 4), (4.6, 4.5, 4.0, 3.9), strict=True
    ):
        ledger = ledger.with_quarter(BATTERY, quarter, BatteryMode.SELF_USE, level)
    assert ledger.month(START) == pytest.approx(0)
    assert ledger.own_level == pytest.approx(3.9)


def test_actual_need_shown_by_a_mode() -> None:
    """A battery that covers the need or stores the surplus shows the real one; the forecast's error earns nothing."""
    gained, lost = BATTERY.charge_efficiency, 1 / BATTERY.discharge_efficiency
    delay, hold = BatteryMode.DELAY_CHARGE, BatteryMode.HOLD
    for mode, expected, moved in (
        (delay, 0.19, -0.06 * lost),
        (delay, 0.19, 0.0),
        (hold, -0.3, 0.1 * gained),
        (hold, -0.3, 0.0),
    ):
        ledger = GainLedger(at=START, level=5.0, own_level=7.0, pending=0.2)
        [quarter] = quarters([0.3], [expected])
        ledger = ledger.with_quarter(BATTERY, quarter, mode, 5.0 + moved)
        assert ledger.own_level == pytest.approx(7.0 + moved)
        assert ledger.month(START) == pytest.approx(0)
        assert ledger.pending == pytest.approx(0.2)


def test_self_use_stops_at_the_reserve() -> None:
    """Even across a gap, self-use is assumed never to have discharged below the reserve."""
    battery = replace(BATTERY, reserve=1.0)
    ledger = GainLedger(at=START - timedelta(hours=1), level=5.0, own_level=1.2)
    assert ledger.with_reading(battery, START, 4.0).own_level == 1.0


@pytest.mark.parametrize("gap", [timedelta(hours=3), -timedelta(hours=1)])
def test_gap(gap: timedelta) -> None:
    """Nothing is booked across a gap in the readings: both levels are assumed to have changed equally."""
    ledger = GainLedger(at=START - gap, level=5.0, own_level=4.0, pending=-0.2)
    [quarter] = quarters([0.3], [0.2])
    ledger = ledger.with_quarter(BATTERY, quarter, BatteryMode.CHARGE, 9.0)
    assert ledger.month(START) == 0
    assert (ledger.level, ledger.own_level, ledger.at) == (9.0, 8.0, quarter.end)
    assert ledger.pending == -0.2


def test_charge_used_in_a_gap() -> None:
    """Charge used in a gap takes its share of the cost along, so the rest earns as if there were no gap."""
    expensive = Quarter(START, START + QUARTER, 0.5, 0.5, 0.08)
    bought = GainLedger(at=START, level=8.0, own_level=0.0, pending=-2.0)
    half = bought.with_reading(BATTERY, START + timedelta(hours=1), 4.0)
    assert half.months == {}
    assert (half.level, half.own_level, half.pending) == (4.0, 0.0, -1.0)
    used = 0.5 / BATTERY.discharge_efficiency
    at = START + timedelta(hours=1)
    for whole, level in ((bought, 8.0), (replace(half, at=START), 4.0)):
        seen = whole.with_quarter(
            BATTERY, expensive, BatteryMode.SELF_USE, level - used
        )
        earned = 0.5 * 0.5 - BATTERY.wear * 0.5 - used * 2 / 8
        assert seen.month(at) == pytest.approx(earned)
    # Nothing is pending once the extra charge is gone; a higher level changes nothing.
    assert bought.with_reading(BATTERY, at, 0.0).pending == 0
    assert bought.with_reading(BATTERY, at, 9.0).pending == -2.0


def test_months() -> None:
    """Each month (German time) has its own gain; thirteen are kept."""
    ledger = GainLedger(months={f"2025-{month:02}": 1.0 for month in range(1, 13)})
    ledger = ledger.with_reading(BATTERY, START, 5.0)
    for days in range(0, 400, 31):
        start = START + timedelta(days=days)
        ledger = ledger.with_reading(BATTERY, start, 5.0)
        quarter = Quarter(start, start + QUARTER, 0.2, 0.3)
        ledger = ledger.with_quarter(BATTERY, quarter, BatteryMode.HOLD, 5.0)
        assert len(ledger.months) <= 14
    assert f"{START:%Y-%m}" in ledger.months
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert GainLedger(months={"2026-07": 3.0}).month(late) == 3.0
