"""Tests of usage and cost in the long-term statistics, with the real recorder: whole imports."""

from datetime import UTC, date, datetime, timedelta
import time

import pytest

from homeassistant.components.recorder import statistics as recorder_statistics
from homeassistant.components.recorder.statistics import list_statistic_ids
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from simulator.berlin import midnight
from tests.integration.helpers import count, restart
from tests.integration.recorder.expected import assert_true, supply_begins, written_rows
from tests.integration.recorder.helpers import (
    DAY,
    MINUTE,
    advance_until_synced,
    clear,
    days_covered,
    requests_of,
    rows_touched,
    set_start,
    today,
    usage_of,
)

NOVEMBER = datetime(2026, 11, 12, 19, 3, 7, tzinfo=UTC)
"""Fourteen months after supply began, with three clock changes in between."""

SUPPLY = date(2025, 9, 16)


@pytest.mark.parametrize("now", [NOVEMBER])
async def test_fourteen_months(hass: HomeAssistant, nomos, linked, advance) -> None:
    """Every hour and total is right, across clock changes and with gaps; then only changed rows are written."""
    subscription = set_start(nomos, SUPPLY)
    gap = (midnight(date(2026, 10, 24)), midnight(date(2026, 10, 26)))
    lost = (midnight(date(2026, 2, 3)), midnight(date(2026, 2, 9)))
    nomos.configure(usage_missing=(gap, lost))
    # Nomos corrects a price of the past.
    nomos.correct_price(subscription.id, midnight(date(2026, 1, 7)), -12.3456)
    entry = await linked()
    await advance(2 * MINUTE)
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos))
    rows = await written_rows(hass, subscription.id, "usage")
    assert len(rows) > 9_900
    hours = {start for start, _, _ in rows}
    # The repeated hour is two hours; gaps have no hours.
    for start in (datetime(2025, 10, 26, hour, tzinfo=UTC) for hour in (0, 1, 2)):
        assert start in hours
    assert not any(one[0] <= start < one[1] for one in (gap, lost) for start in hours)
    # One request a month.
    requests = requests_of(nomos)
    assert len(requests) == 15
    assert [days_covered(one) for one in requests] == [
        15, 31, 30, 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 11,
    ]  # fmt: skip

    # October may still change: the gap is filled, and values are corrected.
    nomos.configure(usage_missing=(lost,))
    for hour, kwh in ((5, 0.0), (12, 7.125), (23, 0.001)):
        at = datetime(2026, 10, 3, hour, 15, tzinfo=UTC)
        nomos.correct_usage(subscription.id, at, kwh)
    nomos.correct_price(
        subscription.id, datetime(2026, 10, 3, 12, 15, tzinfo=UTC), 99.9999
    )
    await advance(8 * DAY)
    await advance_until_synced(entry, subscription, advance, today(nomos))
    assert usage_of(entry, subscription).data.settled_to == date(2026, 11, 1)
    await assert_true(hass, nomos, subscription.id, SUPPLY, today(nomos))
    # Of the settled months, only one with a gap is requested again.
    again = [one.query["start"] for one in requests_of(nomos)[15:]]
    assert len([start for start in again if start < "2026-10-01"]) <= 1


@pytest.mark.parametrize(
    ("email", "hourly"), [("smart@example.com", True), ("ended@example.com", False)]
)
@pytest.mark.parametrize("now", [NOVEMBER])
async def test_other_contracts(
    hass: HomeAssistant, nomos, linked, advance, email, hourly
) -> None:
    """A contract with hourly prices, and an ended one, whose prices are no longer available."""
    subscription = set_start(nomos, date(2026, 9, 20), email)
    nomos.configure(inactive_prices="error")
    if hourly:
        nomos.set_subscription(subscription.id, resolution="hourly")
    await linked(email)
    await advance(2 * MINUTE)
    if hourly:
        await assert_true(hass, nomos, subscription.id, date(2026, 9, 20), today(nomos))
        return
    rows = await written_rows(hass, subscription.id, "usage")
    assert rows
    assert subscription.end_at is not None
    assert rows[-1][0] == subscription.end_at - timedelta(hours=1)
    assert not await written_rows(hass, subscription.id, "cost")
    # It is undocumented whether Nomos still reports them, so they are requested once.
    assert count(nomos, "prices") == 1


