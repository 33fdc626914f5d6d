"""Tests of what a load used, cost and saved: by its meter, by its power, or not at all."""

from datetime import UTC, datetime, timedelta
import json

import pytest

from benchmarks.monitors import Writes
from custom_components.nomos.diagnostics import async_get_config_entry_diagnostics
from custom_components.nomos.loads.plan import LoadStatus
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance, restart
from tests.integration.loads.helpers import (
    add,
    moment,
    press,
    put,
    shown,
    status,
    table_of,
    until,
)

pytestmark = pytest.mark.usefixtures("german_hub", "entity_registry_enabled_by_default")

PLUG = "sensor.plug_energy"
ODD = timedelta(seconds=43)
MINUTE = timedelta(minutes=1)
LATE = 15 * MINUTE + ODD

WASHER = {"duration": {"hours": 2}, "repeat": "on_demand", "within": 6}
"""A load that is requested in the morning of 10 June 2026; the prices of its window are known."""


def set_meter(hass: HomeAssistant, value: object, unit: str = "kWh") -> None:
    """Set the state of the device's meter."""
    hass.states.async_set(PLUG, str(value), {"unit_of_measurement": unit})


def saved_this_month(hass: HomeAssistant, load_id: str) -> float:
    """Return this month's saving."""
    return float(shown(hass, load_id, "saved_this_month").state)


def last_cost(hass: HomeAssistant, load_id: str) -> float:
    """Return the cost of the last run."""
    return float(shown(hass, load_id, "last_cost").state)


def cost_source(hass: HomeAssistant, load_id: str) -> str:
    """Return the source of the last cost."""
    said: str = shown(hass, load_id, "last_cost").attributes["source"]
    return said


def price_at(entry, instant: datetime) -> float:
    """Return the price of an instant in EUR/kWh."""
    price: float = table_of(entry).at(instant).price
    return price


