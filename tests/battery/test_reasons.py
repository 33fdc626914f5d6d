"""The sentences that say why a battery does what it does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from custom_components.nomos.battery.plan import HomePlan
from custom_components.nomos.battery.reasons import (
    NoPlanReason,
    reason_for_mode,
    reason_without_plan,
)
from custom_components.nomos.planner.battery import Battery, Quarter, plan_battery

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 6, 10, 8, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
BATTERY = Battery(capacity=10, charge_power=5, discharge_power=5)


def reason(
    level: float,
    prices: list[float],
    needs: list[float],
    *,
    payout: float = 0.0,
    language: str = "en",
    **allowed: bool,
) -> str:
    """Return the reason for the first step of a battery's plan."""
    battery = Battery(capacity=10, charge_power=5, discharge_power=5, **allowed)
    chosen = [
        Quarter(
            START + index * QUARTER, START + (index + 1) * QUARTER, need, price, payout
        )
        for index, (price, need) in enumerate(zip(prices, needs, strict=True))
    ]
    plan = HomePlan(START, level, plan_battery(battery, level, chosen))
    return reason_for_mode(plan, START + timedelta(minutes=3), level, ZONE, language)


def test_hold() -> None:
    """It says how much is held, for which hours and at which price."""
    prices, needs = [0.25] * 8 + [0.41] * 12, [0.35] * 20
    english = "Holds 4.1 kWh for 12:00 to 15:00, at 41 ct/kWh."
    assert reason(4.1, prices, needs, from_grid=False) == english
    german = "Hält 4,1 kWh für 12:00 bis 15:00 bei 41 ct/kWh zurück."
    assert reason(4.1, prices, needs, from_grid=False, language="de") == german


def test_charge() -> None:
    """It says until when it charges, at which price, and for what."""
    text = reason(0.0, [0.22] * 4 + [0.28] * 4 + [0.45] * 12, [0.3] * 20)
    assert text.startswith("Charges until ")
    assert " at 22 ct/kWh, for 12:00 to 15:00 at 45 ct/kWh." in text


def test_covers_the_house() -> None:
    """When self-use discharges, it says until when and at which price."""
    text = reason(9.0, [0.3, 0.5, 0.4, 0.3], [0.3] * 4)
    assert text == "Covers the house until 11:00, at up to 50 ct/kWh."


def test_nothing_better() -> None:
    """An empty battery that waits says so."""
    assert reason(0.0, [0.3] * 4, [0.3] * 4) == (
        "Left to itself: nothing earns more until 11:00."
    )


def test_delay() -> None:
    """It says that the sun goes to the grid, and until when."""
    text = reason(8.0, [0.3] * 12, [-1.0] * 6 + [-1.5] * 2 + [0.5] * 4, payout=0.1)
    assert text.startswith(("Leaves the sun", "Left to itself"))
    battery = Battery(capacity=2, charge_power=5, discharge_power=5, from_grid=False)
    chosen = [
        Quarter(START + index * QUARTER, START + (index + 1) * QUARTER, need, 0.3, paid)
        for index, (need, paid) in enumerate(
            [(-1.0, 0.1)] * 4 + [(-1.0, -0.05)] * 4 + [(0.5, 0.1)] * 4
        )
    ]
    plan = HomePlan(START, 0.0, plan_battery(battery, 0.0, chosen))
    assert reason_for_mode(plan, START, 0.0, ZONE, "en") == (
        "Leaves the sun to the grid until 11:00, and keeps room for later."
    )


def test_feed_in() -> None:
    """It says how much feeding in pays."""
    text = reason(9.0, [0.1] * 4, [0.0] * 4, payout=0.5, to_grid=True)
    assert text == "Feeds in until 11:00, for 50 ct/kWh."


@pytest.mark.parametrize("cause", NoPlanReason)
def test_no_plan(cause: NoPlanReason) -> None:
    """Each cause has a sentence in both languages that says what happens as a result."""
    waits = cause in (NoPlanReason.PLANNING, NoPlanReason.STARTING)
    end = "nothing changes." if waits else "left to itself."
    assert reason_without_plan(cause, "en").endswith(end)
    german = "ändert sich nichts." if waits else "sich selbst überlassen."
    assert reason_without_plan(cause, "de-AT").endswith(german)


def test_after_the_end_of_a_plan() -> None:
    """A plan that has ended counts as none."""
    plan = HomePlan(START, 0.0, plan_battery(BATTERY, 0.0, []))
    assert reason_for_mode(plan, START, 0.0, ZONE, "en") == reason_without_plan(
        NoPlanReason.NO_PRICES, "en"
    )
    assert plan.step(START) is None
    assert plan.level_at(START) is None
    assert plan.next_change(START) is None


def test_no_negative_zero() -> None:
    """A price just below zero is shown as 0, not -0."""
    text = reason(0.0, [-0.002] * 4 + [0.45] * 12, [0.3] * 16)
    assert "at 0 ct/kWh" in text
