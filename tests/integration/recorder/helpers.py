"""Helpers for tests of usage: a metered contract, day by day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy import event

from custom_components.nomos.usage.coordinator import UsageCoordinator
from custom_components.nomos.usage.record import MonthStatus
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from simulator import RecordedRequest, Simulator
from simulator.berlin import local_date, midnight
from simulator.customers import Subscription
from tests.integration.helpers import Advance

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

_AFTER_DUE = timedelta(seconds=3)
"""How long after its scheduled time a request has been sent, since timers have a resolution of seconds."""


def set_start(
    nomos: Simulator, start: date | datetime, email: str = "smart@example.com"
) -> Subscription:
    """Set the start of a customer's only contract to a day or an instant."""
    (subscription,) = nomos.customers[email].subscriptions
    at = start if isinstance(start, datetime) else midnight(start)
    nomos.set_subscription(subscription.id, start_at=at)
    return subscription


def usage_of(entry: MockConfigEntry, subscription: Subscription) -> UsageCoordinator:
    """Return the usage coordinator of a contract."""
    found: UsageCoordinator = entry.runtime_data.usage[subscription.id]
    return found


def incomplete(entry: MockConfigEntry, subscription: Subscription) -> list[date]:
    """Return the incomplete months, which no longer change."""
    months = usage_of(entry, subscription).data.months
    return [one for one, at in months.items() if at.status is MonthStatus.INCOMPLETE]


async def advance_until_synced(
    entry: MockConfigEntry, subscription: Subscription, advance: Advance, until: date
) -> None:
    """Advance from one scheduled request to the next until usage has been synced on a day."""
    while True:
        usage = usage_of(entry, subscription)
        synced_on = usage.data.synced_on
        if synced_on is not None and synced_on >= until and usage.last_error is None:
            return
        planned = [usage.next_request, usage.prices.next_request]
        at = min(one for one in planned if one is not None)
        await advance(max(at - dt_util.utcnow(), timedelta()) + _AFTER_DUE)


async def pass_time(
    nomos: Simulator, entry: MockConfigEntry, advance: Advance, until: date
) -> None:
    """Advance from one scheduled request of an account to the next until a day begins."""
    runtime = entry.runtime_data
    while today(nomos) < until:
        coordinators = (
            runtime.account,
            *runtime.prices.values(),
            *runtime.usage.values(),
        )
        planned = [one.next_request for one in coordinators]
        at = min((one for one in planned if one is not None), default=dt_util.utcnow())
        wait = min(max(at - dt_util.utcnow(), timedelta()), timedelta(hours=2))
        await advance(wait + _AFTER_DUE)


async def sleep_until(
    entry: MockConfigEntry,
    subscription: Subscription,
    freezer: FrozenDateTimeFactory,
    advance: Advance,
    hass: HomeAssistant,
    day: date,
) -> None:
    """Keep the hub off until the evening of a day, then sync."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.move_to(midnight(day) + timedelta(hours=20))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await advance_until_synced(entry, subscription, advance, day)


def requests_of(nomos: Simulator, kind: str = "usage") -> list[RecordedRequest]:
    """Return the requests of a kind."""
    return [one for one in nomos.requests if one.kind == kind]


def days_covered(request: RecordedRequest) -> int:
    """Return how many days a request for usage covers."""
    first, end = (date.fromisoformat(request.query[key]) for key in ("start", "end"))
    return (end - first).days


@contextmanager
def rows_touched(hass: HomeAssistant) -> Iterator[list[str]]:
    """Collect the SQL statements that write long-term statistics."""
    found: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        words = statement.split()
        target = words[1] if words[0] == "UPDATE" else words[2:3][0]
        if words[0] in {"INSERT", "UPDATE", "DELETE"} and target == "statistics":
            found.append(statement)

    engine = get_instance(hass).engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def clear(hass: HomeAssistant, *names: str) -> None:
    """Delete statistics, as with Home Assistant's developer tools."""
    get_instance(hass).async_clear_statistics(list(names))
    await async_wait_recording_done(hass)


def today(nomos: Simulator) -> date:
    """Return the current day of the tariff."""
    return local_date(nomos.clock.now())
