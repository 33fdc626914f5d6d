"""Tests of usage if Nomos refuses a request, or fails to answer an optional one."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from homeassistant.core import HomeAssistant
from simulator.berlin import local_date, midnight
from tests.integration.helpers import count, restart, state_of
from tests.integration.recorder.helpers import MINUTE, pass_time, usage_of

EVENING = datetime(2026, 6, 10, 16, 3, 7, tzinfo=UTC)
SIDE_QUESTIONS = ("grid_fee_reductions", "invoices")


@pytest.fixture
def usage_known() -> bool:
    """Begin with a new account."""
    return False


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.parametrize("status", [400, 402, 429, 500])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_optional_requests_fail(
    hass: HomeAssistant, nomos, linked, advance, subscription, status
) -> None:
    """Usage and a failed request are still sent once a day; a refused one is not sent again."""
    nomos.set_subscription(subscription.id, start_at=midnight(date(2026, 5, 25)))
    for kind in SIDE_QUESTIONS:
        nomos.faults.add("status", kind, status=status)
    entry = await linked()
    await advance(2 * MINUTE)
    await pass_time(nomos, entry, advance, date(2026, 6, 11))
    start = len(nomos.requests)
    await pass_time(nomos, entry, advance, date(2026, 6, 15))
    assert state_of(hass, subscription.id, "usage_latest_day").attributes["date"] == (
        "2026-06-13"
    )
    assert usage_of(entry, subscription).last_error is None
    requests = nomos.requests[start:]
    days = Counter(local_date(one.time) for one in requests)
    assert max(days.values()) <= 10
    kinds = Counter(one.kind for one in requests)
    assert kinds["usage"] <= 4 + 1
    expected = {400: (0, 0), 402: (0, 0), 429: (4, 0), 500: (4, 4)}
    # After a 429, the second request is left to the next day.
    assert (kinds["invoices"], kinds["grid_fee_reductions"]) == expected[status]


async def test_no_request_for_reductions_of_feed_in(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Only consumption has a grid fee."""
    await linked("solar@example.com")
    await advance(2 * MINUTE)
    assert count(nomos, "grid_fee_reductions") == 1


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.parametrize("status", [403, 404])
async def test_usage_is_refused_once(
    hass: HomeAssistant, nomos, linked, advance, subscription, status, caplog
) -> None:
    """If it ever succeeded, it is sent again on the next day, even after a restart, and the log says so."""
    nomos.set_subscription(subscription.id, start_at=midnight(date(2026, 5, 25)))
    entry = await linked()
    await advance(2 * MINUTE)
    nomos.faults.add("status", "usage", status=status, times=2)
    before = count(nomos, "usage")
    await pass_time(nomos, entry, advance, date(2026, 6, 12))
    assert count(nomos, "usage") - before == 1
    await restart(hass, entry)
    await pass_time(nomos, entry, advance, date(2026, 6, 13))
    assert count(nomos, "usage") - before == 2
    assert caplog.text.count("Nomos no longer offers usage for this contract") == 1
    await pass_time(nomos, entry, advance, date(2026, 6, 14))
    assert state_of(hass, subscription.id, "usage_latest_day").attributes["date"] == (
        "2026-06-12"
    )
    assert not usage_of(entry, subscription).data.refused
