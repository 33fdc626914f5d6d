"""Tests of the outlook as a whole: payouts, timers, notifications of changes, and a hub without data."""

from datetime import UTC, datetime
import json

import pytest

from custom_components.nomos.forecast.forecasts import signal_changed
from custom_components.nomos.forecast.outlook import HouseSource
from custom_components.nomos.pricing import PriceTable
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util
from tests.integration.forecast.helpers import (
    DAY,
    GRID,
    HOUR,
    SOLAR,
    add_sun,
    bright,
    dashboard,
    meter,
)

NOON = datetime(2026, 6, 10, 10, tzinfo=UTC)


def paid(outlook, at: datetime) -> float | None:
    """Return the payout at an instant."""
    found = outlook.payouts.at(at)
    return found.price if found else None


async def test_payouts(hass: HomeAssistant, nomos, linked, forecasts_of) -> None:
    """The payout is the feed-in contract's or the option's amount; zero without both."""
    entry = await linked("solar@example.com")
    forecasts = forecasts_of(entry)
    (feed_in,) = (
        one for one in entry.runtime_data.prices.values() if one.contract.feeds_in
    )
    assert (await forecasts.async_outlook(NOON)).payouts == feed_in.data
    hass.config_entries.async_update_entry(entry, options={"payout": 8.11})
    assert paid(await forecasts.async_outlook(NOON), NOON) == pytest.approx(0.0811)


async def test_no_feed_in_contract(hass: HomeAssistant, linked, forecasts_of) -> None:
    """Without a feed-in contract, the payout is zero."""
    entry = await linked()
    outlook = await forecasts_of(entry).async_outlook(NOON)
    assert [paid(outlook, NOON + days * DAY) for days in (0, 1, 6)] == [0.0] * 3


@pytest.mark.parametrize("now", [datetime(2026, 6, 8, 8, tzinfo=UTC)])
async def test_nothing_while_the_market_is_negative(
    hass: HomeAssistant, nomos, linked, forecasts_of
) -> None:
    """The market price is derived from the price component that contains it."""
    market = nomos.prices._market
    entry = await linked()
    hass.config_entries.async_update_entry(
        entry, options={"payout": 8.0, "no_payout_if_negative": True}
    )
    (prices,) = entry.runtime_data.prices.values()
    outlook = await forecasts_of(entry).async_outlook(dt_util.utcnow())
    true = {one.start: market.price(one.start) for one in prices.data.intervals}
    assert 0 < sum(price < 0 for price in true.values()) < len(true)
    assert {one.start: one.price for one in outlook.payouts.intervals} == {
        at: 0.0 if price < 0 else 0.08 for at, price in true.items()
    }


async def test_changes_are_notified(
    hass: HomeAssistant, linked, forecasts_of, freezer
) -> None:
    """Listeners are called if house or sun have changed, not if the same values were read again."""
    entry = await linked()
    sun = add_sun(hass, "east")
    await dashboard(
        hass,
        {**GRID, "stat_energy_to": None},
        {**SOLAR, "config_entry_solar_forecast": ["east"]},
    )
    calls: list[None] = []

    @callback
    def note() -> None:
        calls.append(None)

    stop = async_dispatcher_connect(hass, signal_changed(entry.entry_id), note)
    today = NOON.date()
    sun.answers = {"east": bright(today, 4)}
    forecasts = forecasts_of(entry)
    for at, count in ((NOON, 0), (NOON + HOUR, 0)):
        await forecasts.async_outlook(at)
        assert len(calls) == count
    sun.answers = {"east": bright(today, 4, 600)}
    for at in (NOON + HOUR * 1.1, NOON + 2 * HOUR, NOON + 2.1 * HOUR):
        await forecasts.async_outlook(at)
    assert len(calls) == 1
    stop()