@pytest.mark.parametrize("now", [NOVEMBER])
async def test_a_slow_disk(
    hass: HomeAssistant, nomos, linked, advance, monkeypatch
) -> None:
    """An import waits for what the recorder is writing, even if it has nothing to write itself."""
    email = "ended@example.com"
    subscription = set_start(nomos, date(2026, 9, 20), email)
    nomos.configure(inactive_prices="error")
    write = recorder_statistics.import_statistics

    def slowly(*args):
        time.sleep(0.1)
        return write(*args)

    monkeypatch.setattr(recorder_statistics, "import_statistics", slowly)
    await linked(email)
    await advance(2 * MINUTE)
    assert subscription.end_at is not None
    rows = await written_rows(hass, subscription.id, "usage")
    assert rows[-1][0] == subscription.end_at - timedelta(hours=1)
    assert count(nomos, "prices") == 1


@pytest.mark.parametrize("now", [NOVEMBER])
async def test_feed_in(hass: HomeAssistant, nomos, linked, advance) -> None:
    """Feed-in and payment have statistics next to the consumption of the same household."""
    subscriptions = nomos.customers["solar@example.com"].subscriptions
    for one in subscriptions:
        nomos.set_subscription(one.id, start_at=midnight(date(2026, 10, 12)))
    await linked("solar@example.com")
    await advance(2 * MINUTE)
    for one in subscriptions:
        await assert_true(hass, nomos, one.id, date(2026, 10, 12), today(nomos))
    (feed_in,) = (one for one in subscriptions if one.type == "feed_in")
    assert (await written_rows(hass, feed_in.id, "returned"))[-1][2] > 10
    assert not await written_rows(hass, feed_in.id, "usage")


async def test_importing_twice_changes_nothing(
    hass: HomeAssistant, nomos, linked, advance, files
) -> None:
    """If the record is lost, everything is requested again, and no row in the database changes."""
    subscription = set_start(nomos, date(2026, 4, 20))
    entry = await linked()
    with rows_touched(hass) as touched:
        await advance(2 * MINUTE)
        await written_rows(hass, subscription.id, "usage")
    assert len(touched) > 40
    before = {
        series: await written_rows(hass, subscription.id, series)
        for series in ("usage", "cost", "base_fee", "total_cost")
    }
    assert await hass.config_entries.async_unload(entry.entry_id)
    (record,) = files("usage").values()
    record.unlink()
    asked_before = count(nomos, "usage")
    with rows_touched(hass) as touched:
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        await advance(2 * MINUTE)
        for series, rows in before.items():
            assert await written_rows(hass, subscription.id, series) == rows
    assert touched == []
    # April, May and June.
    assert count(nomos, "usage") - asked_before == 3


async def test_deleted_statistics_are_rebuilt(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """At the next sync, they are rebuilt from the beginning of supply, whether all or just one were deleted."""
    subscription = set_start(nomos, date(2026, 4, 20))
    entry = await linked()
    await advance(2 * MINUTE)
    first = supply_begins(nomos, subscription.id)
    for number, names in enumerate(
        (["usage", "cost", "base_fee", "total_cost"], ["cost"], ["base_fee"])
    ):
        await clear(hass, *(f"nomos:{subscription.id}_{name}" for name in names))
        for name in names:
            assert not await written_rows(hass, subscription.id, name)
        await advance_until_synced(
            entry, subscription, advance, date(2026, 6, 11) + number * DAY
        )
        await assert_true(hass, nomos, subscription.id, first, today(nomos))
    requests = count(nomos, "usage")
    await restart(hass, entry)
    await advance(5 * MINUTE)
    assert count(nomos, "usage") == requests


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ("usage", "cost")),
        ("de", ("Verbrauch", "Kosten")),
    ],
)
async def test_metadata(
    hass: HomeAssistant, nomos, linked, advance, language, names
) -> None:
    """The metadata is complete, and in the hub's language."""
    hass.config.language = language
    subscription = set_start(nomos, date(2026, 6, 8))
    await linked()
    await advance(2 * MINUTE)
    await written_rows(hass, subscription.id, "usage")
    found = {
        one["statistic_id"]: one
        for one in await get_instance(hass).async_add_executor_job(
            lambda: list_statistic_ids(hass)
        )
        if one["source"] == "nomos"
    }
    prefix = f"nomos:{subscription.id}_"
    assert found.keys() == {
        prefix + series for series in ("usage", "cost", "base_fee", "total_cost")
    }
    for name, one in found.items():
        energy = name.endswith("usage")
        assert one["has_sum"]
        assert not one["has_mean"]
        assert one["mean_type"] == 0
        assert one["unit_class"] == ("energy" if energy else None)
        assert one["statistics_unit_of_measurement"] == ("kWh" if energy else "EUR")
        assert one["name"].startswith(f"Nomos {subscription.number} ")
    for series, name in zip(("usage", "cost"), names, strict=True):
        assert found[prefix + series]["name"].lower().endswith(name.lower())
    assert len({one["name"] for one in found.values()}) == 4
