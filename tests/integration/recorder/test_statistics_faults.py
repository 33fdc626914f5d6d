"""Tests of usage if a single month, the meter or the database fails: everything else works."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from custom_components.nomos import statistics
from custom_components.nomos.api import (
    MeterType,
    NomosClient,
    NomosResponseError,
    NomosServerError,
)
from custom_components.nomos.usage.statistics import UsageStatistics
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from simulator.berlin import local_date, midnight
from tests.integration.helpers import entity_id, state_of
from tests.integration.recorder.expected import (
    assert_same,
    assert_true,
    true_hours,
    written_rows,
)
from tests.integration.recorder.helpers import (
    DAY,
    MINUTE,
    incomplete,
    pass_time,
    requests_of,
    set_start,
    today,
    usage_of,
)

SUPPLY = date(2026, 2, 1)


@pytest.mark.parametrize(
    "error", [NomosServerError("-", status=500), NomosResponseError("data", "-")]
)
async def test_a_month_that_always_fails(
    hass: HomeAssistant, nomos, linked, advance, monkeypatch, error
) -> None:
    """The other months are imported; the failing one costs a request a day for a week, and is imported later."""
    subscription = set_start(nomos, SUPPLY)
    nomos.configure(usage_gaps=False)
    bad = date(2026, 3, 1)

    real, trouble = NomosClient.usage, [error]

    async def broken(self, subscription_id, start, end, *resolution):
        answer = await real(self, subscription_id, start, end, *resolution)
        if start <= bad < end and trouble:
            raise error
        return answer

    monkeypatch.setattr(NomosClient, "usage", broken)
    entry = await linked()
    await advance(2 * MINUTE)
    usage = usage_of(entry, subscription)
    assert usage.last_error is not None
    assert incomplete(entry, subscription) == [bad]
    await pass_time(nomos, entry, advance, date(2026, 6, 11))
    start = len(nomos.requests)
    await pass_time(nomos, entry, advance, date(2026, 6, 22))
    days = Counter(local_date(one.time) for one in nomos.requests[start:])
    # Meanwhile, May is settled.
    assert sorted(days.values())[-2] <= 8
    assert max(days.values()) <= 9
    energy, _ = true_hours(nomos, subscription.id, SUPPLY, today(nomos) - DAY)
    there = {hour for hour, _, _ in await written_rows(hass, subscription.id, "usage")}
    assert {local_date(hour).month for hour in energy if hour not in there} == {3}
    trouble.clear()
    await pass_time(nomos, entry, advance, date(2026, 6, 30))
    assert not incomplete(entry, subscription)
    assert usage.last_error is None
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos) - DAY)


async def test_a_month_whose_prices_always_fail(
    hass: HomeAssistant, nomos, linked, advance, monkeypatch
) -> None:
    """Its energy is written at once, and its cost once there are prices."""
    subscription = set_start(nomos, SUPPLY)
    nomos.configure(usage_gaps=False)
    real, trouble = NomosClient.prices, [True]

    async def broken(self, subscription_id, start, end):
        if start <= date(2026, 3, 20) <= end and trouble:
            raise NomosServerError("-", status=500)
        return await real(self, subscription_id, start, end)

    monkeypatch.setattr(NomosClient, "prices", broken)
    entry = await linked()
    await advance(2 * MINUTE)
    await advance(40 * MINUTE)
    energy, money = true_hours(nomos, subscription.id, SUPPLY, today(nomos))
    assert_same(await written_rows(hass, subscription.id, "usage"), energy)
    priced = {hour for hour, _, _ in await written_rows(hass, subscription.id, "cost")}
    assert {local_date(hour).month for hour in money if hour not in priced} == {3}
    trouble.clear()
    await pass_time(nomos, entry, advance, date(2026, 6, 18))
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos) - DAY)


async def test_a_month_that_fails_once(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """It is imported within an hour."""
    subscription = set_start(nomos, SUPPLY)
    nomos.faults.add("status", "usage", status=500, times=1, skip=1)
    await linked()
    await advance(2 * MINUTE)
    await advance(40 * MINUTE)
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos))


async def test_nomos_is_down_during_an_import(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """The import notices it at once, and no month becomes incomplete."""
    subscription = set_start(nomos, SUPPLY)
    nomos.configure(usage_gaps=False)
    nomos.faults.add("status", "usage", status=500, times=4, skip=1)
    entry = await linked()
    await advance(2 * MINUTE)
    assert len(requests_of(nomos)) == 3
    assert not incomplete(entry, subscription)
    await advance(40 * MINUTE)
    assert len(requests_of(nomos)) == 5
    await advance(80 * MINUTE)
    assert not incomplete(entry, subscription)
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos))


@pytest.mark.parametrize("meter", ["smart", "analog"])
async def test_before_the_meter_was_exchanged(
    hass: HomeAssistant, nomos, linked, advance, meter
) -> None:
    """Monthly values of an earlier analog meter do not prevent the import of the smart meter's readings."""
    subscription = set_start(nomos, SUPPLY)
    exchanged = date(2026, 5, 1)

    def old(answer):
        data = answer["data"]
        if data and data[0]["start"] < "2026-04-30T22":
            return {**answer, "resolution": "month", "meter_type": meter, "data": []}
        return answer

    nomos.faults.add("mutate", "usage", change=old)
    entry = await linked()
    await pass_time(nomos, entry, advance, date(2026, 6, 11))
    start = len(nomos.requests)
    await pass_time(nomos, entry, advance, date(2026, 6, 18))
    assert usage_of(entry, subscription).data.meter is MeterType.SMART
    energy, _ = true_hours(nomos, subscription.id, exchanged, today(nomos) - DAY)
    assert_same(await written_rows(hass, subscription.id, "usage"), energy)
    days = Counter(local_date(one.time) for one in nomos.requests[start:])
    assert sorted(days.values())[-2] <= 8
    assert midnight(exchanged) == min(energy)


