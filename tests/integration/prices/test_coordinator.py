"""Tests of the data clock and of the price table: no price is lost, and there are few requests."""

import asyncio
from collections import Counter
from dataclasses import astuple
from datetime import UTC, date, datetime, time, timedelta

import pytest

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.integration.helpers import EMAIL, Advance, assert_right, state_of

QUARTER = timedelta(minutes=15)


def price(hass, subscription):
    """Return the state of the current price."""
    return state_of(hass, subscription.id, "price").state


@pytest.mark.parametrize(
    "published", [time(13), time(13, 40), time(14, 5), time(14, 20)]
)
async def test_a_normal_day_is_polite(
    hass: HomeAssistant, nomos, linked, advance: Advance, published
) -> None:
    """Tomorrow is known by 15:00 local with at most seven requests a day, none of them at a full minute."""
    nomos.configure(publication_time=published)
    entry = await linked()
    await advance(timedelta(hours=16))
    subscription = nomos.customers[EMAIL].subscriptions[0]
    begin = len(nomos.requests)
    for minute in range(24 * 60):
        await advance(timedelta(minutes=1))
        if minute % 15 == 0:
            assert_right(hass, nomos, subscription)
        local = datetime.now(UTC) + timedelta(hours=2)
        if local.hour == 15:
            flag = state_of(
                hass, subscription.id, "tomorrow_available", Platform.BINARY_SENSOR
            )
            assert flag.state == "on"
    kinds = Counter(one.kind for one in nomos.requests[begin:])
    assert kinds["subscriptions"] == 1
    assert kinds["prices"] <= 4
    assert kinds["token"] <= 2
    assert sum(kinds.values()) <= 7
    look = entry.runtime_data.prices[subscription.id].next_request
    assert look.second != 0


async def test_new_contract_causes_no_warning(
    hass: HomeAssistant, nomos, linked, caplog
) -> None:
    """There is no warning about a contract whose prices were not requested yet."""
    entry = await linked()
    new = nomos.add_subscription(EMAIL)
    await entry.runtime_data.account.async_refresh()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert_right(hass, nomos, new)
    assert not [
        one
        for one in caplog.records
        if one.levelname == "WARNING" and "nomos" in one.name
    ]


async def test_outage_within_the_horizon(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, caplog
) -> None:
    """As long as the current price is known, an outage is not reported."""
    entry = await linked()
    nomos.faults.add(kind="reset")
    await entry.runtime_data.prices[subscription.id].async_refresh()
    for _ in range(50):
        await advance(QUARTER)
        assert_right(hass, nomos, subscription)
    assert not [
        record
        for record in caplog.records
        if record.levelname in {"ERROR", "WARNING"}
        and "nomos" in record.name
        and "prices" in record.getMessage()
    ]


async def test_outage_is_logged_once(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, caplog
) -> None:
    """The log says once that Nomos does not answer, and once at info level that it does again."""
    entry = await linked()
    coordinator = entry.runtime_data.prices[subscription.id]
    fault = nomos.faults.add(kind="status", status=503, match="prices")

    def logged() -> list[str]:
        return [
            one.getMessage()
            for one in caplog.records
            if one.levelname == "INFO" and one.name.startswith("custom_components")
        ]

    caplog.set_level("INFO", "custom_components.nomos")
    for _ in range(3):
        await coordinator.async_refresh()
    [first] = logged()
    assert "could not be read" in first
    fault.times = 0
    for _ in range(2):
        await coordinator.async_refresh()
    assert logged() == [first, f"{coordinator.subject}: can be read again"]


