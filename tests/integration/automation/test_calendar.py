"""Tests of the calendar: cheap periods and runs, for people and for automations."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.pricing import PeriodKind
from homeassistant.core import HomeAssistant
from tests.integration.helpers import HOUR, Advance, entity_id
from tests.integration.loads.helpers import DISHWASHER, add, moment, runs_now

QUARTER = timedelta(minutes=15)


@pytest.fixture
def calendar(hass: HomeAssistant, nomos):
    """Return a function that returns the calendar's entity id."""
    subscription = nomos.customers["smart@example.com"].subscriptions[0]
    return lambda: entity_id(hass, subscription.id, "calendar", "calendar")


async def events(hass, calendar, start, end):
    """Return the events of a time range, as the action returns them."""
    answer = await hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": calendar(),
            "start_date_time": start.isoformat(),
            "end_date_time": end.isoformat(),
        },
        blocking=True,
        return_response=True,
    )
    return answer[calendar()]["events"]


@pytest.mark.parametrize(
    ("language", "summary"), [("en", "Cheap electricity"), ("de", "Günstiger Strom")]
)
async def test_cheap_periods(
    hass: HomeAssistant, nomos, linked, calendar, language, summary
) -> None:
    """Every cheap period of the known days is an event in the hub's language."""
    hass.config.language = language
    entry = await linked()
    coordinator = next(iter(entry.runtime_data.prices.values()))
    start = datetime(2026, 6, 9, 22, tzinfo=UTC)
    found = await events(hass, calendar, start, start + timedelta(days=1))
    periods = coordinator.levels.periods(PeriodKind.CHEAP)
    assert periods
    assert [
        (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]))
        for one in found
    ] == [(one.start, one.end) for one in periods]
    assert {one["summary"] for one in found} == {summary}


async def test_cheap_period_over_midnight(
    hass: HomeAssistant, nomos, linked, calendar, advance: Advance
) -> None:
    """It is a single event, shown in full on both days."""
    subscription = nomos.customers["smart@example.com"].subscriptions[0]
    midnight = datetime(2026, 6, 10, 22, tzinfo=UTC)
    for number in range(-6, 6):
        price = -50.0 if number in range(-2, 2) else 50.0
        nomos.correct_price(subscription.id, midnight + number * QUARTER, price)
    await linked()
    for _ in range(8):
        await advance(HOUR)
    for now in (midnight - HOUR, midnight, midnight + QUARTER):
        await advance(now - datetime.now(UTC))
        found = await events(hass, calendar, midnight - QUARTER, midnight + QUARTER)
        assert [
            (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]))
            for one in found
        ] == [(midnight - 2 * QUARTER, midnight + 2 * QUARTER)]
    assert hass.states.get(calendar()).state == "on"
    await advance(QUARTER)
    assert hass.states.get(calendar()).state == "off"


async def test_on_during_events(
    hass: HomeAssistant, nomos, linked, calendar, advance: Advance
) -> None:
    """The calendar is on exactly during an event, and shows the next one before."""
    await linked()
    await advance(timedelta(seconds=900 - datetime.now(UTC).timestamp() % 900))
    start = datetime(2026, 6, 9, 22, tzinfo=UTC)
    for _ in range(90):
        found = await events(hass, calendar, start, start + timedelta(days=3))
        now = datetime.now(UTC)
        on = any(
            datetime.fromisoformat(one["start"])
            <= now
            < datetime.fromisoformat(one["end"])
            for one in found
        )
        assert hass.states.get(calendar()).state == ("on" if on else "off")
        await advance(QUARTER)


@pytest.mark.parametrize("now", [datetime(2026, 10, 24, 20, 5, tzinfo=UTC)])
async def test_run_across_the_repeated_hour(
    hass: HomeAssistant, nomos, linked, calendar, advance: Advance
) -> None:
    """A run whose local end is before its local start is shown in two parts, and the load runs."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    subscription = nomos.customers["smart@example.com"].subscriptions[0]
    cheap = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    entry = await linked()
    for number in range(3):
        nomos.correct_price(subscription.id, cheap + number * QUARTER, -50.0)
    await entry.runtime_data.prices[subscription.id].async_refresh()
    load_id = await add(
        hass, entry, DISHWASHER, duration={"hours": 0, "minutes": 45, "seconds": 0}
    )
    assert moment(hass, load_id, "next_start") == cheap
    found = [
        one
        for one in await events(
            hass, calendar, cheap - QUARTER, cheap + timedelta(hours=2)
        )
        if one["summary"] == "Dishwasher"
    ]
    assert [
        (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]))
        for one in found
    ] == [
        (cheap, cheap + 2 * QUARTER - timedelta(microseconds=1)),
        (cheap + 2 * QUARTER, cheap + 3 * QUARTER),
    ]
    while datetime.now(UTC) < cheap:
        await advance(min(QUARTER, cheap - datetime.now(UTC)))
    assert runs_now(hass, load_id)
    await advance(3 * QUARTER)
    assert not runs_now(hass, load_id)


async def test_runs_of_loads(hass: HomeAssistant, nomos, linked, calendar) -> None:
    """Planned runs are events with the load's name, and are removed with the load."""
    entry = await linked()
    load_id = await add(hass, entry, DISHWASHER)
    start = datetime(2026, 6, 10, 8, tzinfo=UTC)
    found = [
        one
        for one in await events(hass, calendar, start, start + timedelta(days=1))
        if one["summary"] == "Dishwasher"
    ]
    assert [datetime.fromisoformat(one["start"]) for one in found] == [
        moment(hass, load_id, "next_start")
    ]
    hass.config_entries.async_remove_subentry(entry, load_id)
    await hass.async_block_till_done()
    found = await events(hass, calendar, start, start + timedelta(days=1))
    assert not [one for one in found if one["summary"] == "Dishwasher"]


async def test_run_of_a_load_of_another_contract(
    hass: HomeAssistant, nomos, linked, calendar
) -> None:
    """A run is only in the calendar of the contract with which it is planned."""
    second = nomos.add_subscription("smart@example.com")
    entry = await linked()
    await add(hass, entry, DISHWASHER, subscription=second.id)
    start = datetime(2026, 6, 10, 8, tzinfo=UTC)

    async def runs(calendar):
        found = await events(hass, calendar, start, start + timedelta(days=1))
        return [one for one in found if one["summary"] == "Dishwasher"]

    assert not await runs(calendar)
    assert len(await runs(lambda: entity_id(hass, second.id, "calendar", "calendar")))


@pytest.mark.usefixtures("german_hub")
async def test_new_load_that_runs(
    hass: HomeAssistant, linked, calendar, advance: Advance
) -> None:
    """A new load's run is shown at once, and the calendar is on from its start, not from the next boundary."""
    entry = await linked()
    shown = hass.states.get(calendar())
    assert shown.state == "off"
    assert shown.attributes["message"] != "Dishwasher"
    changes = {
        "start": "10:00:00",
        "end": "10:45:00",
        "duration": {"hours": 0, "minutes": 41, "seconds": 0},
    }
    load_id = await add(hass, entry, DISHWASHER, **changes)
    assert hass.states.get(calendar()).attributes["message"] == "Dishwasher"
    start = moment(hass, load_id, "next_start")
    assert start == datetime(2026, 6, 10, 8, 4, tzinfo=UTC)
    await advance(start - datetime.now(UTC))
    assert runs_now(hass, load_id)
    assert hass.states.get(calendar()).state == "on"
