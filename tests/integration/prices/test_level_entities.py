"""Tests of the entities of levels, and of the options that change them."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.pricing import PeriodKind, TableLevels
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.integration.helpers import Advance, state_of

QUARTER = timedelta(minutes=15)


def flag(hass, subscription, key):
    """Return the state of a binary sensor."""
    return state_of(hass, subscription.id, key, Platform.BINARY_SENSOR).state


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_level_rank_and_percentile_follow_the_day(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """At every boundary, the entities show how the price compares with its day."""
    entry = await linked()
    coordinator = entry.runtime_data.prices[subscription.id]
    seen = set()
    for _ in range(100):
        now = datetime.now(UTC)
        levels = TableLevels(coordinator.data)
        rating = levels.at(now)
        level = state_of(hass, subscription.id, "price_level").state
        assert level == rating.level.key
        for kind, key in (
            (PeriodKind.CHEAP, "cheap_now"),
            (PeriodKind.EXPENSIVE, "expensive_now"),
        ):
            on = levels.within(kind, now)
            assert flag(hass, subscription, key) == ("on" if on else "off")
        rank = state_of(hass, subscription.id, "price_rank").state
        assert int(rank) == rating.rank
        percentile = state_of(hass, subscription.id, "price_percentile").state
        assert float(percentile) == pytest.approx(rating.percentile, abs=0.01)
        assert flag(hass, subscription, "negative_price") == (
            "on" if (rating.interval.price or 0) < 0 else "off"
        )
        seen.add(level)
        await advance(QUARTER)
    assert len(seen) >= 4


async def test_unknown_price_has_no_level(
    hass: HomeAssistant, nomos, linked, subscription
) -> None:
    """Without a price, nothing is cheap or expensive."""
    start = datetime(2026, 6, 10, 8, tzinfo=UTC)
    nomos.configure(null_amounts=[(start, start + QUARTER)])
    await linked()
    assert state_of(hass, subscription.id, "price_level").state == STATE_UNKNOWN
    assert flag(hass, subscription, "cheap_now") == STATE_UNKNOWN
    assert flag(hass, subscription, "expensive_now") == STATE_UNKNOWN


@pytest.mark.parametrize("now", [datetime(2026, 6, 10, 10, 1, tzinfo=UTC)])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "mcmmmCMCm"),
        ({"bridged_gap": 10}, "mcmmmcmcm"),
        ({"shortest_period": 0}, "mCmmmCMCm"),
        ({"shortest_period": 60, "sure_distance": 0}, "mcmmmcmcm"),
    ],
)
async def test_a_lone_quarter_hour_is_no_period(
    hass: HomeAssistant,
    nomos,
    linked,
    advance: Advance,
    subscription,
    options,
    expected,
) -> None:
    """It has a level but is no period; two with a short gap between them are one, depending on the options."""
    start = datetime(2026, 6, 10, 10, 15, tzinfo=UTC)
    entry = await linked()
    middle = 30.0
    drawn = {0: 20, 4: 20, 5: 29.5, 6: 20}
    # From yesterday evening on: each day has two periods at most.
    for number in range(-61, 55):
        price = drawn.get(number, middle)
        nomos.correct_price(subscription.id, start + number * QUARTER, price)
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.config_entries.async_reload(entry.entry_id)
    await entry.runtime_data.prices[subscription.id].async_refresh()
    await hass.async_block_till_done()
    seen = ""
    for _ in range(9):
        level = state_of(hass, subscription.id, "price_level").state
        on = flag(hass, subscription, "cheap_now") == "on"
        seen += {"normal": "mM", "very_cheap": "cC"}[level][on]
        await advance(QUARTER)
    assert seen == expected


@pytest.mark.parametrize("now", [datetime(2026, 6, 10, 21, 46, tzinfo=UTC)])
async def test_tomorrow_only_extends_periods(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """When tomorrow arrives, the last quarter-hour of today becomes part of a period that spans midnight."""
    midnight = datetime(2026, 6, 10, 22, tzinfo=UTC)
    prices = dict.fromkeys(range(-108, -1), 30.0) | {-1: -50.0, 0: -50.0, 1: 500.0}
    for number, price in prices.items():
        nomos.correct_price(subscription.id, midnight + number * QUARTER, price)
    nomos.configure(null_amounts=[(midnight, midnight + timedelta(days=1))])
    entry = await linked()
    assert state_of(hass, subscription.id, "price_level").state == "very_cheap"
    assert flag(hass, subscription, "cheap_now") == "off"
    nomos.configure(null_amounts=[])
    await entry.runtime_data.prices[subscription.id].async_refresh()
    for state in ("on", "on", "off"):
        assert flag(hass, subscription, "cheap_now") == state
        await advance(QUARTER)


async def test_levels_end_with_the_prices(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Without a current interval, there is no level."""
    await linked()
    nomos.faults.add(kind="reset")
    for _ in range(60):
        await advance(QUARTER)
    assert flag(hass, subscription, "cheap_now") == STATE_UNAVAILABLE


@pytest.mark.parametrize("now", [datetime(2026, 6, 10, 9, 16, tzinfo=UTC)])
async def test_options(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """The customer changes the thresholds; contradictions are explained and not stored; no request is sent."""
    entry = await linked()
    assert state_of(hass, subscription.id, "price_level").state == "normal"
    requests = len(nomos.requests)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.FORM
    fields = result["data_schema"].schema
    usual = {str(key): key.default() for key in fields if key != "battery"}
    assert usual["cheap_share"] == 25
    assert usual["distance"] == pytest.approx(1)
    assert usual["sure_distance"] == pytest.approx(3)
    assert usual["shortest_period"] == usual["bridged_gap"] == 30

    usual["battery"] = {}
    for bad, errors in (
        ({"cheap_share": 5}, {"very_cheap_share": "more_than_cheap"}),
        ({"expensive_share": 9}, {"very_expensive_share": "more_than_expensive"}),
        ({"distance": 0}, {"distance": "no_distance"}),
        (
            {"very_distance": 0.5, "very_cheap_share": 26},
            {
                "very_distance": "less_than_distance",
                "very_cheap_share": "more_than_cheap",
            },
        ),
    ):
        result = await hass.config_entries.options.async_configure(
            result["flow_id"], usual | bad
        )
        assert result["type"] is FlowResultType.FORM
        assert result["errors"] == errors
        assert not entry.options

    good = usual | {"cheap_share": 50, "distance": 0.1}
    result = await hass.config_entries.options.async_configure(result["flow_id"], good)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    del good["battery"]
    assert entry.options.items() > good.items()
    assert state_of(hass, subscription.id, "price_level").state == "cheap"
    assert len(nomos.requests) == requests
