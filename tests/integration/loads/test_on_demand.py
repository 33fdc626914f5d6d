"""Tests of on-demand loads, and of the buttons *Start now* and *Skip*."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.loads.plan import LoadStatus
from custom_components.nomos.pricing import TARIFF_ZONE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from tests.integration.helpers import Advance, restart
from tests.integration.loads.helpers import (
    moment,
    press,
    put,
    record_runs,
    runs_now,
    shown,
    status,
    switch,
    until,
)

pytestmark = pytest.mark.usefixtures("german_hub")

TWO_HOURS = {"hours": 2}
ODD = timedelta(seconds=43)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a local time of June 2026."""
    return datetime(2026, 6, day, hour, minute, tzinfo=TARIFF_ZONE).astimezone(UTC)


def is_on(hass: HomeAssistant, load_id: str) -> bool:
    """Return whether *Planned* is on."""
    return bool(shown(hass, load_id, "planned", "switch").state == "on")


def length(runs: list[tuple[datetime, datetime]]) -> timedelta:
    """Return the total length of runs."""
    return sum((end - start for start, end in runs), timedelta())


@pytest.mark.parametrize("restarts", [False, True])
async def test_from_request_to_done(
    hass: HomeAssistant, nomos, linked, advance: Advance, restarts
) -> None:
    """A dishwasher waits for a request, runs once in the cheap night, is done, and waits again."""
    entry = await linked()
    load_id = await put(hass, entry, duration=TWO_HOURS, repeat="on_demand")
    assert status(hass, load_id) == LoadStatus.NOT_ASKED
    assert shown(hass, load_id, "next_start").state == "unknown"
    assert not await record_runs(hass, advance, load_id, local(11, 16, 7) + ODD)
    await switch(hass, load_id, on=True)
    await switch(hass, load_id, on=True)
    assert is_on(hass, load_id)
    assert status(hass, load_id) == LoadStatus.PLANNED
    start = moment(hass, load_id, "next_start")
    assert local(11, 16, 7) < start <= local(12, 5)
    assert float(shown(hass, load_id, "expected_saving").state) > 0
    if restarts:
        await restart(hass, entry)
        assert moment(hass, load_id, "next_start") == start
    await until(advance, start + ODD)
    assert status(hass, load_id) == LoadStatus.RUNNING
    if restarts:
        await restart(hass, entry)
        assert runs_now(hass, load_id)
    runs = await record_runs(hass, advance, load_id, local(12, 6, 59))
    assert length(runs) == timedelta(hours=2) - ODD
    assert status(hass, load_id) == LoadStatus.DONE
    assert not is_on(hass, load_id)
    if restarts:
        await restart(hass, entry)
        assert status(hass, load_id) == LoadStatus.DONE
    assert not await record_runs(hass, advance, load_id, local(13, 7, 1))
    assert status(hass, load_id) == LoadStatus.NOT_ASKED


