"""Tests of a car whose need follows from its charge sensor."""

from datetime import UTC, date, datetime, timedelta
import json

import pytest

from custom_components.nomos.diagnostics import async_get_config_entry_diagnostics
from custom_components.nomos.loads.plan import LoadStatus
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from tests.integration.helpers import Advance, restart
from tests.integration.loads.helpers import (
    fill_in,
    open_form,
    runs_now,
    shown,
    status,
    suggested,
)
from tests.integration.loads.house import (
    CAPACITY,
    CAR,
    CHARGE,
    DOOR,
    HOUR,
    PLUG,
    POWER,
    STEP,
    TARGET,
    House,
    add,
    berlin,
    is_asked,
)

pytestmark = pytest.mark.usefixtures("german_hub")


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("silent", ["", "before", "always"])
async def test_from_the_plug_to_the_target(
    hass: HomeAssistant, nomos, linked, advance: Advance, restarts, silent
) -> None:
    """It holds across the publication of tomorrow's prices and a sensor that goes silent, for a while or for good."""
    entry = await linked()
    house = House(hass, advance, 30)
    await house.plug("off")
    house.load = load = await add(hass, entry, CAR)
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
    assert not is_asked(hass, load)
    await house.until(berlin(10, 11))
    if silent:
        house.says = lambda _: "unavailable"
    await house.until(berlin(10, 11, 10))
    await house.plug("on")
    assert is_asked(hass, load)
    assert status(hass, load) in {LoadStatus.PROVISIONAL, LoadStatus.RUNNING}
    await house.until(berlin(10, 15))
    assert status(hass, load) in {LoadStatus.PLANNED, LoadStatus.RUNNING}
    while house.charge < 45:
        await house.until(datetime.now(UTC) + STEP)
    if restarts:
        await restart(hass, entry)
    if silent == "before":
        house.says = str
    while is_asked(hass, load):
        await house.until(datetime.now(UTC) + STEP)
        assert datetime.now(UTC) < berlin(11, 7)
    assert house.charge == pytest.approx(80, abs=1.6)
    assert status(hass, load) == LoadStatus.DONE
    before = len(house.ran)
    await house.until(berlin(11, 12))
    assert len(house.ran) == before
    assert not is_asked(hass, load)


