"""Tests of usage in the long-term statistics over time: late, corrected, interrupted."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from custom_components.nomos.account import contracts as account_module
from custom_components.nomos.usage import importer
from homeassistant.core import HomeAssistant
from simulator.berlin import local_date, midnight
from tests.integration.helpers import count, restart, state_of
from tests.integration.recorder.expected import (
    assert_same,
    assert_true,
    true_hours,
    written_rows,
)
from tests.integration.recorder.helpers import (
    DAY,
    MINUTE,
    advance_until_synced,
    clear,
    days_covered,
    incomplete,
    requests_of,
    rows_touched,
    set_start,
    sleep_until,
    today,
    usage_of,
)

SUPPLY = date(2026, 1, 10)

MARCH = datetime(2026, 3, 1, 10, 3, 7, tzinfo=UTC)


@pytest.mark.parametrize("now", [MARCH])
async def test_fifty_days(hass: HomeAssistant, nomos, linked, advance) -> None:
    """Final values, late days, filled gaps and corrected prices are all imported."""
    subscription = set_start(nomos, SUPPLY)
    entry = await linked()
    await advance_until_synced(entry, subscription, advance, date(2026, 3, 6))
    imported = len(nomos.requests)
    gap = (midnight(date(2026, 3, 7)), midnight(date(2026, 3, 7)) + timedelta(hours=5))
    nomos.configure(usage_missing=(gap,))
    await advance_until_synced(entry, subscription, advance, date(2026, 3, 10))
    nomos.configure(usage_delay_days=3)
    await advance_until_synced(entry, subscription, advance, date(2026, 3, 13))
    assert max(usage_of(entry, subscription).data.days) == date(2026, 3, 9)
    nomos.configure(usage_delay_days=0, usage_missing=())
    await advance_until_synced(entry, subscription, advance, date(2026, 3, 14))
    # Late days were imported, as was the gap of a week ago.
    march = date(2026, 3, 1)
    energy, _ = true_hours(nomos, subscription.id, march, today(nomos))
    states = {
        start: state
        for start, state, _ in await written_rows(hass, subscription.id, "usage")
        if start >= midnight(march)
    }
    assert states == pytest.approx({hour: float(kwh) for hour, kwh in energy.items()})
    at = midnight(date(2026, 3, 5))
    nomos.correct_usage(subscription.id, at, 3.25)
    nomos.correct_price(subscription.id, at, -4.5)
    await advance_until_synced(entry, subscription, advance, date(2026, 4, 19))
    assert usage_of(entry, subscription).data.settled_to == date(2026, 4, 1)
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos))
    rows = {
        start: state
        for start, state, _ in await written_rows(hass, subscription.id, "usage")
    }
    assert rows[at] >= 3.25

    # Forty days, and never too many requests.
    days = Counter(local_date(one.time) for one in nomos.requests[imported:])
    assert max(days.values()) <= 10
    assert Counter(days.values()).most_common(1)[0][0] == 6
    assert sum(days.values()) / len(days) < 7.2
    looks = Counter(
        local_date(one.time)
        for one in requests_of(nomos)
        if one.time > MARCH + 15 * DAY
    )
    assert Counter(looks.values()).most_common(1)[0][0] == 1
    assert max(looks.values()) == 2
    assert all(days_covered(one) <= 31 for one in requests_of(nomos))


@pytest.mark.parametrize("now", [MARCH])
async def test_weeks_while_the_hub_was_off(
    hass: HomeAssistant, nomos, linked, advance, freezer
) -> None:
    """Everything that was metered meanwhile is requested; earlier months are settled."""
    subscription = set_start(nomos, SUPPLY)
    entry = await linked()
    await advance(2 * MINUTE)
    before = count(nomos, "usage")
    await sleep_until(entry, subscription, freezer, advance, hass, date(2026, 5, 5))
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos))
    # January was settled by March.
    assert [one.query["start"] for one in requests_of(nomos)[before:]] == [
        "2026-02-01",
        "2026-03-01",
        "2026-04-01",
        "2026-05-01",
    ]


async def test_an_import_resumes(
    hass: HomeAssistant, nomos, linked, advance, monkeypatch
) -> None:
    """Neither a restart during the import nor an error loses imported months."""
    subscription = set_start(nomos, date(2026, 1, 17))
    reached, made = asyncio.Event(), 0

    async def pause(_seconds: float) -> None:
        nonlocal made
        made += 1
        if made == 3:
            reached.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(importer, "sleep", pause)
    entry = await linked()
    task = hass.async_create_task(advance(2 * MINUTE))
    await reached.wait()
    assert [one.query["start"] for one in requests_of(nomos)] == [
        "2026-01-17",
        "2026-02-01",
        "2026-03-01",
    ]
    assert await hass.config_entries.async_unload(entry.entry_id)
    await task
    nomos.faults.add("status", "usage", status=500, times=1, skip=1)
    await hass.config_entries.async_setup(entry.entry_id)
    await advance(5 * MINUTE)
    # April succeeded and May failed; since June succeeds, only May is the problem.
    record = usage_of(entry, subscription).data
    assert record.settled_to == date(2026, 5, 1)
    assert date(2026, 5, 1) not in record.months
    assert record.days
    assert usage_of(entry, subscription).last_error is not None
    await advance(timedelta(minutes=40))
    assert [one.query["start"] for one in requests_of(nomos)[3:]] == [
        "2026-04-01",
        "2026-05-01",
        "2026-06-01",
        "2026-05-01",
        # June is done, so only yesterday is requested of it.
        "2026-06-09",
    ]
    await assert_true(hass, nomos, subscription.id, date(2026, 1, 17), today(nomos))


async def test_statistics_deleted_in_the_middle_of_an_import(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Imported months are imported again."""
    subscription = set_start(nomos, date(2026, 2, 20))
    nomos.faults.add("status", "usage", status=500, times=1, skip=2)
    entry = await linked()
    await advance(2 * MINUTE)
    assert date(2026, 4, 1) in incomplete(entry, subscription)
    series = ("usage", "cost", "base_fee", "total_cost")
    await clear(hass, *(f"nomos:{subscription.id}_{name}" for name in series))
    await advance(timedelta(minutes=40))
    await assert_true(hass, nomos, subscription.id, date(2026, 2, 20), today(nomos))