async def test_asked_for_again_while_done(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A second request before the deadline leads to a second run."""
    entry = await linked()
    load_id = await put(
        hass, entry, duration={"hours": 1}, repeat="on_demand", end="20:00:00"
    )
    for _ in range(2):
        await switch(hass, load_id, on=True)
        runs = await record_runs(
            hass, advance, load_id, moment(hass, load_id, "next_end") + ODD
        )
        assert length(runs) == timedelta(hours=1)
        assert status(hass, load_id) == LoadStatus.DONE


@pytest.mark.parametrize(
    ("settings", "asked", "closes"),
    [
        ({}, local(10, 16, 3), local(11, 7)),
        # Too late for this morning.
        ({}, local(11, 5, 31), local(12, 7)),
        ({"contiguous": False}, local(11, 5, 31), local(11, 7)),
        ({"within": 6}, local(10, 16, 3), local(10, 22, 3)),
        ({"within": 30}, local(10, 16, 3), local(11, 22, 3)),
        ({"end": "22:00:00", "start": "18:00:00"}, local(10, 16, 3), local(10, 22)),
        ({"end": "22:00:00", "start": "18:00:00"}, local(10, 21, 3), local(11, 22)),
        # The 12th is a Friday.
        ({"days": "weekend"}, local(10, 16, 3), local(13, 7)),
        ({"days": "chosen", "weekdays": ["fri"]}, local(10, 16, 3), local(12, 7)),
    ],
)
async def test_deadlines(
    hass: HomeAssistant, nomos, linked, advance: Advance, settings, asked, closes
) -> None:
    """A deadline is a time of day, on chosen days, or some hours away; no run starts before the request."""
    entry = await linked()
    load_id = await put(hass, entry, duration=TWO_HOURS, repeat="on_demand", **settings)
    await until(advance, asked + ODD)
    await switch(hass, load_id, on=True)
    window = shown(hass, load_id, "run_now", "binary_sensor").attributes["window"]
    opens, ends = (datetime.fromisoformat(window[key]) for key in ("start", "end"))
    assert opens >= asked
    assert ends == (closes + ODD if "within" in settings else closes)
    runs = await record_runs(hass, advance, load_id, ends)
    assert timedelta(hours=1, minutes=20) < length(runs) <= timedelta(hours=2)
    assert all(opens <= start and end <= ends for start, end in runs)


async def test_withdrawn_request(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A request can be withdrawn before and during its run."""
    entry = await linked()
    load_id = await put(hass, entry, duration=TWO_HOURS, repeat="on_demand")
    await until(advance, local(10, 16, 7) + ODD)
    await switch(hass, load_id, on=True)
    await switch(hass, load_id, on=False)
    assert status(hass, load_id) == LoadStatus.NOT_ASKED
    assert not await record_runs(hass, advance, load_id, local(11, 8))
    await switch(hass, load_id, on=True)
    await until(advance, moment(hass, load_id, "next_start") + ODD)
    await switch(hass, load_id, on=False)
    assert not runs_now(hass, load_id)
    assert status(hass, load_id) == LoadStatus.PARTIAL
    await restart(hass, entry)
    assert not await record_runs(hass, advance, load_id, local(12, 9))


@pytest.mark.parametrize("repeat", ["daily", "on_demand"])
async def test_start_now(
    hass: HomeAssistant, nomos, linked, advance: Advance, repeat
) -> None:
    """It starts a single run at once, even if pressed twice, during a run, or without a request."""
    entry = await linked()
    load_id = await put(
        hass, entry, duration=TWO_HOURS, repeat=repeat, price_cap=-50, start="20:00:00"
    )
    await until(advance, local(10, 16, 7) + ODD)
    await press(hass, load_id, "start_now")
    assert status(hass, load_id) == LoadStatus.RUNNING
    await advance(timedelta(minutes=20))
    await press(hass, load_id, "start_now")
    await restart(hass, entry)
    assert runs_now(hass, load_id)
    runs = await record_runs(hass, advance, load_id, local(10, 19))
    assert length(runs) == timedelta(hours=1, minutes=40)
    assert status(hass, load_id) == LoadStatus.DONE
    # This was tonight's run.
    assert not await record_runs(hass, advance, load_id, local(11, 7, 1))
    expected = {"daily": LoadStatus.ABOVE_CAP, "on_demand": LoadStatus.NOT_ASKED}
    await until(advance, local(11, 15))
    assert status(hass, load_id) == expected[repeat]


async def test_start_now_in_a_run(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The rest runs without a pause."""
    entry = await linked()
    load_id = await put(
        hass, entry, "Car", duration={"hours": 4}, contiguous=False, min_run=15
    )
    await until(advance, local(10, 16))
    await until(advance, moment(hass, load_id, "next_start") + ODD)
    assert runs_now(hass, load_id)
    begun = datetime.now(UTC)
    await press(hass, load_id, "start_now")
    [(start, end)] = await record_runs(hass, advance, load_id, local(11, 6))
    assert start == begun
    assert end == begun - ODD + timedelta(hours=4)


@pytest.mark.parametrize("into", [-timedelta(hours=1), timedelta(minutes=20)])
async def test_skip(hass: HomeAssistant, nomos, linked, advance: Advance, into) -> None:
    """It skips or ends one run and not the next; a hasty second press is ignored."""
    entry = await linked()
    load_id = await put(hass, entry, duration=TWO_HOURS, start="20:00:00")
    await until(advance, local(10, 20, 1))
    start = moment(hass, load_id, "next_start")
    await until(advance, start + into + ODD)
    await press(hass, load_id, "skip")
    await advance(timedelta(seconds=2))
    await press(hass, load_id, "skip")
    await restart(hass, entry)
    assert not await record_runs(hass, advance, load_id, local(11, 7, 1))
    runs = await record_runs(hass, advance, load_id, local(12, 7, 1))
    assert length(runs) == timedelta(hours=2)


@pytest.mark.parametrize("again", ["start now", "request"])
async def test_skip_after_a_new_request(
    hass: HomeAssistant, nomos, linked, advance: Advance, again
) -> None:
    """After starting or requesting again, the next *Skip* counts, however soon it comes."""
    entry = await linked()
    load_id = await put(hass, entry, duration=TWO_HOURS, repeat="on_demand")
    await press(hass, load_id, "start_now")
    await press(hass, load_id, "skip")
    await advance(timedelta(seconds=2))
    if again == "request":
        await switch(hass, load_id, on=True)
    else:
        await press(hass, load_id, "start_now")
        assert runs_now(hass, load_id)
    await press(hass, load_id, "skip")
    assert not is_on(hass, load_id)
    assert not runs_now(hass, load_id)


async def test_switched_off(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A daily load pauses while *Planned* is off, even after a restart, and resumes when it is on."""
    entry = await linked()
    load_id = await put(hass, entry, duration=TWO_HOURS)
    assert is_on(hass, load_id)
    await switch(hass, load_id, on=False)
    assert status(hass, load_id) == LoadStatus.NOT_ASKED
    assert shown(hass, load_id, "next_start").state == "unknown"
    await restart(hass, entry)
    assert not is_on(hass, load_id)
    assert not await record_runs(hass, advance, load_id, local(12, 7, 1))
    await switch(hass, load_id, on=True)
    runs = await record_runs(hass, advance, load_id, local(13, 7, 1))
    assert length(runs) == timedelta(hours=2)


async def test_actions(hass: HomeAssistant, nomos, linked) -> None:
    """A script can start and skip by device and by entity, and gets an error if none of them is a load."""
    entry = await linked()
    load_id = await put(hass, entry, duration=TWO_HOURS)
    device = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, load_id), entry.entry_id
    )
    assert device is not None
    contract = device.via_device_id
    await hass.services.async_call(
        DOMAIN, "start_load", {"device_id": device.id}, blocking=True
    )
    assert runs_now(hass, load_id)
    button = shown(hass, load_id, "skip", "button").entity_id
    await hass.services.async_call(
        DOMAIN, "skip_load", {"entity_id": button}, blocking=True
    )
    assert not runs_now(hass, load_id)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            DOMAIN, "start_load", {"device_id": contract}, blocking=True
        )
    assert caught.value.translation_key == "no_load_chosen"


