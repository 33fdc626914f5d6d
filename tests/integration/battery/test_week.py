"""Days of a house whose battery follows its plan, in a real Home Assistant: the bill compared with self-use."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from benchmarks.household import apply_mode
from custom_components.nomos.planner.battery import Battery, BatteryMode, Quarter
from homeassistant.core import HomeAssistant
from tests.integration.battery.helpers import add, batteries_of, report, state_of
from tests.integration.helpers import Advance

pytestmark = pytest.mark.usefixtures("german_hub")

QUARTER = timedelta(minutes=15)
DAYS = 2
REAL = Battery(capacity=10, charge_power=5, discharge_power=5)
"""A battery without the dialog's default reserve, as in the benchmark."""


async def test_some_days(hass: HomeAssistant, linked, advance: Advance) -> None:
    """The bill is lower than with self-use by the ledger's gain, despite a reload and an hour without a level."""
    entry = await linked()
    report(hass, 20)
    battery = await add(hass, entry, reserve=0)
    chance, level, own_level = Random(3), 2.0, 2.0
    bill = own_bill = 0.0
    now = datetime.now(UTC)
    await advance(QUARTER - timedelta(minutes=now.minute % 15, seconds=now.second))
    for step in range(96 * DAYS):
        batteries = batteries_of(entry)
        assert batteries is not None
        [live] = batteries.all.values()
        start = datetime.now(UTC)
        assert live.coordinator is not None
        assert live.plan is not None or step in range(60, 66)
        price = live.coordinator.data.at(start).price or 0.0
        # The real need always differs from the forecast.
        need = 0.12 * chance.uniform(0.5, 1.5) * (2.5 if 15 <= start.hour < 20 else 1)
        quarter = Quarter(start, start + QUARTER, need, price)
        mode = BatteryMode(state_of(hass, battery).state)
        power = (
            float(state_of(hass, battery, "charging_power").state or 0)
            if live.plan
            else 0
        )
        level, cost = apply_mode(quarter, level, mode, power)
        own_level, own_cost = apply_mode(quarter, own_level, BatteryMode.SELF_USE, 0)
        bill, own_bill = bill + cost, own_bill + own_cost
        report(hass, "unavailable" if step in range(58, 62) else 100 * level / 10)
        if step == 100:
            assert await hass.config_entries.async_reload(entry.entry_id)
        await advance(QUARTER)
    # Charge beyond that of self-use is valued at a medium price, 20 ct/kWh.
    bill -= (level - own_level) * 0.9 * 0.2
    assert bill < own_bill
    booked = float(state_of(hass, battery, "gain_this_month").state)
    assert booked == pytest.approx(own_bill - bill, abs=0.25)
