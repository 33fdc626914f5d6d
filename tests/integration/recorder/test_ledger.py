"""What a load saved, as the recorder's long-term statistic of it."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
    statistics_during_period,
)

from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.components.recorder import history
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance
from tests.integration.loads.helpers import press, put, shown, switch, until

FIVE_MINUTES = timedelta(minutes=5)
ODD = timedelta(seconds=43)


@pytest.fixture
def usage_known() -> bool:
    """Import no usage meanwhile."""
    return True


async def sum_of(hass: HomeAssistant, name: str) -> float:
    """Let the recorder work out the last five minutes; return the running total."""
    await async_wait_recording_done(hass)
    now = datetime.now(UTC)
    start = now - timedelta(minutes=now.minute % 5) - FIVE_MINUTES
    start = start.replace(second=0, microsecond=0)
    do_adhoc_statistics(hass, start=start)
    await async_wait_recording_done(hass)
    rows = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(
            hass, start, period="5minute", statistic_ids={name}
        )
    )
    total: float = rows[name][-1]["sum"]
    return total


@pytest.mark.usefixtures("german_hub")
async def test_savings_add_up_over_months(
    hass: HomeAssistant, nomos, linked, advance: Advance, freezer
) -> None:
    """The sum of a month begins at zero, the statistic goes on; a run by hand adds nothing."""
    assert await async_setup_component(hass, "sensor", {})
    entry = await linked()
    load_id = await put(
        hass, entry, duration={"hours": 2}, repeat="on_demand", within=6, power=1.5
    )
    name = shown(hass, load_id, "saved_this_month").entity_id
    total, months = 0.0, []
    await advance(FIVE_MINUTES)
    assert await sum_of(hass, name) == 0
    for start in (datetime(2026, 6, 12, 9), datetime(2026, 7, 3, 9)):
        freezer.move_to(start.replace(tzinfo=TARIFF_ZONE).astimezone(UTC) + ODD)
        await advance(timedelta(minutes=20))
        assert float(shown(hass, load_id, "saved_this_month").state) == 0
        await switch(hass, load_id, on=True)
        end = datetime.fromisoformat(shown(hass, load_id, "next_end").state)
        await until(advance, end + ODD)
        months.append(float(shown(hass, load_id, "saved_this_month").state))
        assert months[-1] > 0
        await press(hass, load_id, "start_now")
        await advance(timedelta(hours=2) + ODD)
        total += months[-1]
        await advance(2 * FIVE_MINUTES)
        assert await sum_of(hass, name) == pytest.approx(total, abs=1e-3)
    start = datetime.now(UTC) - timedelta(days=30)
    states = await get_instance(hass).async_add_executor_job(
        lambda: history.get_significant_states(hass, start, None, [name])
    )
    written = [one.state for one in states[name] if one.state != "unavailable"]
    assert len(written) <= 6, "one for each run, each month and the start"