async def test_cheapest_time_for_the_missing_energy(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """30 % of 60 kWh take two hours at 10 kW, since only 90 % of the energy gets into the battery."""
    entry = await linked()
    house = House(hass, advance, 50)
    await house.plug("on")
    await house.until(berlin(10, 15))
    house.load = load = await add(hass, entry, CAR)
    assert status(hass, load) == LoadStatus.PLANNED
    runs = shown(hass, load, "run_now", "binary_sensor").attributes["runs"]
    length = sum(
        (
            datetime.fromisoformat(one["end"]) - datetime.fromisoformat(one["start"])
            for one in runs
        ),
        timedelta(),
    )
    assert length == 2 * HOUR
    # It comes home with a lower charge than assumed when it was plugged in.
    house.charge = 35
    await house.until(berlin(10, 15, 5))
    assert shown(hass, load, "status").attributes["planned_share"] == 100
    await house.until(berlin(11, 7))
    assert house.charge == pytest.approx(80, abs=1.6)
    assert len(house.ran) == pytest.approx(36, abs=2)


async def test_car_that_charges_slower_than_configured(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Its sensor shows this, and its plan becomes longer."""
    entry = await linked()
    house = House(hass, advance, 40)
    house.power = POWER / 2
    await house.plug("on")
    house.load = await add(hass, entry, CAR)
    await house.until(berlin(11, 7))
    assert house.charge > 75
    # The power is remembered, so the next night's plan is long enough from the start.
    await house.plug("off")
    house.charge = 25
    house.report()
    subentry = entry.subentries[house.load]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "start": "22:00:00"}
    )
    await restart(hass, entry)
    await house.until(berlin(11, 18))
    await house.plug("on")
    await house.until(berlin(12, 7))
    assert house.charge == pytest.approx(80, abs=1.6)
    # At a full-power charger, the plan becomes shorter again.
    house.power = POWER
    await house.plug("off")
    house.charge = 40
    house.report()
    await house.until(berlin(12, 18))
    await house.plug("on")
    await house.until(berlin(13, 7))
    readings = entry.runtime_data.loads.all[house.load].sensors.readings
    assert readings.pace.power >= POWER


async def test_a_car_that_refuses(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Its charge does not rise: charging is tried until the deadline, and again before the next one."""
    entry = await linked()
    house = House(hass, advance, 70)
    house.power = 0
    await house.plug("on")
    house.load = load = await add(hass, entry, CAR)
    await house.until(berlin(11, 6, 55))
    assert len(house.ran) * STEP > 3 * HOUR
    assert is_asked(hass, load)
    house.power = POWER
    await house.until(berlin(12, 7))
    assert house.charge == pytest.approx(80, abs=1.6)
    assert not is_asked(hass, load)


async def test_lowest_charge(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The car is charged up to it at once, even before its window and above its price limit; the rest waits."""
    entry = await linked()
    house = House(hass, advance, 14)
    await house.plug("on")
    await house.until(berlin(10, 15))
    house.load = load = await add(
        hass,
        entry,
        CAR,
        repeat=None,
        start="22:00:00",
        lowest_charge=20,
        price_cap=-90,
    )
    assert runs_now(hass, load)
    assert status(hass, load) == LoadStatus.RUNNING
    await house.until(berlin(10, 15, 10))
    await restart(hass, entry)
    assert runs_now(hass, load)
    await house.until(berlin(10, 16))
    assert not runs_now(hass, load)
    assert house.charge == pytest.approx(21.5, abs=1.6)
    assert status(hass, load) == LoadStatus.ABOVE_CAP
    await house.until(berlin(10, 23))
    assert house.charge == pytest.approx(21.5, abs=1.6)
    # It is driven and comes home below it, within its window.
    await house.plug("off")
    house.charge = 10
    await house.until(berlin(10, 23, 30))
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
    await house.plug("on")
    assert runs_now(hass, load)
    await house.until(berlin(11, 7))
    assert house.charge == pytest.approx(21.5, abs=1.6)


async def test_lowest_charge_comes_first(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """After that, the car is charged as planned within its window."""
    entry = await linked()
    house = House(hass, advance, 10)
    await house.plug("on")
    house.load = await add(
        hass, entry, CAR, repeat=None, start="22:00:00", lowest_charge=25
    )
    await house.until(berlin(10, 22))
    assert 24.5 <= house.charge <= 28
    assert max(at for at, _ in house.ran) < berlin(10, 12, 30)
    await house.until(berlin(11, 7))
    assert house.charge == pytest.approx(80, abs=1.6)


@pytest.mark.parametrize("junk", ["nan", "inf", "-4", "140", "", "\ud83d", "unknown"])
async def test_implausible_charge(
    hass: HomeAssistant, nomos, linked, advance: Advance, junk
) -> None:
    """An implausible charge is ignored."""
    entry = await linked()
    house = House(hass, advance, 50)
    await house.plug("on")
    await house.until(berlin(10, 15))
    house.load = load = await add(hass, entry, CAR)
    start = shown(hass, load, "next_start").state
    hass.states.async_set(CHARGE, junk, {"unit_of_measurement": "%"})
    hass.states.async_set(PLUG, junk)
    await advance(timedelta(minutes=3))
    assert shown(hass, load, "next_start").state == start
    assert is_asked(hass, load)


async def test_sensor_of_the_missing_energy(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It counts whatever the target is, in kWh or Wh."""
    entry = await linked()
    await hass.async_block_till_done()
    hass.states.async_set(PLUG, "on")
    hass.states.async_set(CHARGE, "9", {"unit_of_measurement": "kWh"})
    load = await add(hass, entry, CAR, min_run=None, min_pause=None)
    left = entry.runtime_data.loads.all[load].left
    assert left(datetime.now(UTC)) == HOUR
    hass.states.async_set(CHARGE, "4500", {"unit_of_measurement": "Wh"})
    await advance(timedelta(minutes=1))
    assert left(datetime.now(UTC)) == HOUR / 2


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 28, 17, 5, tzinfo=UTC),
        datetime(2026, 10, 24, 16, 5, tzinfo=UTC),
    ],
)
async def test_nights_of_the_clock_change(
    hass: HomeAssistant, nomos, linked, advance: Advance, now
) -> None:
    """The car is ready by local time, with exactly the energy that it needed."""
    entry = await linked()
    house = House(hass, advance, 20)
    await house.plug("on")
    house.load = load = await add(hass, entry, CAR, target=90)
    closes = (now.astimezone(TARIFF_ZONE) + timedelta(days=1)).replace(hour=7, minute=0)
    await house.until(closes.astimezone(UTC))
    assert house.charge == pytest.approx(90, abs=1.6)
    assert len(house.ran) * STEP == pytest.approx(
        HOUR * 42 / 9, abs=timedelta(minutes=12)
    )
    assert not is_asked(hass, load)