async def test_outage_beyond_the_horizon(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Once prices run out they are unavailable, and they are back soon after Nomos is."""
    await linked()
    nomos.faults.add(kind="status", status=503)
    for _ in range(70):
        await advance(QUARTER)
    assert price(hass, subscription) == STATE_UNAVAILABLE
    nomos.faults.clear()
    for _ in range(3):
        await advance(QUARTER)
    assert_right(hass, nomos, subscription)


async def test_good_prices_survive_bad_answers(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Empty, null, partial and broken responses remove no price."""
    entry = await linked()
    coordinator = entry.runtime_data.prices[subscription.id]
    before = coordinator.data
    for change in (
        {"kind": "settings", "missing": [0, 40, 50, -1]},
        {"kind": "settings", "null_amounts": list(range(96))},
        {"kind": "settings", "nan_amounts": [40]},
        {"kind": "settings", "unit": "EUR/kWh"},
        {"kind": "set_fields", "values": {"items": []}},
        {"kind": "set_fields", "values": {"items": None}},
        {"kind": "truncate"},
        {"kind": "empty"},
        {"kind": "status", "status": 404},
    ):
        nomos.faults.clear()
        nomos.faults.add(match="prices", **change)
        await coordinator.async_refresh()
        assert coordinator.data is before, change
        assert_right(hass, nomos, subscription)


async def test_corrections_replace(
    hass: HomeAssistant, nomos, linked, subscription
) -> None:
    """A correction by Nomos replaces the price."""
    entry = await linked()
    nomos.correct_price(subscription.id, datetime.now(UTC), 99.0)
    await entry.runtime_data.prices[subscription.id].async_refresh()
    assert float(price(hass, subscription)) == 0.99


async def test_unknown_price_is_unknown(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """An interval without a price is unknown, a missing one unavailable, and both are requested."""
    start = datetime(2026, 6, 10, 8, tzinfo=UTC)
    nomos.configure(null_amounts=[(start, start + QUARTER)])
    await linked()
    assert price(hass, subscription) == STATE_UNKNOWN
    nomos.configure(null_amounts=[])
    await advance(timedelta(minutes=2))
    assert_right(hass, nomos, subscription)


async def test_absent_interval_is_unknown(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """An interval that Nomos leaves out is unknown, and the rest of the day is still shown."""
    start = datetime(2026, 6, 10, 8, 15, tzinfo=UTC)
    nomos.configure(missing=[(start, start + QUARTER)])
    await linked()
    before = state_of(hass, subscription.id, "average_price_today").state
    listed = state_of(hass, subscription.id, "price").attributes["prices_today"]
    await advance(QUARTER)
    shown = state_of(hass, subscription.id, "price")
    assert shown.state == STATE_UNKNOWN
    assert shown.attributes["prices_today"] == listed
    assert state_of(hass, subscription.id, "average_price_today").state == before
    assert state_of(hass, subscription.id, "price_level").state == STATE_UNKNOWN
    flag = state_of(hass, subscription.id, "tomorrow_available", Platform.BINARY_SENSOR)
    assert flag.state == "off"
    await advance(QUARTER)
    assert_right(hass, nomos, subscription)


async def test_components_are_kept(
    hass: HomeAssistant, nomos, linked, subscription
) -> None:
    """A response without components keeps the known ones if the price is the same."""
    entry = await linked()
    coordinator = entry.runtime_data.prices[subscription.id]
    before = coordinator.data
    assert None not in astuple(before.at(datetime.now(UTC)).components)
    nomos.configure(components="absent")
    await coordinator.async_refresh()
    assert coordinator.data is before


async def test_failure_at_setup_causes_no_warning_later(
    hass: HomeAssistant, nomos, linked, caplog
) -> None:
    """A contract without prices at setup is treated like others afterwards."""
    contracts = {
        one.type: one for one in nomos.customers["solar@example.com"].subscriptions
    }
    feed_in = contracts["feed_in"].id
    fault = nomos.faults.add(
        kind="status", status=500, match=f"/subscriptions/{feed_in}/prices"
    )
    entry = await linked("solar@example.com")
    fault.times = 0
    coordinator = entry.runtime_data.prices[feed_in]
    await coordinator.async_refresh()
    caplog.clear()
    nomos.faults.add(kind="status", status=500, match="prices")
    await coordinator.async_refresh()
    assert coordinator.last_update_success
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        # An inactive contract that the list reports as active.
        ({"kind": "set_fields", "values": {"items": None}}, 10),
        # Each time, one request for today and tomorrow and one for today alone.
        ({"kind": "status", "status": 404}, 20),
    ],
)
async def test_no_prices_for_the_contract(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, fault, asked
) -> None:
    """Prices that Nomos has not had for two days are requested a few times a day.

    If Nomos reports the contract as inactive, there is no issue about the connection.
    """
    await linked()
    nomos.faults.add(match="prices", **fault)
    while datetime.now(UTC) < datetime(2026, 6, 13, tzinfo=UTC):
        await advance(QUARTER)
    prices, contracts = nomos.count("prices"), nomos.count("subscriptions")
    for _ in range(24 * 4):
        await advance(QUARTER)
    assert 0 < nomos.count("prices") - prices <= asked
    assert nomos.count("subscriptions") - contracts <= 2
    issues = [one.translation_key for one in ir.async_get(hass).issues.values()]
    assert issues == (["prices_late"] if fault["kind"] == "status" else [])


async def test_overdue_requests_of_all_kinds(
    hass: HomeAssistant, nomos, linked, advance: Advance, freezer, subscription
) -> None:
    """After the machine slept, the hub sends all missed requests at the next boundary."""
    await linked()
    kinds = ("subscriptions", "prices", "usage")
    before = [nomos.count(kind) for kind in kinds]
    # Prices of two days, and of the metered days.
    after = [more + one for more, one in zip(before, (1, 2, 1), strict=True)]
    # Timers only count the time while the hub is awake.
    freezer.tick(timedelta(hours=9))
    for handle in vars(hass.loop)["_scheduled"]:
        handle._when += 9 * 3600
    await advance(QUARTER)
    assert [nomos.count(kind) for kind in kinds] == after
    for _ in range(4):
        await advance(QUARTER)
    assert [nomos.count(kind) for kind in kinds] == after


@pytest.mark.parametrize("kind", ["subscriptions", "prices", "usage"])
async def test_cancelled_request(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, kind
) -> None:
    """A cancelled caller does not stop the data clock: there is a request at the next boundary."""
    entry = await linked()
    runtime = entry.runtime_data
    coordinator = {
        "subscriptions": runtime.account,
        "prices": runtime.prices[subscription.id],
        "usage": runtime.usage[subscription.id],
    }[kind]
    await advance(timedelta(hours=9))
    planned = coordinator.next_request
    assert planned - datetime.now(UTC) > timedelta(hours=17)
    await advance(planned - datetime.now(UTC) - timedelta(seconds=20))
    # While the next scheduled request waits for its response.
    nomos.faults.add(kind="delay", seconds=20, match=kind, times=1)
    asked = hass.async_create_task(coordinator.async_refresh())
    while nomos.faults.pending:
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    before = nomos.count(kind)
    for _ in range(2):
        await advance(QUARTER)
    assert nomos.count(kind) > before
    assert coordinator.next_request > datetime.now(UTC)


async def test_gap_in_today_is_filled_politely(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """A gap later today is requested again, but rarely, and filled once its prices are available."""
    hole = datetime(2026, 6, 10, 16, tzinfo=UTC)
    nomos.configure(missing=[(hole, hole + QUARTER)])
    entry = await linked()
    table = entry.runtime_data.prices[subscription.id]
    requests = nomos.count("prices")
    for _ in range(8):
        await advance(QUARTER)
    assert 1 <= nomos.count("prices") - requests <= 5
    assert table.data.at(hole) is None
    nomos.configure(missing=[])
    for _ in range(10):
        await advance(QUARTER)
    assert table.data.at(hole) is not None


async def test_scattered_gaps_cause_few_requests(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """If every other quarter-hour is missing, the pauses between requests grow, and no gap resets them."""
    nomos.configure(null_amounts=list(range(0, 96, 2)))
    await linked()
    begin = nomos.count("prices")
    for _ in range(13 * 60 // 5):
        await advance(timedelta(minutes=5))
    assert nomos.count("prices") - begin <= 40


@pytest.mark.parametrize(
    "unpublished",
    ["absent", "null_amounts", "null_electricity", "error_404", "error_400"],
)
async def test_every_way_to_say_not_yet(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, unpublished
) -> None:
    """However Nomos reports that tomorrow is missing, today is right, and tomorrow is known later."""
    nomos.configure(unpublished=unpublished, publication_time=time(14))
    await linked()
    assert_right(hass, nomos, subscription)
    state = state_of(hass, subscription.id, "price")
    assert state.attributes["prices_tomorrow"] == []
    for _ in range(14):
        await advance(QUARTER)
    assert_right(hass, nomos, subscription)
    flag = state_of(hass, subscription.id, "tomorrow_available", Platform.BINARY_SENSOR)
    assert flag.state == "off"
    for _ in range(12):
        await advance(QUARTER)
    flag = state_of(hass, subscription.id, "tomorrow_available", Platform.BINARY_SENSOR)
    assert flag.state == "on"


async def test_tomorrow_that_never_comes(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Requests continue with growing pauses, past midnight, until there are prices again."""
    nomos.publish_at(date(2026, 6, 11), "never")
    await linked()
    begin = nomos.count("prices")
    for _ in range(64):
        await advance(QUARTER)
    assert price(hass, subscription) == STATE_UNAVAILABLE
    assert nomos.count("prices") - begin <= 24
    for _ in range(96):
        await advance(QUARTER)
    assert_right(hass, nomos, subscription)


async def test_wait_that_nomos_asks_for(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """No request is sent before the time that a 429 names; the next ones follow within half an hour."""
    hole = datetime(2026, 6, 10, 16, tzinfo=UTC)
    nomos.configure(missing=[(hole, hole + QUARTER)])
    entry = await linked()
    coordinator = entry.runtime_data.prices[subscription.id]
    nomos.faults.add(kind="rate_limit", retry_after=7200, match="prices")
    await coordinator.async_refresh()
    refused = nomos.count("prices")
    for _ in range(7):
        await advance(QUARTER)
    assert nomos.count("prices") == refused
    for _ in range(4):
        await advance(QUARTER)
    assert nomos.count("prices") == refused + 1


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland", "UTC"])
async def test_hub_in_another_time_zone(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, zone
) -> None:
    """Days are tariff days in any time zone of the hub."""
    await hass.config.async_set_time_zone(zone)
    await linked()
    today = state_of(hass, subscription.id, "price").attributes["prices_today"]
    assert today[0]["start"] == "2026-06-10T00:00:00+02:00"
    assert len(today) == 96
    for _ in range(60):
        await advance(QUARTER)
        assert_right(hass, nomos, subscription)
    assert (
        state_of(hass, subscription.id, "price").attributes["prices_today"][0]["start"]
        == "2026-06-11T00:00:00+02:00"
    )


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 28, 20, 5, tzinfo=UTC),
        datetime(2026, 10, 24, 20, 5, tzinfo=UTC),
        datetime(2026, 12, 31, 20, 5, tzinfo=UTC),
    ],
)
async def test_clock_changes_and_new_year(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Every interval shows its price on days of 23 and 25 hours and at new year."""
    await linked()
    for _ in range(3 * 96):
        await advance(QUARTER)
        assert_right(hass, nomos, subscription)