async def test_its_own_timer(
    hass: HomeAssistant, linked, forecasts_of, advance
) -> None:
    """Between start and stop it reads every half hour, and yesterday's meters soon after midnight."""
    entry = await linked()
    sun = add_sun(hass, "east")
    sun.answers = {"east": bright(NOON.date(), 4)}
    hass.config_entries.async_update_entry(entry, options={"solar_forecasts": ["east"]})
    forecasts = forecasts_of(entry)
    await advance(HOUR)
    assert sun.asked == 0
    stop = forecasts.async_start()
    for _ in range(24):
        await advance(HOUR / 4)
    assert sun.asked == 12
    stop()
    await advance(2 * HOUR)
    assert sun.asked == 12
    stop = forecasts.async_start()
    await dashboard(hass, {**GRID, "stat_energy_to": None})
    await advance(HOUR / 2)
    assert forecasts.report()["house_source"] is HouseSource.YEARLY
    midnight = datetime(2026, 6, 10, 22, tzinfo=UTC)
    await meter(hass, "sensor.bought", midnight, lambda _: 1.0)
    while dt_util.utcnow() < midnight + HOUR:
        await advance(HOUR / 4)
    assert forecasts.report()["house_source"] is HouseSource.METERS
    stop()


async def test_a_hub_without_recorder_and_dashboard(
    hass: HomeAssistant, linked, forecasts_of
) -> None:
    """Nothing is queried, and the configured kWh per year count."""
    hass.config.components.remove("recorder")
    entry = await linked()
    outlook = await forecasts_of(entry).async_outlook(NOON)
    assert outlook.house_source is HouseSource.YEARLY
    assert outlook.problems == ()
    assert not outlook.sun.energies
    assert "energy" not in hass.config.components
    hass.config.components.add("recorder")


async def test_the_report(hass: HomeAssistant, linked, forecasts_of, usage) -> None:
    """The report contains what support needs, but no names, ids or amounts."""
    entry = await linked()
    sun = add_sun(hass, "east", "west")
    sun.answers = {"east": bright(NOON.date(), 3), "west": None}
    source = {**SOLAR, "config_entry_solar_forecast": ["east", "west"]}
    await dashboard(hass, {**GRID, "stat_energy_to": None}, source)
    forecasts = forecasts_of(entry)
    before = forecasts.report()
    assert before["house_source"] is None
    assert before["problems"] == []
    await meter(hass, "nomos:mine", NOON, lambda _: 0.75)
    usage.add("nomos:mine")
    await forecasts.async_outlook(NOON)
    report = forecasts.report()
    assert json.loads(json.dumps(report)) == {
        "house_source": "usage",
        "house_days": 29,
        "solar_forecasts": 2,
        "sun_read_at": "2026-06-10T10:00:00+00:00",
        "sun_reaches": "2026-06-12T22:00:00+00:00",
        "sun_factor": 1.0,
        "sun_factor_days": 0,
        "problems": ["sun_unavailable", "meters_incomplete"],
    }


async def test_nothing_is_read_without_an_outlook(
    hass: HomeAssistant, linked, files
) -> None:
    """An account without a battery has no forecast file and does not load the modules of forecasts."""
    await linked()
    assert not files("forecast")
    assert "energy" not in hass.config.components


async def test_payouts_of_tomorrow_are_notified(
    hass: HomeAssistant, linked, forecasts_of
) -> None:
    """When the feed-in contract's prices arrive, listeners are called to plan again."""
    entry = await linked("solar@example.com")
    forecasts, calls = forecasts_of(entry), []
    (feed_in,) = (
        one for one in entry.runtime_data.prices.values() if one.contract.feeds_in
    )
    async_dispatcher_connect(
        hass, signal_changed(entry.entry_id), callback(lambda: calls.append(1))
    )
    for _ in range(2):
        await forecasts.async_outlook(NOON)
    assert not calls
    feed_in.data = PriceTable.of(feed_in.data.intervals[:-1])
    await forecasts.async_outlook(NOON)
    assert calls