@pytest.mark.parametrize("trouble", ["read", "write"])
async def test_the_database_is_broken(
    hass: HomeAssistant, nomos, linked, advance, monkeypatch, trouble
) -> None:
    """Sensors work, there are no extra requests, and everything is written later."""
    subscription = set_start(nomos, date(2026, 5, 20))
    entry = await linked()
    await advance(2 * MINUTE)
    broken = [trouble]
    last = UsageStatistics._last_hours

    def read(self):
        if "read" in broken:
            raise OperationalError("SELECT", {}, Exception("malformed"))
        return last(self)

    def write(*args):
        if "write" not in broken:
            async_add_external_statistics(*args)

    monkeypatch.setattr(UsageStatistics, "_last_hours", read)
    monkeypatch.setattr(statistics, "async_add_external_statistics", write)
    await pass_time(nomos, entry, advance, date(2026, 6, 11))
    start = len(nomos.requests)
    await pass_time(nomos, entry, advance, date(2026, 6, 20))
    latest = state_of(hass, subscription.id, "usage_latest_day")
    assert latest.attributes["date"] == "2026-06-18"
    assert isinstance(
        usage_of(entry, subscription).last_error, statistics.StatisticsError
    )
    days = Counter(local_date(one.time) for one in nomos.requests[start:])
    # Meanwhile, May is settled.
    assert sorted(days.values())[-2] <= 8
    assert max(days.values()) <= 10
    broken.clear()
    await pass_time(nomos, entry, advance, date(2026, 6, 22))
    assert usage_of(entry, subscription).last_error is None
    await assert_true(
        hass, nomos, subscription.id, date(2026, 5, 20), today(nomos) - DAY
    )


async def test_the_database_is_broken_during_an_import(
    hass: HomeAssistant, nomos, linked, advance, monkeypatch
) -> None:
    """After a lost write, the other months are imported on the next day, and the newest days are shown."""
    subscription = set_start(nomos, SUPPLY)
    lost: list[Any] = []

    def write(*args):
        if lost:
            async_add_external_statistics(*args)
        else:
            lost.append(args)

    monkeypatch.setattr(statistics, "async_add_external_statistics", write)
    entry = await linked()
    await advance(2 * MINUTE)
    assert [one.query["start"] for one in requests_of(nomos)] == [
        "2026-02-01",
        "2026-06-01",
    ]
    state_of(hass, subscription.id, "usage_latest_day")
    await pass_time(nomos, entry, advance, date(2026, 6, 12))
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos) - DAY)


@pytest.mark.parametrize("days", [1, 2])
async def test_smart_meter_reported_as_analog(
    hass: HomeAssistant, nomos, linked, advance, days
) -> None:
    """On one day it counts as a mistake, on two days as an exchange; if that is undone, the sensors return."""
    subscription = set_start(nomos, date(2026, 6, 1))
    entry = await linked()
    await pass_time(nomos, entry, advance, date(2026, 6, 11))
    registry = er.async_get(hass)
    smart = ("usage_latest_day", "cost_latest_day", "cost_this_month")
    names = {key: entity_id(hass, subscription.id, key) for key in smart}
    kept = registry.async_update_entity(names[smart[0]], name="What I called it")
    analog = {"resolution": "month", "meter_type": "analog", "data": []}
    fault = nomos.faults.add("set_fields", "usage", values=analog)
    await pass_time(nomos, entry, advance, date(2026, 6, 11) + days * DAY)
    there = [one for one in names.values() if registry.async_get(one)]
    assert there == ([*names.values()] if days == 1 else [])
    fault.times = 0
    await pass_time(nomos, entry, advance, date(2026, 6, 16))
    for key in smart:
        assert state_of(hass, subscription.id, key).state not in {
            "unknown",
            "unavailable",
        }
    if days == 1:
        assert registry.async_get(names[smart[0]]) == kept
    assert usage_of(entry, subscription).data.analog_on is None
    await assert_true(
        hass, nomos, subscription.id, date(2026, 6, 1), today(nomos) - DAY
    )