async def test_an_empty_response_about_a_settled_month(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """After a wrong response in the first import, the month is requested again every week."""
    nomos.configure(usage_gaps=False)
    subscription = set_start(nomos, date(2026, 3, 20))
    hole = (midnight(date(2026, 3, 25)), midnight(date(2026, 3, 26)))
    nomos.configure(usage_missing=(hole,))
    nomos.faults.add("set_fields", "usage", values={"data": []}, times=1, skip=1)
    entry = await linked()
    await advance(2 * MINUTE)
    months = [date(2026, 3, 1), date(2026, 4, 1)]
    assert incomplete(entry, subscription) == months
    rows = await written_rows(hass, subscription.id, "usage")
    assert not any(local_date(start).month == 4 for start, _, _ in rows)
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 28))
    # March still lacks a day.
    assert incomplete(entry, subscription) == months[:1]
    await assert_true(hass, nomos, subscription.id, date(2026, 3, 20), today(nomos))
    prices = len(requests_of(nomos, "prices"))
    await advance_until_synced(entry, subscription, advance, date(2026, 7, 13))
    starts = [one.query["start"] for one in requests_of(nomos)]
    # Once in the import, then one of the two months in each of five weeks.
    assert starts.count("2026-03-20") + starts.count("2026-04-01") == 2 + 5
    # As long as the response has nothing new, prices are not requested.
    assert not [
        one
        for one in requests_of(nomos, "prices")[prices:]
        if one.query["start"] < "2026-05"
    ]


