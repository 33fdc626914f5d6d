"""Tests of the requests that automations and scripts cause, even if they call often and many at once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.prices import past as price_history
from custom_components.nomos.pricing import local_date
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.integration.automation.get_prices import assert_true_prices, get_prices
from tests.integration.automation.helpers import refresh
from tests.integration.helpers import Advance, assert_right, restart, state_of

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MAY = {"start": "2026-05-01", "end": "2026-05-31"}


@pytest.fixture
async def update(hass: HomeAssistant):
    """Return a function that calls update_entity for every entity."""
    assert await async_setup_component(hass, "homeassistant", {})

    async def call():
        ids = [
            one
            for one in hass.states.async_entity_ids(("sensor", "binary_sensor"))
            if er.async_get(hass).async_get(one).platform == DOMAIN
        ]
        await hass.services.async_call(
            "homeassistant", "update_entity", {"entity_id": ids}, blocking=True
        )

    return call


@pytest.fixture
async def known(hass: HomeAssistant, linked, advance: Advance):
    """Return an account in the evening, with all prices known."""
    entry = await linked()
    await advance(2 * MINUTE)
    await advance(4 * HOUR)
    await advance(4 * HOUR)
    return entry


async def test_ten_callers_share_a_past_month(
    hass: HomeAssistant, nomos, linked, subscription
) -> None:
    """Ten simultaneous callers that want the same month share one request, and later callers use its response."""
    await linked()
    before = nomos.count()
    answers = await asyncio.gather(*(get_prices(hass, **MAY) for _ in range(10)))
    answers.append(await get_prices(hass, **MAY))
    assert nomos.count() == before + 1
    assert all(one == answers[0] for one in answers)
    assert len(answers[0]["prices"]) == 31 * 96
    assert_true_prices(nomos, subscription, answers[0]["prices"])


async def test_months_again_and_again(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """Several months that a loop wants are requested once a day."""
    await linked()
    before = nomos.count("prices")
    for _ in range(3):
        await get_prices(hass, start="2026-01-07", end="2026-06-09", format="pairs")
        await advance(MINUTE)
    assert nomos.count("prices") == before + 5
    await advance(timedelta(hours=25))
    before = nomos.count("prices")
    await get_prices(hass, **MAY)
    assert nomos.count("prices") == before + 1


async def test_many_ranges_are_not_all_kept(hass: HomeAssistant, nomos, linked) -> None:
    """The cache is limited; the oldest response is dropped first."""
    await linked()
    days = [f"2026-05-{day:02}" for day in range(1, price_history._KEPT + 2)]
    for day in days:
        await get_prices(hass, start=day, end=day)
    before = nomos.count("prices")
    await get_prices(hass, start=days[-1], end=days[-1])
    assert nomos.count("prices") == before
    await get_prices(hass, start=days[0], end=days[0])
    assert nomos.count("prices") == before + 1


async def test_gap_is_asked_for_again(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """A missing price is requested again on the same day."""
    gap = datetime(2026, 5, 5, 8, tzinfo=UTC), datetime(2026, 5, 5, 9, tzinfo=UTC)
    nomos.configure(missing=[gap])
    await linked()
    before = nomos.count("prices")
    for _ in range(3):
        short = await get_prices(hass, **MAY)
    assert nomos.count("prices") == before + 1
    nomos.configure(missing=[])
    await advance(61 * MINUTE)
    whole = await get_prices(hass, **MAY)
    unknown = [one for one in short["prices"] if one["price"] is None]
    assert len(short["prices"]) - len(unknown) == 31 * 96 - 4
    assert len(whole["prices"]) == 31 * 96


async def test_failure_is_shared_and_remembered(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """While Nomos is down, a loop causes few requests, and it works again soon after Nomos does."""
    await linked()
    nomos.faults.add(kind="status", status=503, match="prices")
    before = nomos.count()
    for _ in range(10):
        found = await asyncio.gather(
            *(get_prices(hass, **MAY) for _ in range(10)), return_exceptions=True
        )
        assert {one.translation_key for one in found} == {"action_unavailable"}
    assert nomos.count() == before + 1
    nomos.faults.clear()
    await advance(61 * SECOND)
    assert len((await get_prices(hass, **MAY))["prices"]) == 31 * 96


@pytest.mark.parametrize("who", [0, 1, 2])
async def test_cancelled_caller_affects_no_other(
    hass: HomeAssistant, nomos, linked, advance: Advance, who
) -> None:
    """If several callers wait for the same response, any of them may be cancelled, even the first."""
    await linked()
    before = nomos.count()
    nomos.faults.add(kind="delay", match="prices", seconds=1, times=1)
    callers = [hass.async_create_task(get_prices(hass, **MAY)) for _ in range(3)]
    while nomos.faults.pending:
        await asyncio.sleep(0)
    callers[who].cancel()
    await advance(2 * SECOND)
    with pytest.raises(asyncio.CancelledError):
        await callers.pop(who)
    found = await asyncio.gather(*callers)
    assert all(len(one["prices"]) == 31 * 96 for one in found)
    assert nomos.count() == before + 1


async def test_unload_while_somebody_waits(hass: HomeAssistant, nomos, linked) -> None:
    """A caller that waits for past prices gets a clear error if the account is unloaded."""
    entry = await linked()
    nomos.faults.add(kind="delay", match="prices", seconds=60, times=1)
    caller = hass.async_create_task(get_prices(hass, **MAY))
    while nomos.faults.pending:
        await asyncio.sleep(0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(HomeAssistantError) as failed:
        await caller
    assert failed.value.translation_key == "action_unavailable"


@pytest.mark.usefixtures("known")
async def test_update_entity_when_all_is_known(
    hass: HomeAssistant, nomos, advance: Advance, update
) -> None:
    """While no news is possible, there is no request, all evening and across a restart."""
    before = nomos.count()
    for _ in range(60):
        await update()
        await advance(MINUTE)
    assert nomos.count() == before


async def test_update_entity_on_a_day(
    hass: HomeAssistant, nomos, linked, advance: Advance, update, subscription
) -> None:
    """An automation that updates all entities all day long causes at most one request, on a late day."""
    nomos.configure(publication_time=time(14, 20))
    await linked()
    await advance(2 * MINUTE)
    await advance(16 * HOUR)
    before = len(nomos.requests)
    for _ in range(24 * 6):
        await advance(10 * MINUTE)
        await update()
    assert_right(hass, nomos, subscription)
    kinds = Counter(one.kind for one in nomos.requests[before:])
    assert kinds.total() <= 8, kinds


async def test_update_entity_requests_late_prices(
    hass: HomeAssistant, nomos, linked, advance: Advance, update, subscription
) -> None:
    """It requests a day that may be published by now, and does not delay the scheduled request."""
    nomos.publish_at(datetime(2026, 6, 11, tzinfo=UTC).date(), time(14, 35))
    entry = await linked()
    coordinator = entry.runtime_data.prices[subscription.id]
    await advance(coordinator.next_request - datetime.now(UTC) + 2 * SECOND)
    planned = coordinator.next_request
    before = nomos.count("prices")
    await update()
    assert nomos.count("prices") == before
    await advance(31 * MINUTE)
    await update()
    assert nomos.count("prices") == before + 1
    assert coordinator.next_request == planned
    await advance(planned - datetime.now(UTC) + 2 * SECOND)
    assert nomos.count("prices") == before + 2
    tomorrow = state_of(hass, subscription.id, "tomorrow_available", "binary_sensor")
    assert tomorrow.state == "on"


async def test_thousand_refreshes(
    hass: HomeAssistant, nomos, known, advance: Advance
) -> None:
    """The first call sends requests, whatever is known; then there is nothing to request until the next day."""
    before = nomos.count("subscriptions"), nomos.count("prices")
    await asyncio.gather(*(refresh(hass) for _ in range(10)))
    for _ in range(100):
        await asyncio.gather(*(refresh(hass) for _ in range(10)))
    assert nomos.count("subscriptions") == before[0] + 1
    assert nomos.count("prices") == before[1] + 1


async def test_refresh_all_day(
    hass: HomeAssistant, nomos, known, advance: Advance
) -> None:
    """A loop costs one more request per day, and an access token for it."""
    await advance(4 * HOUR)
    before, today = len(nomos.requests), local_date(datetime.now(UTC))
    while local_date(datetime.now(UTC)) == today:
        await refresh(hass)
        await advance(10 * MINUTE)
    kinds = Counter(one.kind for one in nomos.requests[before:])
    assert kinds.total() <= 9, kinds


async def test_refresh_while_nomos_is_down(
    hass: HomeAssistant, nomos, known, advance: Advance
) -> None:
    """Each call reports the error, with one request a minute; the first call once Nomos works succeeds."""
    nomos.faults.add(kind="status", status=503)
    before = len(nomos.requests)
    for _ in range(100):
        with pytest.raises(HomeAssistantError) as failed:
            await refresh(hass)
        assert failed.value.translation_key == "action_unavailable"
    assert len(nomos.requests) <= before + 2
    nomos.faults.clear()
    await advance(61 * SECOND)
    await refresh(hass)


async def test_refresh_after_a_restart(
    hass: HomeAssistant, nomos, known, subscription
) -> None:
    """A refresh by hand gets a correction at once."""
    nomos.correct_price(subscription.id, datetime.now(UTC), 12.34)
    await restart(hass, known)
    await refresh(hass)
    await hass.async_block_till_done()
    assert float(state_of(hass, subscription.id, "price").state) == 0.1234
