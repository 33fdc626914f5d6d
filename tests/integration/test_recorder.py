"""Tests with the real recorder and the real Energy dashboard's validation."""

from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from homeassistant.components.energy import validate
from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder import history
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .conftest import entity_id


@pytest.fixture(autouse=True)
def custom_integrations(recorder_mock, enable_custom_integrations: None) -> None:
    """Begin with the recorder: it has to be there before Home Assistant is."""


async def test_lists_are_not_recorded(hass: HomeAssistant, nomos, linked) -> None:
    """The database keeps the price and its unit, and no list."""
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
    """Home Assistant's own validation finds nothing wrong with the price or the payout."""
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
