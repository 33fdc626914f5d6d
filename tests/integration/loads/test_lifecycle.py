"""Tests of flexible loads over time: changing contracts, late prices, a sleeping hub."""

from datetime import UTC, date, datetime, timedelta

import pytest

from custom_components.nomos.loads.load import SUBENTRY_TYPE
from custom_components.nomos.loads.plan import LoadStatus
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.integration.helpers import EMAIL, Advance, restart
from tests.integration.loads.helpers import (
    CAR,
    add,
    moment,
    open_form,
    runs_now,
    shown,
    status,
    suggested,
    table_of,
    until,
)

pytestmark = pytest.mark.usefixtures("german_hub")

QUARTER = timedelta(minutes=15)


def attributes(hass, load_id):
    """Return the attributes of a load's plan."""
    return shown(hass, load_id, "run_now", "binary_sensor").attributes


def planned(hass, load_id):
    """Return the planned run time of the load."""
    return sum(
        (
            datetime.fromisoformat(run["end"]) - datetime.fromisoformat(run["start"])
            for run in attributes(hass, load_id)["runs"]
        ),
        timedelta(),
    )


async def test_following_contract(
    hass: HomeAssistant, nomos, linked, subscription, advance: Advance
) -> None:
    """Until the next contract begins, loads are planned with the current one, even after a restart."""
    entry = await linked()
    load_id = await add(hass, entry)
    end = datetime(2026, 6, 12, 22, tzinfo=UTC)
    nomos.set_subscription(subscription.id, end_at=end)
    following = nomos.add_subscription(EMAIL, start_at=end)
    await entry.runtime_data.account.async_refresh()
    await restart(hass, entry)
    runtime = entry.runtime_data
    # In Nomos's order, newest first.
    assert list(runtime.prices) == [following.id, subscription.id]
    load = runtime.loads.all[load_id]
    assert load.coordinator is runtime.prices[subscription.id]
    assert status(hass, load_id) == LoadStatus.PROVISIONAL
    form = suggested(await open_form(hass, entry))
    assert form["subscription"] == subscription.id
    while datetime.now(UTC) < end + timedelta(hours=2):
        await advance(QUARTER)
    assert load.coordinator is runtime.prices[following.id]
    assert status(hass, load_id) in {
        LoadStatus.PLANNED,
        LoadStatus.PROVISIONAL,
        LoadStatus.RUNNING,
    }


async def test_chosen_contract_that_ends(
    hass: HomeAssistant, nomos, linked, subscription, advance: Advance
) -> None:
    """A load of a contract that has ended is planned with the following one."""
    end = datetime(2026, 6, 12, 22, tzinfo=UTC)
    nomos.set_subscription(subscription.id, end_at=end)
    following = nomos.add_subscription(EMAIL, start_at=end)
    entry = await linked()
    load_id = await add(hass, entry, subscription=subscription.id)
    while datetime.now(UTC) < end + timedelta(hours=2):
        await advance(QUARTER)
    runtime = entry.runtime_data
    assert runtime.loads.all[load_id].coordinator is runtime.prices[following.id]
    assert status(hass, load_id) in {
        LoadStatus.PLANNED,
        LoadStatus.PROVISIONAL,
        LoadStatus.RUNNING,
    }


async def test_feed_in_contract_only(hass: HomeAssistant, nomos, linked) -> None:
    """An account with only a feed-in contract cannot plan loads, and the form says so."""
    for one in list(nomos.customers["solar@example.com"].subscriptions):
        if one.type != "feed_in":
            nomos.remove_subscription(one.id)
    entry = await linked("solar@example.com")
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_TYPE), context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "no_consumption"


@pytest.mark.parametrize(
    ("known", "cap", "expected"),
    [
        # Prices are known and too high; the configured time does not apply then.
        (True, -50, LoadStatus.ABOVE_CAP),
        (False, None, LoadStatus.FALLBACK),
        # The known prices of that time are too high, whatever the rest may be.
        (False, -50, LoadStatus.WAITING_FOR_PRICES),
    ],
)
async def test_own_time_and_price_cap(
    hass: HomeAssistant, nomos, linked, advance: Advance, known, cap, expected
) -> None:
    """A load does not run at a price above its cap, not even at the configured time."""
    if not known:
        nomos.publish_at(date(2026, 6, 11), "never")
    entry = await linked()
    await until(advance, datetime(2026, 6, 10, 15, tzinfo=UTC))
    load_id = await add(
        hass,
        entry,
        start="18:00:00",
        end="06:00:00",
        duration={"hours": 8},
        price_cap=cap,
        fallback="20:00:00",
    )
    assert status(hass, load_id) == expected
    ran = False
    while datetime.now(UTC) < datetime(2026, 6, 11, 4, tzinfo=UTC):
        await advance(QUARTER)
        ran = ran or runs_now(hass, load_id)
    assert ran == (expected is LoadStatus.FALLBACK)


