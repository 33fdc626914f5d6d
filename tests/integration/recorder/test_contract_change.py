"""Tests of usage of a contract that is followed by another: up to its last hour, until values are final."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
import json

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from simulator import Simulator
from simulator.berlin import local_date, midnight
from simulator.customers import Subscription
from tests.integration.helpers import EMAIL, count, device_ids, restart
from tests.integration.recorder.expected import (
    assert_same,
    assert_true,
    true_hours,
    written_rows,
)
from tests.integration.recorder.helpers import (
    DAY,
    MINUTE,
    pass_time,
    requests_of,
    set_start,
    today,
)

SUPPLY = date(2026, 5, 20)
CHANGE = date(2026, 6, 14)


@pytest.fixture
def contracts(nomos: Simulator) -> tuple[Subscription, Subscription]:
    """Return an ending contract, and the one that follows it."""
    old = set_start(nomos, SUPPLY)
    nomos.set_subscription(old.id, end_at=midnight(CHANGE))
    return old, nomos.add_subscription(EMAIL, start_at=midnight(CHANGE))


def usage_requests(nomos: Simulator, subscription: Subscription) -> int:
    """Return how often usage of a contract was requested."""
    return len([one for one in requests_of(nomos) if subscription.id in one.path])


@pytest.mark.parametrize("restarts", [False, True])
async def test_change(
    hass: HomeAssistant, nomos, linked, advance, files, contracts, restarts
) -> None:
    """The last day is imported with its prices, values become final, and then there are no more requests."""
    old, new = contracts
    entry = await linked()
    await pass_time(nomos, entry, advance, CHANGE)
    await advance(timedelta(hours=1))
    assert device_ids(hass, entry) == {new.id}
    if restarts:
        await restart(hass, entry)
    await pass_time(nomos, entry, advance, CHANGE + DAY)
    await assert_true(hass, nomos, old.id, SUPPLY, CHANGE)
    start = len(nomos.requests)
    if restarts:
        await restart(hass, entry)
    await pass_time(nomos, entry, advance, date(2026, 7, 20))
    days = Counter(local_date(one.time) for one in nomos.requests[start:])
    assert Counter(days.values()).most_common(1)[0][0] <= 7
    assert max(days.values()) <= 12
    await assert_true(hass, nomos, old.id, SUPPLY, CHANGE)
    assert [name for name in files() if old.id in name] == [f"nomos.usage.{old.id}"]
    before = usage_requests(nomos, old)
    await restart(hass, entry)
    await pass_time(nomos, entry, advance, date(2026, 7, 25))
    assert usage_requests(nomos, old) == before
    await assert_true(hass, nomos, new.id, CHANGE, today(nomos) - DAY)

    nomos.remove_subscription(old.id)
    await pass_time(nomos, entry, advance, date(2026, 7, 28))
    assert not [name for name in files() if old.id in name]


@pytest.mark.parametrize("now", [datetime(2026, 6, 3, 9, 41, 23, tzinfo=UTC)])
@pytest.mark.parametrize(
    ("resolution", "successor", "restarts"),
    [("15min", True, False), ("hourly", False, True)],
)
async def test_final_values_after_the_end(
    hass: HomeAssistant,
    nomos,
    linked,
    advance,
    files,
    freezer,
    resolution,
    successor,
    restarts,
) -> None:
    """Values that change after Nomos stopped reporting prices are billed at the old prices, up to the last hour."""
    supply, last = date(2026, 4, 14), date(2026, 6, 11)
    end = midnight(last) + timedelta(hours=9)
    old = set_start(nomos, supply)
    nomos.set_subscription(old.id, end_at=end, resolution=resolution)
    if successor:
        nomos.add_subscription(EMAIL, start_at=end)
    entry = await linked()
    if restarts:
        # Prices are kept whether or not usage is known.
        trouble = midnight(date(2026, 6, 8)), midnight(last + DAY)
        nomos.faults.add("status", "usage", status=503, between=trouble)
    await pass_time(nomos, entry, advance, last)
    await advance(timedelta(hours=19, minutes=7))
    for day in (date(2026, 5, 8), date(2026, 5, 31), date(2026, 6, 1), last):
        start = midnight(day) + timedelta(hours=7, minutes=15)
        nomos.correct_usage(old.id, start, 3.217)
    if restarts:
        await restart(hass, entry)
    await pass_time(nomos, entry, advance, date(2026, 6, 20))
    if restarts:
        assert await hass.config_entries.async_unload(entry.entry_id)
        freezer.move_to(midnight(date(2026, 8, 2)) + timedelta(hours=19, seconds=37))
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    (kept,) = files(f"unsettled_prices.{old.id}").values()
    days = len(json.loads(kept.read_bytes())["data"])
    assert kept.stat().st_size < 1_000 * days
    settled = date(2026, 8, 4) if restarts else date(2026, 7, 18)
    await pass_time(nomos, entry, advance, settled)
    await assert_true(hass, nomos, old.id, supply, last + DAY)
    assert not files(f"unsettled_prices.{old.id}")


async def test_linked_after_the_change(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """The history of the previous contract is imported, too; its unavailable prices are requested once."""
    old = set_start(nomos, date(2026, 1, 10))
    nomos.set_subscription(old.id, end_at=midnight(date(2026, 5, 5)))
    nomos.add_subscription(EMAIL, start_at=midnight(date(2026, 5, 5)))
    never = nomos.add_subscription(EMAIL, start_at=None)
    nomos.set_subscription(never.id, status="ended", end_at=midnight(CHANGE))
    await linked()
    await advance(2 * MINUTE)
    energy, _ = true_hours(nomos, old.id, date(2026, 1, 10), date(2026, 5, 5))
    assert_same(await written_rows(hass, old.id, "usage"), energy)
    assert await written_rows(hass, old.id, "base_fee")
    assert not await written_rows(hass, old.id, "cost")
    assert len([one for one in requests_of(nomos, "prices") if old.id in one.path]) == 1
    assert usage_requests(nomos, old) == 5
    assert usage_requests(nomos, never) == 0


async def test_prices_after_the_end(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """If Nomos still reports prices of an ended contract, its usage has a cost."""
    old = set_start(nomos, date(2026, 4, 20))
    nomos.set_subscription(old.id, end_at=midnight(date(2026, 5, 5)))
    nomos.add_subscription(EMAIL, start_at=midnight(date(2026, 5, 5)))

    def with_prices(answer):
        if answer["subscription"] != old.id:
            return answer
        day = date.fromisoformat(answer["period"]["start"])
        last = date.fromisoformat(answer["period"]["end"])
        items = []
        while day <= last:
            items += [
                {
                    "timestamp": point.start.isoformat(),
                    "amount": point.amount,
                    "components": [],
                }
                for point in nomos.day_prices(old.id, day)
            ]
            day += DAY
        return {**answer, "items": items}

    nomos.faults.add("mutate", "prices", change=with_prices)
    await linked()
    await advance(2 * MINUTE)
    await assert_true(hass, nomos, old.id, date(2026, 4, 20), date(2026, 5, 5))


async def test_reported_as_ended_by_mistake(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """A contract that is active after all is shown as before, and requested by a single coordinator."""
    subscription = set_start(nomos, SUPPLY)
    nomos.add_subscription(EMAIL, start_at=midnight(date(2026, 6, 1)))
    entry: MockConfigEntry = await linked()
    await advance(2 * MINUTE)
    runtime = entry.runtime_data
    for status in ("ended", None):
        nomos.set_subscription(subscription.id, status=status)
        await runtime.account.async_refresh()
        await hass.async_block_till_done(wait_background_tasks=True)
        ended = status is not None
        assert runtime.usage[subscription.id].shown is not ended
    before = count(nomos, "usage")
    await pass_time(nomos, entry, advance, date(2026, 6, 12))
    assert count(nomos, "usage") - before <= 2 * 2 + 1
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos) - DAY)
