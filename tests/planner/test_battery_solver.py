"""Tests of the battery planner against a linear programme that may use any power at any time."""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, settings, strategies as st
import pytest

from benchmarks.battery_solver import optimum
from benchmarks.household import PAYOUT, Setting
from benchmarks.savings import price
from custom_components.nomos.planner.battery import Battery, Quarter, plan_battery
from simulator.berlin import BERLIN
from simulator.market import SyntheticMarket
from tests.planner.test_battery import START

QUARTER = timedelta(minutes=15)
USUAL = Battery(capacity=10, charge_power=5, discharge_power=5)
MARKET = SyntheticMarket(seed=7)


def window(setting: Setting, start: datetime, days: int = 2) -> list[Quarter]:
    """Return some days of a household, with prices of the simulated market."""
    times = [start + step * QUARTER for step in range(96 * days)]
    return [
        Quarter(
            at,
            at + QUARTER,
            setting.need(at),
            price(MARKET.price(at), setting.fee, at.astimezone(BERLIN).hour),
            PAYOUT,
        )
        for at in times
    ]


@pytest.mark.parametrize(
    ("fee", "roof", "share"),
    [
        ("flat", False, 0.99),
        ("module 3", False, 0.99),
        ("flat", True, 0.98),
        ("module 3", True, 0.98),
    ],
)
def test_nearly_as_good_as_any_power(fee: str, *, roof: bool, share: float) -> None:
    """Modes alone gain nearly as much as any power at any time."""
    setting, gained, possible = Setting(fee, roof=roof, knows=True), 0.0, 0.0
    for month in range(1, 13, 2):
        start = datetime(2026, month, 10, tzinfo=UTC)
        quarters = window(setting, start)
        plan = plan_battery(USUAL, 2.0, quarters)
        best, _ = optimum(USUAL, 2.0, quarters)
        assert best <= plan.cost + 1e-6 <= plan.cost_self_use + 2e-6
        gained += plan.gain
        possible += plan.cost_self_use - best
    assert possible > 0.5
    assert gained >= share * possible


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.floats(0.7, 1),
    st.floats(0, 0.1),
    st.booleans(),
    st.booleans(),
)
def test_never_better_than_any_power(
    seed: int, efficiency: float, wear: float, from_grid: bool, to_grid: bool
) -> None:
    """For any prices, payouts and needs, plans are feasible: the solver's optimum is never worse."""
    random = Random(seed)
    battery = Battery(
        capacity=5,
        charge_power=random.uniform(1, 8),
        discharge_power=random.uniform(1, 8),
        charge_efficiency=efficiency,
        discharge_efficiency=efficiency,
        wear=wear,
        from_grid=from_grid,
        to_grid=to_grid,
    )
    quarters = [
        Quarter(
            START + step * QUARTER,
            START + (step + 1) * QUARTER,
            random.uniform(-1, 1),
            random.uniform(-0.1, 0.4),
            random.uniform(-0.05, 0.15),
        )
        for step in range(12)
    ]
    plan = plan_battery(battery, 2.5, quarters)
    best, _ = optimum(battery, 2.5, quarters)
    assert best <= plan.cost + 1e-6
    possible = plan.cost_self_use - best
    assert plan.gain >= 0.5 * possible - 0.02