@pytest.mark.parametrize("restarts", [False, True])
async def test_rest_is_planned_again_when_prices_come(
    hass: HomeAssistant, nomos, linked, subscription, advance: Advance, restarts
) -> None:
    """An interruptible load starts early if yesterday's prices promise nothing better, and replans its rest."""
    nomos.publish_at(date(2026, 6, 11), "never")
    entry = await linked()
    opens = datetime(2026, 6, 10, 19, tzinfo=UTC)
    for number in range(6):
        nomos.correct_price(subscription.id, opens + number * QUARTER, 1.0)
    coordinator = next(iter(entry.runtime_data.prices.values()))
    await coordinator.async_refresh()
    await until(advance, opens - QUARTER)
    load_id = await add(hass, entry, CAR, start="21:00:00", end="07:00:00")
    assert status(hass, load_id) == LoadStatus.PROVISIONAL
    assert planned(hass, load_id) == timedelta(hours=4)
    # A stand-in for a price is not shown as a price.
    assert shown(hass, load_id, "expected_cost").state == "unknown"
    ran = await run_to(hass, advance, load_id, opens + timedelta(minutes=20, seconds=7))
    assert ran == timedelta(minutes=20, seconds=7)
    before = attributes(hass, load_id)
    nomos.publish_at(date(2026, 6, 11), datetime(2026, 6, 10).time())
    for number in range(8):
        at = datetime(2026, 6, 11, 1, 15, tzinfo=UTC) + number * QUARTER
        nomos.correct_price(subscription.id, at, 0.5)
    await coordinator.async_refresh()
    await hass.async_block_till_done()
    assert runs_now(hass, load_id)
    now = attributes(hass, load_id)
    assert now["runs"] != before["runs"]
    assert now["window"] == before["window"]
    # It has to run for half an hour; then it waits for cheaper hours.
    assert datetime.fromisoformat(now["runs"][0]["start"]) == opens
    assert float(shown(hass, load_id, "expected_cost").state) > 0
    ran += await run_to(hass, advance, load_id, datetime(2026, 6, 10, 22, tzinfo=UTC))
    if restarts:
        await restart(hass, entry)
    assert planned(hass, load_id) == timedelta(hours=4)
    ran += await run_to(
        hass, advance, load_id, datetime(2026, 6, 11, 1, 15, tzinfo=UTC)
    )
    if restarts:
        await restart(hass, entry)
    ran += await run_to(
        hass, advance, load_id, datetime(2026, 6, 11, 4, 59, tzinfo=UTC)
    )
    # The counted minutes are not aligned with those of the clock.
    assert abs(ran - timedelta(hours=4)) < timedelta(minutes=1)
    assert status(hass, load_id) == LoadStatus.DONE
    await run_to(hass, advance, load_id, datetime(2026, 6, 11, 5, 1, tzinfo=UTC))
    assert attributes(hass, load_id)["window"] != before["window"]


async def run_to(hass, advance: Advance, load_id, end: datetime) -> timedelta:
    """Advance to an instant; return for how long the load was on."""
    ran = timedelta()
    while (left := end - datetime.now(UTC)) > timedelta():
        on = runs_now(hass, load_id)
        step = min(timedelta(minutes=1), left)
        await advance(step)
        ran += step * on
    return ran


async def test_run_while_the_hub_slept(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """If the hub slept through a run, the load runs again in the same window."""
    entry = await linked()
    load_id = await add(hass, entry, end="12:00:00")
    await until(advance, datetime(2026, 6, 10, 18, 30, tzinfo=UTC))
    window = attributes(hass, load_id)["window"]
    end = moment(hass, load_id, "next_end")
    await advance(end + timedelta(minutes=1) - datetime.now(UTC))
    assert attributes(hass, load_id)["window"]["end"] == window["end"]
    assert moment(hass, load_id, "next_start") >= end
    await until(advance, moment(hass, load_id, "next_start") + QUARTER)
    assert runs_now(hass, load_id)
    await until(advance, moment(hass, load_id, "next_end"))
    assert attributes(hass, load_id)["window"]["end"] != window["end"]


async def test_next_night_is_planned_after_the_run(
    hass: HomeAssistant, linked, advance: Advance
) -> None:
    """The next night is planned when a run ends, though its window is still open and no prices arrive then."""
    entry = await linked()
    load_id = await add(hass, entry)
    await until(advance, datetime(2026, 6, 10, 15, tzinfo=UTC))
    known = table_of(entry)
    opens, closes = (
        datetime.fromisoformat(attributes(hass, load_id)["window"][edge])
        for edge in ("start", "end")
    )
    end = moment(hass, load_id, "next_end")
    await until(advance, end)
    assert datetime.now(UTC) < closes
    assert table_of(entry) is known
    assert not runs_now(hass, load_id)
    assert moment(hass, load_id, "next_start") >= opens + timedelta(days=1)


async def test_hub_that_moves(hass: HomeAssistant, linked) -> None:
    """Windows are in local time, even after the hub's time zone changes."""
    entry = await linked()
    load_id = await add(hass, entry, start="20:00:00", end="22:30:00")
    assert attributes(hass, load_id)["window"]["start"][11:16] == "20:00"
    await hass.config.async_update(time_zone="Europe/London")
    await hass.async_block_till_done()
    assert attributes(hass, load_id)["window"]["start"][11:16] == "21:00"
    assert table_of(entry) is not None