async def test_readings_that_come_months_late(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """If an operator delivers three settled months at once, they are written week by week."""
    supply = date(2026, 2, 20)
    subscription = set_start(nomos, supply)
    hole = (midnight(supply), midnight(date(2026, 4, 10)))
    nomos.configure(usage_missing=(hole,), usage_gaps=False)
    entry = await linked()
    await advance(2 * MINUTE)
    assert len(incomplete(entry, subscription)) == 3
    nomos.configure(usage_missing=())
    start = len(nomos.requests)
    await advance_until_synced(entry, subscription, advance, date(2026, 7, 2))
    await assert_true(hass, nomos, subscription.id, supply, today(nomos))
    assert not incomplete(entry, subscription)
    days = Counter(local_date(one.time) for one in nomos.requests[start:])
    # May is settled in between.
    assert sorted(days.values())[-2] <= 8
    assert max(days.values()) <= 9


async def test_no_readings_for_months(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """A contract without readings costs no more requests than any other."""
    subscription = set_start(nomos, date(2026, 3, 20))
    never = (midnight(date(2026, 1, 1)), midnight(date(2027, 1, 1)))
    nomos.configure(usage_missing=(never,))
    entry = await linked()
    await advance(2 * MINUTE)
    imported = len(nomos.requests)
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 18))
    days = Counter(local_date(one.time) for one in nomos.requests[imported:])
    assert max(days.values()) <= 8


async def test_a_clock_that_was_ahead(
    hass: HomeAssistant, nomos, linked, advance, freezer
) -> None:
    """Months that were settled too early are requested again."""
    subscription = set_start(nomos, date(2026, 4, 20))
    truth = nomos.clock
    entry = await linked()
    await advance(2 * MINUTE)
    assert truth.now() < datetime(2026, 6, 11, tzinfo=UTC)
    freezer.move_to(datetime(2026, 9, 3, 20, 0, 5, tzinfo=UTC))
    nomos.clock.set(datetime(2026, 6, 10, 20, 0, 5, tzinfo=UTC))
    await restart(hass, entry)
    await advance(5 * MINUTE)
    assert usage_of(entry, subscription).data.settled_to == date(2026, 8, 1)
    freezer.move_to(datetime(2026, 6, 15, 20, 0, 5, tzinfo=UTC))
    nomos.clock.set(datetime(2026, 6, 15, 20, 0, 5, tzinfo=UTC))
    await restart(hass, entry)
    await advance(timedelta(hours=22))
    energy, money = true_hours(nomos, subscription.id, date(2026, 4, 20), today(nomos))
    assert_same(await written_rows(hass, subscription.id, "usage"), energy)
    assert_same(await written_rows(hass, subscription.id, "cost"), money)
    record = usage_of(entry, subscription).data
    assert (record.synced_on, record.settled_to) == (
        date(2026, 6, 16),
        date(2026, 5, 1),
    )


