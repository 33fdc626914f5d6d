"""Tests of green and red: levels as entities, and the options that move them."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.nomos.pricing import DayLevels, local_date
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
    """At every boundary the entities show how the price compares with its day."""
    entry = await linked()
    coordinator = entry.runtime_data.prices[subscription.id]
    seen = set()
    for _ in range(100):
        now = datetime.now(UTC)
        rating = DayLevels.of(coordinator.data.day(local_date(now))).at(now)
        level = state_of(hass, subscription.id, "price_level").state
        assert level == rating.level.key
        assert flag(hass, subscription, "cheap_now") == (
            "on" if level in {"cheap", "very_cheap"} else "off"
        )
        assert flag(hass, subscription, "expensive_now") == (
            "on" if level in {"expensive", "very_expensive"} else "off"
        )
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
    """Without a price nothing is cheap or expensive."""
    start = datetime(2026, 6, 10, 8, tzinfo=UTC)
    nomos.configure(null_amounts=[(start, start + QUARTER)])
    await linked()
    assert state_of(hass, subscription.id, "price_level").state == STATE_UNKNOWN
    assert flag(hass, subscription, "cheap_now") == STATE_UNKNOWN
    assert flag(hass, subscription, "expensive_now") == STATE_UNKNOWN


async def test_levels_end_with_the_prices(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Without a current interval there is nothing to say."""
    await linked()
    nomos.faults.add(kind="reset")
    for _ in range(60):
        await advance(QUARTER)
    assert flag(hass, subscription, "cheap_now") == STATE_UNAVAILABLE


@pytest.mark.parametrize("now", [datetime(2026, 6, 10, 9, 16, tzinfo=UTC)])
async def test_options(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """The customer moves the thresholds; contradictions are explained, not stored; nothing is asked of Nomos."""
    entry = await linked()
    assert state_of(hass, subscription.id, "price_level").state == "normal"
    requests = len(nomos.requests)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.FORM
    usual = {str(key): key.default() for key in result["data_schema"].schema}
    assert usual["cheap_share"] == 25
    assert usual["distance"] == pytest.approx(1)

    bad = usual | {"cheap_share": 5}
    result = await hass.config_entries.options.async_configure(result["flow_id"], bad)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "thresholds"}
    assert not entry.options

    good = usual | {"cheap_share": 50, "distance": 0.1}
    result = await hass.config_entries.options.async_configure(result["flow_id"], good)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.options == good
    assert state_of(hass, subscription.id, "price_level").state == "cheap"
    assert len(nomos.requests) == requests