async def test_the_number_is_the_target(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It changes the plan; if an entity provides the target, it shows that and is read-only."""
    entry = await linked()
    house = House(hass, advance, 50)
    await house.plug("on")
    house.load = load = await add(hass, entry, CAR, lowest_charge=40)
    number = shown(hass, load, "need", "number")
    assert (number.state, number.attributes["unit_of_measurement"]) == ("80", "%")

    async def set_target(value: float, entity_id: str = number.entity_id) -> None:
        await hass.services.async_call(
            "number",
            "set_value",
            {"entity_id": entity_id, "value": value},
            blocking=True,
        )
        await hass.async_block_till_done()

    left = entry.runtime_data.loads.all[load].left
    await set_target(65)
    assert left(datetime.now(UTC)) == HOUR
    with pytest.raises(ServiceValidationError, match="filled at once"):
        await set_target(39)
    hass.states.async_set(TARGET, "95")
    other = await add(hass, entry, CAR, target_entity=TARGET)
    number = shown(hass, other, "need", "number")
    assert number.state == "95.0"
    left = entry.runtime_data.loads.all[other].left
    assert left(datetime.now(UTC)) == 3 * HOUR
    with pytest.raises(ServiceValidationError, match="entity of yours"):
        await set_target(70, number.entity_id)
    hass.states.async_set(TARGET, "unavailable")
    await advance(timedelta(minutes=2))
    assert left(datetime.now(UTC)) == 3 * HOUR
    hass.states.async_set(TARGET, "65")
    await advance(timedelta(minutes=2))
    assert left(datetime.now(UTC)) == HOUR
    assert shown(hass, other, "need", "number").state == "65.0"


async def test_new_sensor(hass: HomeAssistant, nomos, linked, advance: Advance) -> None:
    """Readings of the previous sensor no longer count."""
    entry = await linked()
    house = House(hass, advance, 50)
    await house.plug("on")
    load = await add(hass, entry, CAR)
    subentry = entry.subentries[load]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "charge_sensor": "sensor.other"}
    )
    await hass.async_block_till_done()
    left = entry.runtime_data.loads.all[load].left
    assert left(datetime.now(UTC)) == HOUR * 48 / 9
    hass.states.async_set("sensor.other", "65")
    await hass.async_block_till_done()
    await advance(timedelta(minutes=1))
    assert left(datetime.now(UTC)) == HOUR


async def test_diagnostics_name_no_entity(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """They say what the need is derived from and whether it is known."""
    entry = await linked()
    house = House(hass, advance, 50)
    await house.plug("on")
    await add(hass, entry, CAR, target_entity=TARGET, ask_sensor=DOOR)
    [load] = (await async_get_config_entry_diagnostics(hass, entry))["loads"]
    assert "my_secret" not in json.dumps(load)
    assert load["need"] == {
        "kind": "charge",
        "minutes_left": 120.0,
        "charge_known": True,
        "charge_reported": datetime.now(UTC).isoformat(),
        "measured_kw": None,
        "target_known": False,
        "plugged": True,
        "asked": None,
    }
    assert load["plugged_sensor"] is load["ask_sensor"] is True


async def test_lowest_charge_without_prices(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Below its lowest charge, a car is charged even at an unknown price."""
    nomos.publish_at(date(2026, 6, 11), "never")
    entry = await linked()
    house = House(hass, advance, 40)
    await house.plug("off")
    house.load = load = await add(hass, entry, CAR, lowest_charge=20, price_cap=90)
    await house.until(berlin(11, 0, 30), 3 * STEP)
    house.charge = 11
    await house.until(berlin(11, 0, 45))
    await house.plug("on")
    assert runs_now(hass, load)
    await house.until(berlin(11, 3))
    assert house.charge == pytest.approx(21.5, abs=1.6)


async def test_a_car_from_its_form_to_its_plug(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The preview is for the car's current charge, and once it is plugged in, its device does the same."""
    entry = await linked()
    house = House(hass, advance, 50)
    await house.plug("off")
    await house.until(berlin(10, 15))
    result = await open_form(hass, entry, "car")
    filled = suggested(result) | {
        "name": "Car",
        "power": POWER,
        "capacity": CAPACITY,
        "charge_sensor": CHARGE,
        "target": 80,
        "plugged_sensor": PLUG,
    }
    result = await fill_in(hass, result, filled)
    await hass.async_block_till_done()
    assert result["description"].startswith("asked_")
    [load] = entry.subentries
    assert status(hass, load) == LoadStatus.NOT_PLUGGED_IN
    await house.plug("on")
    runs = shown(hass, load, "run_now", "binary_sensor").attributes["runs"]
    edges = [
        [datetime.fromisoformat(one[key]) for key in ("start", "end")] for one in runs
    ]
    assert sum((end - start for start, end in edges), timedelta()) == 2 * HOUR
    times = ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in edges)
    assert result["description_placeholders"]["times"] == times