def average(entry, start: datetime, length: timedelta) -> float:
    """Return the mean price of a period, by the minute."""
    prices = [
        price_at(entry, start + number * MINUTE) for number in range(length // MINUTE)
    ]
    return sum(prices) / len(prices)


async def ask(hass, entry, **settings) -> str:
    """Add a load and request a run; return its id."""
    load_id = await put(hass, entry, **(WASHER | settings))
    target = {"entity_id": shown(hass, load_id, "planned", "switch").entity_id}
    await hass.services.async_call("switch", "turn_on", target, blocking=True)
    await hass.async_block_till_done()
    return str(load_id)


async def test_by_the_power_given(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The expected cost is booked as soon as the run is over."""
    entry = await linked()
    opens = datetime.now(UTC)
    load_id = await ask(hass, entry, power=1.5)
    assert (saved_this_month(hass, load_id), status(hass, load_id)) == (
        0,
        LoadStatus.PLANNED,
    )
    assert shown(hass, load_id, "last_cost").state == "unknown"
    state = shown(hass, load_id, "saved_this_month")
    assert state.attributes["source"] == "power"
    assert "state_class" not in state.attributes
    expected = {
        key: float(shown(hass, load_id, key).state)
        for key in ("expected_cost", "expected_saving")
    }
    assert expected["expected_saving"] > 0
    end = moment(hass, load_id, "next_end")
    await until(advance, end + ODD)
    assert status(hass, load_id) == LoadStatus.DONE
    assert last_cost(hass, load_id) == pytest.approx(
        expected["expected_cost"], abs=1e-4
    )
    assert saved_this_month(hass, load_id) == pytest.approx(
        expected["expected_saving"], abs=1e-4
    )
    assert cost_source(hass, load_id) == "power"
    attributes = shown(hass, load_id, "last_cost").attributes
    assert attributes["energy"] == pytest.approx(3)
    [run] = attributes["runs"]
    assert datetime.fromisoformat(run["end"]) == end
    baseline = 3 * average(entry, opens, timedelta(hours=2))
    assert saved_this_month(hass, load_id) + last_cost(hass, load_id) == pytest.approx(
        baseline, rel=0.01
    )


async def test_saving_against_the_average(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It is shown next to the expected saving."""
    entry = await linked()
    opens = datetime.now(UTC)
    load_id = await ask(hass, entry, power=1)
    mean = average(entry, opens, timedelta(hours=6))
    cost = float(shown(hass, load_id, "expected_cost").state)
    against = shown(hass, load_id, "expected_saving").attributes["saving_vs_average"]
    assert against == pytest.approx(2 * mean - cost, rel=0.02)


async def test_by_the_meter(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Each quarter-hour counts at its own price; use outside the runs does not count."""
    entry = await linked()
    set_meter(hass, 500_000, "Wh")
    opens = datetime.now(UTC)
    load_id = await ask(hass, entry, power=9, energy_sensor=PLUG)
    assert shown(hass, load_id, "saved_this_month").attributes["source"] == "metered"
    start, end = moment(hass, load_id, "next_start"), moment(hass, load_id, "next_end")
    await until(advance, start - 5 * MINUTE)
    set_meter(hass, 507_000, "Wh")
    await until(advance, start)
    assert shown(hass, load_id, "run_now", "binary_sensor").state == "on"
    value, cost, used, step = 507_000, 0.0, 0.0, 0
    while datetime.now(UTC) < end - 5 * MINUTE:
        await advance(5 * MINUTE)
        step += 1
        value += 10 * step
        used += step / 100
        # The price of the five minutes that have passed.
        cost += step / 100 * price_at(entry, datetime.now(UTC) - MINUTE)
        set_meter(hass, value, "Wh")
        await hass.async_block_till_done()
    await until(advance, end + ODD)
    assert status(hass, load_id) == LoadStatus.DONE
    assert shown(hass, load_id, "last_cost").state == "unknown"
    await advance(MINUTE)
    # The meter may report the last minutes a little late. After that, nothing more counts.
    set_meter(hass, value + 1000, "Wh")
    await hass.async_block_till_done()
    used += 1
    cost += price_at(entry, end - MINUTE)
    assert last_cost(hass, load_id) == pytest.approx(cost, abs=1e-4)
    assert cost_source(hass, load_id) == "metered"
    energy = shown(hass, load_id, "last_cost").attributes["energy"]
    assert energy == pytest.approx(used, abs=1e-4)
    baseline = used * average(entry, opens, timedelta(hours=2))
    assert saved_this_month(hass, load_id) == pytest.approx(baseline - cost, rel=0.02)
    before = saved_this_month(hass, load_id)
    await advance(MINUTE)
    set_meter(hass, value + 3000, "Wh")
    await advance(20 * MINUTE)
    assert (last_cost(hass, load_id), saved_this_month(hass, load_id)) == (
        pytest.approx(cost, abs=1e-4),
        before,
    )


@pytest.mark.parametrize(
    ("values", "used"),
    [
        # Nothing was used.
        ([], 0),
        ([100], 0),
        # It was unavailable for a while: what it counted meanwhile counts.
        (["unavailable", 100.5, "unknown", 101], 1),
        # It was reset to zero.
        ([100.5, 0.2, 0.4], 0.9),
        # It was corrected slightly downwards; that is not negative energy.
        ([100.5, 100.4, 100.6], 0.6),
        ([99.9], 0),
        # It jumped up and came back.
        ([100.2, 9_000_000, 100.4, 100.6], 0.4),
        ([100.2, "inf", "nan", "-5", "1e300", 100.4], 0.4),
        ([100.2, "a lot", "", 100.4], 0.4),
    ],
)
async def test_odd_meter_readings(
    hass: HomeAssistant, nomos, linked, advance: Advance, values, used
) -> None:
    """A run used what its meter counted, but never a negative or impossible amount."""
    entry = await linked()
    set_meter(hass, 100)
    load_id = await ask(hass, entry, power=9, energy_sensor=PLUG)
    start, end = moment(hass, load_id, "next_start"), moment(hass, load_id, "next_end")
    await until(advance, start + ODD)
    for value in values:
        await advance(6 * MINUTE)
        set_meter(hass, value)
        await hass.async_block_till_done()
    await until(advance, end)
    await advance(LATE)
    assert cost_source(hass, load_id) == "metered"
    energy = shown(hass, load_id, "last_cost").attributes["energy"]
    assert energy == pytest.approx(used)
    assert last_cost(hass, load_id) >= 0


@pytest.mark.parametrize("power", [2, None])
async def test_unavailable_meter(
    hass: HomeAssistant, nomos, linked, advance: Advance, power
) -> None:
    """The booking waits for it; if it stays unavailable, the power counts, or nothing without one."""
    entry = await linked()
    set_meter(hass, "unavailable")
    load_id = await ask(hass, entry, power=power, energy_sensor=PLUG)
    end = moment(hass, load_id, "next_end")
    await until(advance, end)
    await until(advance, end + 5 * LATE)
    assert shown(hass, load_id, "last_cost").state == "unknown"
    await until(advance, end + timedelta(days=1) + ODD)
    if power is None:
        assert cost_source(hass, load_id) == "unknown"
        assert shown(hass, load_id, "last_cost").state == "unknown"
        assert saved_this_month(hass, load_id) == 0
    else:
        assert cost_source(hass, load_id) == "power"
        assert last_cost(hass, load_id) > 0
        assert shown(hass, load_id, "saved_this_month").attributes["source"] == "power"


async def test_restart_in_mid_run(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Energy before, during and after the restart counts once, even if the meter comes back late."""
    entry = await linked()
    set_meter(hass, 100)
    load_id = await ask(hass, entry, energy_sensor=PLUG)
    start, end = moment(hass, load_id, "next_start"), moment(hass, load_id, "next_end")
    await until(advance, start + 20 * MINUTE)
    set_meter(hass, 100.3)
    await advance(10 * MINUTE)
    set_meter(hass, 100.5)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await advance(20 * MINUTE)
    set_meter(hass, "unavailable")
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await advance(10 * MINUTE)
    set_meter(hass, 101)
    await hass.async_block_till_done()
    await until(advance, end + ODD)
    await restart(hass, entry)
    assert status(hass, load_id) == LoadStatus.DONE
    set_meter(hass, 101.25)
    await hass.async_block_till_done()
    energy = shown(hass, load_id, "last_cost").attributes["energy"]
    assert energy == pytest.approx(1.25)
    cost, before = last_cost(hass, load_id), saved_this_month(hass, load_id)
    for _ in range(2):
        await restart(hass, entry)
        set_meter(hass, 103)
        await advance(LATE)
        assert (last_cost(hass, load_id), saved_this_month(hass, load_id)) == (
            cost,
            before,
        )


async def test_meter_is_chosen_in_the_form(hass: HomeAssistant, nomos, linked) -> None:
    """From then on, energy is taken from the meter."""
    entry = await linked()
    set_meter(hass, 100)
    for meter, known in ((PLUG, "metered"), (None, "power")):
        load_id = await add(hass, entry, energy_sensor=meter)
        state = shown(hass, load_id, "saved_this_month")
        assert state.attributes["source"] == known


async def test_another_meter(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Readings of two meters are not compared; only what each one counted itself counts."""
    entry = await linked()
    set_meter(hass, 100)
    hass.states.async_set("sensor.new", "102", {"unit_of_measurement": "kWh"})
    load_id = await ask(hass, entry, energy_sensor=PLUG)
    start, end = moment(hass, load_id, "next_start"), moment(hass, load_id, "next_end")
    await until(advance, start + ODD)
    await advance(9 * MINUTE)
    set_meter(hass, 100.25)
    subentry = entry.subentries[load_id]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, "energy_sensor": "sensor.new"}
    )
    await hass.async_block_till_done()
    await advance(9 * MINUTE)
    hass.states.async_set("sensor.new", "102.5", {"unit_of_measurement": "kWh"})
    await until(advance, end)
    await advance(LATE)
    energy = shown(hass, load_id, "last_cost").attributes["energy"]
    assert energy == pytest.approx(0.75)


async def test_without_meter_and_power(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Then the saving is unknown, and not guessed."""
    entry = await linked()
    load_id = await ask(hass, entry)
    assert shown(hass, load_id, "saved_this_month").attributes["source"] == "unknown"
    await until(advance, moment(hass, load_id, "next_end") + ODD)
    assert status(hass, load_id) == LoadStatus.DONE
    assert cost_source(hass, load_id) == "unknown"
    for key in ("saved_this_month", "last_cost"):
        assert shown(hass, load_id, key).state == "unknown"


async def test_started_by_hand(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """It has a cost but no saving; a run that is cut short costs only what it used."""
    entry = await linked()
    load_id = await put(hass, entry, **WASHER, power=1)
    await press(hass, load_id, "start_now")
    start = datetime.now(UTC)
    await advance(60 * MINUTE)
    await press(hass, load_id, "skip")
    cost = average(entry, start, 60 * MINUTE)
    assert last_cost(hass, load_id) == pytest.approx(cost, abs=1e-3)
    assert saved_this_month(hass, load_id) == 0


async def test_turn_of_the_month(
    hass: HomeAssistant, nomos, linked, advance: Advance, freezer
) -> None:
    """The sum restarts at midnight on the first, and last month's saving stays known."""
    entry = await linked()
    load_id = await ask(hass, entry, power=1)
    await until(advance, moment(hass, load_id, "next_end") + ODD)
    june = saved_this_month(hass, load_id)
    assert june > 0
    midnight = datetime(2026, 7, 1, tzinfo=TARIFF_ZONE).astimezone(UTC)
    freezer.move_to(midnight - timedelta(minutes=20))
    await advance(15 * MINUTE)
    assert saved_this_month(hass, load_id) == june
    await advance(5 * MINUTE)
    assert saved_this_month(hass, load_id) == 0
    load = entry.runtime_data.loads.all[load_id]
    assert [round(one.saved, 4) for one in load.meter.stored_ledger.months] == [june]


async def test_diagnostics_name_no_amounts(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Support sees the sources, but no amounts or names."""
    entry = await linked()
    set_meter(hass, 77_777.25)
    load_id = await ask(hass, entry, energy_sensor=PLUG)
    await until(advance, moment(hass, load_id, "next_start") + ODD)
    set_meter(hass, 77_778.3125)
    await until(advance, moment(hass, load_id, "next_end"))
    await advance(LATE)
    [load] = (await async_get_config_entry_diagnostics(hass, entry))["loads"]
    assert load["ledger"]["last"] == "metered"
    assert load["ledger"]["months"] == 1
    assert load["energy_sensor"] is True
    text = json.dumps(load)
    secrets = ["77777", "77778", "1.06", PLUG, str(last_cost(hass, load_id))]
    assert not [one for one in secrets if one in text]


async def test_few_writes(
    hass: HomeAssistant, nomos, linked, advance: Advance, files
) -> None:
    """A run is stored at its start, hourly and at its end; a power cut loses nothing that the meter counted."""
    entry = await linked()
    set_meter(hass, 100)
    load_id = await ask(hass, entry, energy_sensor=PLUG)
    start, end = moment(hass, load_id, "next_start"), moment(hass, load_id, "next_end")
    await until(advance, start - MINUTE)
    writes, value = Writes(), 100.0
    with writes.watching():
        while (left := end + LATE - datetime.now(UTC)) > timedelta():
            await advance(min(5 * MINUTE, left))
            value += 0.05
            set_meter(hass, round(value, 2))
            if start + 50 * MINUTE < datetime.now(UTC) < start + 57 * MINUTE:
                # A power cut: whatever was not stored yet is lost.
                (path,) = files("loads").values()
                before = path.read_text()
                assert await hass.config_entries.async_unload(entry.entry_id)
                path.write_text(before)
                await advance(MINUTE)
                await hass.config_entries.async_setup(entry.entry_id)
    assert writes.times["nomos.loads"] <= 8
    energy = shown(hass, load_id, "last_cost").attributes["energy"]
    assert energy == pytest.approx(1.2, abs=0.06)
