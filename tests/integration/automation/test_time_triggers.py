"""Tests that Home Assistant's time trigger always fires for timestamp entities, in any order of timers."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
import random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.nomos.pricing import TARIFF_ZONE, local_date
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from simulator import Simulator
from tests.integration.automation.helpers import automate, device_of, ids, trigger
from tests.integration.helpers import Advance, entity_id, make_entry, state_of
from tests.integration.loads.helpers import DISHWASHER
from tests.integration.soak.clock import SoakClock

LOADS = 10
DAYS = 3


@pytest.fixture
def now() -> datetime:
    """Begin when tomorrow is known."""
    return datetime(2026, 6, 10, 13, 7, 11, 204311, tzinfo=UTC)


@pytest.fixture
async def clock(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, nomos: Simulator, now: datetime
) -> AsyncIterator[SoakClock]:
    """Return a clock that stops at every timer, in the order of their times."""
    clock = SoakClock(hass, freezer, now)
    yield clock
    await clock.advance(timedelta(minutes=2))
    clock.release()


def with_loads(entry: MockConfigEntry) -> MockConfigEntry:
    """Return an account with loads of all kinds that run at night."""
    return MockConfigEntry(
        domain=entry.domain,
        title=entry.title,
        unique_id=entry.unique_id,
        data=entry.data,
        subentries_data=[
            {
                "data": {
                    **{key: DISHWASHER[key] for key in DISHWASHER if key != "name"},
                    "duration": {"hours": 1, "minutes": 7 * number},
                    "contiguous": number % 2 == 0,
                    **({"min_run": 30, "min_pause": 15} if number % 2 else {}),
                },
                "subentry_type": "load",
                "title": f"Load {number}",
                "unique_id": None,
            }
            for number in range(LOADS)
        ],
    )


async def test_time_triggers_of_loads(
    hass: HomeAssistant, nomos: Simulator, credentials: None, clock: SoakClock
) -> None:
    """Each start and end fires once and to the second, and *Run now* changes at the same time."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    entry = with_loads(make_entry(nomos))
    entry.add_to_hass(hass)
    await clock.drive(hass.config_entries.async_setup(entry.entry_id))
    registry = er.async_get(hass)

    def entities(platform: Platform, key: str) -> dict[str, str]:
        return {
            registry.async_get_entity_id(platform, "nomos", f"{load}_{key}") or "": load
            for load in entry.subentries
        }

    starts, ends = (
        entities(Platform.SENSOR, f"next_{key}") for key in ("start", "end")
    )
    runs = entities(Platform.BINARY_SENSOR, "run_now")
    fired: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    changed: dict[tuple[str, str], list[datetime]] = defaultdict(list)

    @callback
    def note(event: Any) -> None:
        before, after = event.data["old_state"], event.data["new_state"]
        if before is not None and before.state != after.state:
            key = runs[after.entity_id], "start" if after.state == "on" else "end"
            changed[key].append(after.last_changed.replace(microsecond=0))

    async_track_state_change_event(hass, list(runs), note)
    calls = async_mock_service(hass, "test", "automation")
    # Of two timers for the same time, the one set first fires first.
    order = random.sample([*starts, *ends], 2 * LOADS)
    config = {
        "alias": "test",
        "mode": "parallel",
        "max": 100,
        "triggers": [{"trigger": "time", "at": one} for one in order],
        "actions": {
            "action": "test.automation",
            "data": {"entity": "{{ trigger.entity_id }}", "at": "{{ trigger.now }}"},
        },
    }
    await clock.drive(async_setup_component(hass, "automation", {"automation": config}))
    await clock.advance(timedelta(days=DAYS) - timedelta(hours=4))
    for call in calls:
        entity = call.data["entity"]
        key = (starts | ends)[entity], "start" if entity in starts else "end"
        at = datetime.fromisoformat(call.data["at"]).astimezone(UTC)
        fired[key].append(at.replace(microsecond=0))
    assert sum(map(len, changed.values())) >= 2 * LOADS * DAYS
    assert fired == changed
    await clock.drive(hass.config_entries.async_unload(entry.entry_id))


async def cheapest_at(nomos: Simulator, subscription: Any, at: datetime) -> None:
    """Make an interval the cheapest of its day."""
    nomos.correct_price(subscription.id, at, -30.0)


@pytest.fixture
def tomorrow() -> datetime:
    """Return the beginning of the next day."""
    return datetime.combine(
        datetime(2026, 6, 11, tzinfo=UTC).date(), time(), TARIFF_ZONE
    ).astimezone(UTC)


@pytest.mark.parametrize("minutes", [0, 195])
async def test_the_lowest_price_of_the_day_begins(
    hass: HomeAssistant,
    nomos: Simulator,
    subscription: Any,
    linked: Any,
    advance: Advance,
    tomorrow: datetime,
    minutes: int,
) -> None:
    """Our own trigger fires once a day at its start, even at midnight."""
    begins = tomorrow + timedelta(minutes=minutes)
    await cheapest_at(nomos, subscription, begins)
    await linked()
    ran = await automate(
        hass,
        {
            "lowest": trigger("lowest_price_started", device_of(hass, subscription)),
            "other": trigger("lowest_price_started", {"entity_id": "sensor.other"}),
        },
    )
    await advance(begins - datetime.now(UTC) - timedelta(milliseconds=700))
    ids(ran)
    await advance(timedelta(milliseconds=701))
    assert [call.data["entity"] for call in ran] == [
        entity_id(hass, subscription.id, "price_level")
    ]
    assert ids(ran) == ["lowest"]
    while local_date(datetime.now(UTC)) == local_date(tomorrow):
        await advance(timedelta(minutes=15))
        if local_date(datetime.now(UTC)) == local_date(tomorrow):
            assert ids(ran) == []


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_a_time_stays_until_it_is_past(
    hass: HomeAssistant,
    nomos: Simulator,
    subscription: Any,
    linked: Any,
    advance: Advance,
    tomorrow: datetime,
) -> None:
    """If tomorrow's lowest price begins at midnight, state and attributes keep showing it until then."""
    await cheapest_at(nomos, subscription, tomorrow)
    await linked()
    key = "lowest_price_tomorrow_time"
    assert state_of(hass, subscription.id, key).state == tomorrow.isoformat()
    await advance(tomorrow - datetime.now(UTC) + timedelta(milliseconds=1))
    assert state_of(hass, subscription.id, key).state == tomorrow.isoformat()
    assert state_of(hass, subscription.id, "lowest_price_today_time").state == (
        tomorrow.isoformat()
    )
    await advance(timedelta(seconds=5))
    assert state_of(hass, subscription.id, key).state == "unknown"


async def test_a_changed_plan_is_shown_at_once(
    hass: HomeAssistant,
    nomos: Simulator,
    subscription: Any,
    linked: Any,
    advance: Advance,
    tomorrow: datetime,
) -> None:
    """A state with a time in the future is replaced at once."""
    entry = await linked()
    await cheapest_at(nomos, subscription, datetime(2026, 6, 10, 19, 15, tzinfo=UTC))
    await entry.runtime_data.prices[subscription.id].async_refresh()
    await hass.async_block_till_done()
    shown = state_of(hass, subscription.id, "lowest_price_today_time").state
    assert shown == "2026-06-10T19:15:00+00:00"