async def test_a_contract_that_ends_at_noon(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Its last half day is imported."""
    subscription = set_start(nomos, date(2026, 5, 20))
    noon = midnight(date(2026, 6, 12)) + timedelta(hours=12)
    nomos.set_subscription(subscription.id, end_at=noon)
    entry = await linked()
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 13))
    rows = await written_rows(hass, subscription.id, "usage")
    assert rows[-1][0] == noon - timedelta(hours=1)


async def test_a_contract_that_began_at_noon(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Its first day is short, and complete."""
    noon = midnight(date(2026, 5, 20)) + timedelta(hours=12)
    nomos.configure(usage_gaps=False)
    subscription = set_start(nomos, noon)
    entry = await linked()
    await advance(2 * MINUTE)
    await assert_true(hass, nomos, subscription.id, date(2026, 5, 20), today(nomos))
    first = usage_of(entry, subscription).data.days[date(2026, 5, 20)]
    assert (first.readings, first.missing) == (48, 0)


async def test_the_fee_becomes_known_later(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Once the plan can be read, every day of the contract gets its share of the fee."""
    subscription = set_start(nomos, date(2026, 4, 20))
    nomos.faults.add("status", "plans", status=500)
    entry = await linked()
    await advance(2 * MINUTE)
    assert await written_rows(hass, subscription.id, "cost")
    assert not await written_rows(hass, subscription.id, "total_cost")
    nomos.faults.clear()
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 11))
    await assert_true(hass, nomos, subscription.id, date(2026, 4, 20), today(nomos))


async def test_hours_instead_of_quarters(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """Hourly readings are written; daily ones are not, since they cannot be split."""
    nomos.configure(usage_gaps=False)
    subscription = set_start(nomos, date(2026, 6, 1))

    def hours(answer):
        sums: dict[str, float] = {}
        for one in answer["data"]:
            start = f"{one['start'][:14]}00:00.000Z"
            sums[start] = sums.get(start, 0.0) + one["usage"]
        return {
            **answer,
            "resolution": "hour",
            "data": [
                {"start": start, "usage": round(kwh, 3), "type": "final"}
                for start, kwh in sums.items()
            ],
        }

    nomos.faults.add("mutate", "usage", change=hours, times=1)
    entry = await linked()
    await advance(2 * MINUTE)
    rows = await written_rows(hass, subscription.id, "usage")
    truth = nomos.metered(subscription.id, date(2026, 6, 1), today(nomos))
    assert len(rows) == len(truth) / 4
    assert rows[-1][2] == pytest.approx(sum(kwh for _, kwh, _ in truth))
    nomos.faults.add("set_fields", "usage", values={"resolution": "day"}, times=1)
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 10))
    with rows_touched(hass) as touched:
        assert await written_rows(hass, subscription.id, "usage") == rows
    assert touched == []


async def test_a_short_response_removes_nothing(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """A response without readings, or with fewer than before, is ignored."""
    subscription = set_start(nomos, date(2026, 5, 20))
    entry = await linked()
    await advance(2 * MINUTE)
    before = await written_rows(hass, subscription.id, "usage")
    hole = (
        midnight(date(2026, 6, 9)),
        midnight(date(2026, 6, 9)) + 5 * timedelta(hours=1),
    )
    nomos.configure(usage_missing=(hole,))
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 10))
    nomos.faults.add("set_fields", "usage", values={"data": []})
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 18))
    nomos.faults.clear()
    rows = await written_rows(hass, subscription.id, "usage")
    assert rows[: len(before)] == before
    nomos.configure(usage_missing=())
    # At most a week of syncs, and the weekly one.
    await advance_until_synced(entry, subscription, advance, date(2026, 6, 26))
    await assert_true(hass, nomos, subscription.id, date(2026, 5, 20), today(nomos))


async def test_the_last_hour_of_the_year(
    hass: HomeAssistant, nomos, linked, advance, freezer
) -> None:
    """A sync on the first of a month imports the last day of the previous month."""
    freezer.move_to(datetime(2026, 12, 31, 20, 0, 5, tzinfo=UTC))
    subscription = set_start(nomos, date(2026, 12, 28))
    entry = await linked()
    await advance_until_synced(entry, subscription, advance, date(2027, 1, 2))
    await assert_true(hass, nomos, subscription.id, date(2026, 12, 28), today(nomos))
    # This month's sum does not include the last month.
    month = state_of(hass, subscription.id, "cost_this_month")
    assert float(month.state) == pytest.approx(
        sum(
            state
            for start, state, _ in await written_rows(hass, subscription.id, "cost")
            if local_date(start) >= date(2027, 1, 1)
        ),
        abs=1e-4,
    )
    await restart(hass, entry)


async def test_contract_removed_during_its_import(
    hass: HomeAssistant, nomos, linked, advance, files, monkeypatch
) -> None:
    """Its import stops, and its deleted file is not created again."""
    subscription = set_start(nomos, date(2026, 1, 1))
    nomos.add_subscription(subscription.email, start_at=midnight(date(2026, 6, 1)))
    reached, go = asyncio.Event(), asyncio.Event()

    async def pause(_seconds: float) -> None:
        reached.set()
        await go.wait()

    entry = await linked()
    monkeypatch.setattr(importer, "sleep", pause)
    task = hass.async_create_task(advance(2 * MINUTE))
    await reached.wait()
    account = entry.runtime_data.account
    nomos.remove_subscription(subscription.id)
    await account.async_refresh()
    monkeypatch.setattr(account_module, "_MISSED_FOR", timedelta())
    await account.async_refresh()
    go.set()
    await task
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [one for one in requests_of(nomos) if subscription.id in one.path][2:] == []
    assert not [name for name in files() if subscription.id in name]
    assert len(files("usage")) == 1
