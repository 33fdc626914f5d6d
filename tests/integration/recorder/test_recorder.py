"""Tests with the real recorder and the Energy dashboard's validation."""

from datetime import date, timedelta

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from homeassistant.components.energy import validate
from homeassistant.components.energy.data import GridSourceType, async_get_manager
from homeassistant.components.recorder import history
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import async_list_statistic_ids
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from simulator.berlin import midnight
from tests.integration.helpers import entity_id

SOLAR = "solar@example.com"


@pytest.fixture
def recorder_config() -> None:
    """Record states, too."""


async def test_lists_are_not_recorded(hass: HomeAssistant, nomos, linked) -> None:
    """The database has the price and its unit, but no list."""
    await linked()
    await async_wait_recording_done(hass)
    price = entity_id(
        hass, nomos.customers["smart@example.com"].subscriptions[0].id, "price"
    )
    assert hass.states.get(price).attributes["prices_today"]
    start = dt_util.utcnow() - timedelta(hours=1)
    recorded = await get_instance(hass).async_add_executor_job(
        lambda: history.get_significant_states(
            hass, start, None, [price], significant_changes_only=False
        )
    )
    assert recorded[price]
    for state in recorded[price]:
        assert "prices_today" not in state.attributes
        assert "prices_tomorrow" not in state.attributes
        assert state.attributes["unit_of_measurement"] == "EUR/kWh"


async def test_energy_dashboard_accepts_the_price(
    hass: HomeAssistant, nomos, linked
) -> None:
    """Home Assistant's validation accepts the price and the payout."""
    assert await async_setup_component(hass, "energy", {})
    await linked("solar@example.com")
    kinds = {
        one.type: one.id for one in nomos.customers["solar@example.com"].subscriptions
    }
    for meter in ("sensor.meter_in", "sensor.meter_out"):
        hass.states.async_set(
            meter,
            "1.0",
            {
                "device_class": "energy",
                "state_class": "total_increasing",
                "unit_of_measurement": "kWh",
            },
        )
    await async_wait_recording_done(hass)
    manager = await async_get_manager(hass)
    await manager.async_update(
        {
            "energy_sources": [
                {
                    "type": "grid",
                    "stat_energy_from": "sensor.meter_in",
                    "stat_energy_to": "sensor.meter_out",
                    "stat_cost": None,
                    "entity_energy_price": entity_id(
                        hass, kinds["consumption"], "price"
                    ),
                    "number_energy_price": None,
                    "stat_compensation": None,
                    "entity_energy_price_export": entity_id(
                        hass, kinds["feed_in"], "payout"
                    ),
                    "number_energy_price_export": None,
                    "cost_adjustment_day": 0.0,
                }
            ],
            "device_consumption": [],
        }
    )
    result = (await validate.async_validate(hass)).as_dict()
    about_prices = [
        issue
        for source in result["energy_sources"]
        for issue in source
        if any("nomos" in str(affected) for affected in issue["affected_entities"])
    ]
    assert result["energy_sources"]
    assert about_prices == []


async def test_energy_dashboard_accepts_the_statistics(
    hass: HomeAssistant, nomos, linked, advance
) -> None:
    """The dashboard accepts the statistics of usage, cost, feed-in and compensation."""
    assert await async_setup_component(hass, "energy", {})
    contracts = {one.type: one for one in nomos.customers[SOLAR].subscriptions}
    for one in contracts.values():
        nomos.set_subscription(one.id, start_at=midnight(date(2026, 6, 1)))
    await linked(SOLAR)
    await advance(timedelta(minutes=2))
    await async_wait_recording_done(hass)
    bought, sold = (
        f"nomos:{contracts[kind].id}" for kind in ("consumption", "feed_in")
    )
    source: GridSourceType = {
        "type": "grid",
        "stat_energy_from": f"{bought}_usage",
        "stat_energy_to": f"{sold}_returned",
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": f"{sold}_compensation",
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0.0,
    }
    manager = await async_get_manager(hass)
    for cost in ("cost", "total_cost"):
        await manager.async_update(
            {
                "energy_sources": [source | {"stat_cost": f"{bought}_{cost}"}],
                "device_consumption": [],
            }
        )
        result = await validate.async_validate(hass)
        assert result.as_dict()["energy_sources"] == [[]]
    # A missing statistic would have been reported.
    await manager.async_update(
        {
            "energy_sources": [source | {"stat_cost": f"{bought}_no_cost"}],
            "device_consumption": [],
        }
    )
    assert (await validate.async_validate(hass)).as_dict()["energy_sources"] != [[]]


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "Nomos {} usage"), ("de", "Nomos {} Verbrauch")],
)
async def test_statistics_are_complete_and_named(
    hass: HomeAssistant, nomos, linked, advance, language, name
) -> None:
    """The statistics have all required metadata, and a name in the hub's language."""
    hass.config.language = language
    (subscription,) = nomos.customers["smart@example.com"].subscriptions
    nomos.set_subscription(subscription.id, start_at=midnight(date(2026, 6, 1)))
    await linked()
    await advance(timedelta(minutes=2))
    await async_wait_recording_done(hass)
    known = {
        one["statistic_id"]: one
        for one in await async_list_statistic_ids(hass)
        if one["source"] == "nomos"
    }
    ids = {
        series: f"nomos:{subscription.id}_{series}"
        for series in ("usage", "cost", "base_fee", "total_cost")
    }
    assert set(known) == set(ids.values())
    usage, cost = known[ids["usage"]], known[ids["cost"]]
    assert usage["name"] == name.format(subscription.number)
    assert usage["unit_class"] == "energy"
    assert usage["statistics_unit_of_measurement"] == "kWh"
    assert cost["unit_class"] is None
    assert cost["statistics_unit_of_measurement"] == "EUR"
    for one in known.values():
        assert one["has_sum"]
        assert one["mean_type"] is StatisticMeanType.NONE