async def test_settings_on_the_dashboard(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Ready by, earliest start and duration equal the form's; changing them sends no request and reloads nothing."""
    entry = await linked()
    load_id = await put(
        hass, entry, duration=TWO_HOURS, start="20:00:00", fallback="22:00:00"
    )
    runtime, requests = entry.runtime_data, len(nomos.requests)
    ready_by = shown(hass, load_id, "end", "time")
    assert ready_by.state == "07:00:00"
    need = shown(hass, load_id, "need", "number")
    assert (need.state, need.attributes["unit_of_measurement"]) == ("120.0", "min")
    await hass.services.async_call(
        "time",
        "set_value",
        {"entity_id": ready_by.entity_id, "time": "23:30:00"},
        blocking=True,
    )
    await hass.services.async_call(
        "number",
        "set_value",
        {"entity_id": need.entity_id, "value": 95},
        blocking=True,
    )
    await hass.async_block_till_done()
    data = entry.subentries[load_id].data
    assert data["end"] == "23:30:00"
    assert data["duration"] == {"hours": 1, "minutes": 35}
    assert shown(hass, load_id, "end", "time").state == "23:30:00"
    window = shown(hass, load_id, "run_now", "binary_sensor").attributes["window"]
    assert datetime.fromisoformat(window["end"]) == local(10, 23, 30)
    start, end = (moment(hass, load_id, key) for key in ("next_start", "next_end"))
    assert end - start == timedelta(minutes=95)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            "time",
            "set_value",
            {"entity_id": ready_by.entity_id, "time": "20:30:00"},
            blocking=True,
        )
    assert caught.value.translation_key == "load_window_too_short"
    assert entry.runtime_data is runtime
    assert len(nomos.requests) == requests


async def test_energy_on_the_dashboard(hass: HomeAssistant, nomos, linked) -> None:
    """A load that is set up in kWh shows and accepts kWh."""
    entry = await linked()
    load_id = await put(hass, entry, "Boiler", energy=6.0, power=3.0, contiguous=False)
    need = shown(hass, load_id, "need", "number")
    assert (need.state, need.attributes["unit_of_measurement"]) == ("6.0", "kWh")
    await hass.services.async_call(
        "number",
        "set_value",
        {"entity_id": need.entity_id, "value": 4.5},
        blocking=True,
    )
    await hass.async_block_till_done()
    runs = shown(hass, load_id, "run_now", "binary_sensor").attributes["runs"]
    planned = sum(
        (
            datetime.fromisoformat(run["end"]) - datetime.fromisoformat(run["start"])
            for run in runs
        ),
        timedelta(),
    )
    assert planned == timedelta(hours=1, minutes=30)


async def test_weekdays(hass: HomeAssistant, nomos, linked, advance: Advance) -> None:
    """A load that is ready on weekdays only does not run for a Saturday or Sunday."""
    entry = await linked()
    load_id = await put(
        hass, entry, duration=TWO_HOURS, days="workdays", end="06:00:00"
    )
    mornings = [local(day, 6) for day in range(11, 17)]
    ran = {}
    await record_runs(hass, advance, load_id, mornings[0])
    for start, end in pairwise(mornings):
        runs = await record_runs(hass, advance, load_id, end)
        ran[end.astimezone(TARIFF_ZONE).day] = length(runs)
        if end == local(12, 6):
            assert status(hass, load_id) == LoadStatus.WAITING_FOR_WINDOW
        assert start < end
    # The 13th and 14th are a weekend.
    assert ran == {
        12: timedelta(hours=2),
        13: timedelta(),
        14: timedelta(),
        15: timedelta(hours=2),
        16: timedelta(hours=2),
    }
