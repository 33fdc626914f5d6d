"""Tests of usage while Home Assistant has no recorder, and once it has one."""

from datetime import date, timedelta

import pytest

from homeassistant.core import HomeAssistant
from tests.integration.helpers import count, restart, state_of
from tests.integration.recorder.expected import assert_true, written_rows
from tests.integration.recorder.helpers import (
    DAY,
    MINUTE,
    advance_until_synced,
    requests_of,
    set_start,
    today,
    usage_of,
)


async def test_a_recorder_that_comes_later(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Sensors work without a recorder; with one, the whole contract is imported."""
    subscription = set_start(nomos, date(2026, 3, 20))
    # A real recorder cannot start later; a component that is not listed counts as missing.
    hass.config.components.remove("recorder")
    entry = await linked()
    await advance(2 * MINUTE)
    # Requests for the last month and this one, for the sensors.
    assert [one.query["start"] for one in requests_of(nomos)] == [
        "2026-05-01",
        "2026-06-01",
    ]
    assert usage_of(entry, subscription).last_error is None
    assert float(state_of(hass, subscription.id, "usage_latest_day").state) > 0
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 11))
    before = state_of(hass, subscription.id, "usage_latest_day").state

    hass.config.components.add("recorder")
    assert not await written_rows(hass, subscription.id, "usage")
    requests = count(nomos, "usage")
    await restart(hass, entry)
    await advance(timedelta(minutes=5))
    # Nothing more is due today.
    assert count(nomos, "usage") == requests
    assert state_of(hass, subscription.id, "usage_latest_day").state == before
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 12))
    assert [one.query["start"] for one in requests_of(nomos)[requests:]] == [
        "2026-03-20",
        "2026-04-01",
        "2026-05-01",
        "2026-06-01",
    ]
    await assert_true(hass, nomos, subscription.id, date(2026, 3, 20), today(nomos))


@pytest.mark.parametrize("back", [date(2026, 6, 15), date(2026, 8, 25)])
async def test_recorder_that_was_off(
    hass: HomeAssistant, nomos, linked, advance, back
) -> None:
    """Everything metered meanwhile is imported at the next sync, even for months that are settled by then."""
    supply = date(2026, 5, 20)
    subscription = set_start(nomos, supply)
    entry = await linked()
    await advance(2 * MINUTE)
    hass.config.components.remove("recorder")
    await restart(hass, entry)
    await advance_until_synced(entry, subscription, advance, back)
    hass.config.components.add("recorder")
    await restart(hass, entry)
    await advance_until_synced(entry, subscription, advance, back + DAY)
    await assert_true(hass, nomos, subscription.id, supply, today(nomos))
