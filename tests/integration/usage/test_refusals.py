"""What happens to usage where Nomos refuses a question, or fails to answer one that is nice to have."""

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
    """Begin with an account that is new."""
    return False


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.parametrize("status", [400, 402, 429, 500])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_side_questions_fail(
    hass: HomeAssistant, nomos, linked, advance, subscription, status
) -> None:
    """Usage is asked for once a day all the same, and what failed with it; what is refused is left alone."""
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
    # Who is told to wait leaves the second question for the next day.
    assert (kinds["invoices"], kinds["grid_fee_reductions"]) == expected[status]


async def test_nobody_asks_for_reductions_of_what_is_sold(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Only what is bought pays a grid fee."""
    await linked("solar@example.com")
    await advance(2 * MINUTE)
    assert count(nomos, "grid_fee_reductions") == 1


@pytest.mark.parametrize("now", [EVENING])
@pytest.mark.parametrize("status", [403, 404])
async def test_usage_is_refused_once(
    hass: HomeAssistant, nomos, linked, advance, subscription, status, caplog
) -> None:
    """What was answered before is asked for again on the next day, also after a restart, and somebody says so."""
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
