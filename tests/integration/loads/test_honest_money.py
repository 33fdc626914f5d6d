"""Tests that savings are not overstated: only what really ran counts, compared with times that were possible."""

from datetime import UTC, datetime, timedelta

import pytest

from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance, restart
from tests.integration.loads.appliances import (
    DAYTIME,
    IN_VAIN,
    Plug,
    by_hand,
    in_mid_run,
)
from tests.integration.loads.helpers import moment, press, put, shown, switch, until

pytestmark = pytest.mark.usefixtures("german_hub", "entity_registry_enabled_by_default")

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def last_energy(hass: HomeAssistant, load: str) -> float:
    """Return the energy of the last run, in kWh."""
    energy: float = shown(hass, load, "last_cost").attributes["energy"]
    return energy


async def finish_run(hass: HomeAssistant, advance: Advance, load: str) -> None:
    """Wait until the run is over and booked."""
    await until(advance, moment(hass, load, "next_end") + 2 * MINUTE)


async def test_a_device_that_never_obeys(
    hass: HomeAssistant, linked, advance: Advance, give_time, plug: Plug
) -> None:
    """Nothing is booked: no energy, cost or saving."""
    load = await put(hass, await linked(), devices=[plug.entity_id], power=2, **DAYTIME)
    plug.disobeys = 1000
    await until(advance, moment(hass, load, "next_start"))
    await give_time(IN_VAIN)
    await finish_run(hass, advance, load)
    assert last_energy(hass, load) == 0
    assert float(shown(hass, load, "last_cost").state) == 0
    assert float(shown(hass, load, "saved_this_month").state) == 0


async def test_a_device_that_obeys(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """It used its power times the run time."""
    load = await in_mid_run(hass, advance, await linked(), plug, power=2)
    await finish_run(hass, advance, load)
    assert last_energy(hass, load) == pytest.approx(4)


@pytest.mark.parametrize("reboot", [False, True])
async def test_switched_off_by_hand_for_a_while(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug, reboot
) -> None:
    """Time with the device off does not count, even across a restart; while unavailable, its last state holds."""
    entry = await linked()
    load = await in_mid_run(hass, advance, entry, plug, power=2)
    plug.go(away=True)
    await advance(10 * MINUTE)
    plug.go(away=False)
    await by_hand(hass, plug.entity_id, "turn_off")
    await advance(15 * MINUTE)
    if reboot:
        await restart(hass, entry)
    plug.go(away=True)
    await advance(15 * MINUTE)
    plug.go(away=False)
    await by_hand(hass, plug.entity_id, "turn_on")
    await finish_run(hass, advance, load)
    assert last_energy(hass, load) == pytest.approx(2 * 1.5)


async def test_off_to_the_end(
    hass: HomeAssistant, linked, advance: Advance, plug: Plug
) -> None:
    """A device switched off by hand is booked until then, and the next run counts again."""
    load = await in_mid_run(hass, advance, await linked(), plug, power=2)
    await advance(10 * MINUTE)
    await by_hand(hass, plug.entity_id, "turn_off")
    await finish_run(hass, advance, load)
    assert last_energy(hass, load) == pytest.approx(0.5)
    await press(hass, load, "start_now")
    await finish_run(hass, advance, load)
    assert last_energy(hass, load) == pytest.approx(4)


def window_start(hass: HomeAssistant, load: str) -> datetime:
    """Return the start of the planned window."""
    window = shown(hass, load, "run_now", "binary_sensor").attributes["window"]
    return datetime.fromisoformat(window["start"])


async def test_nothing_is_saved_before_a_load_was_there(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """A load that is added or switched on during its window could not have started earlier."""
    entry = await linked()
    now = datetime.now(UTC)
    load = await put(hass, entry, power=1, **(DAYTIME | {"start": "00:00:00"}))
    assert window_start(hass, load) == now
    await advance(5 * MINUTE)
    await restart(hass, entry)
    assert window_start(hass, load) == now
    await switch(hass, load, on=False)
    await advance(5 * MINUTE)
    await switch(hass, load, on=True)
    assert window_start(hass, load) == datetime.now(UTC)
    await until(advance, datetime(2026, 6, 10, 16, 5, tzinfo=UTC))
    # The next window opens at its configured time.
    assert window_start(hass, load) == datetime(2026, 6, 10, 22, tzinfo=UTC)
