"""Tests of the suggested values in a battery's dialog."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.integration.battery.helpers import LEVEL, add, open_form
from tests.integration.forecast.helpers import BATTERY, dashboard


@pytest.fixture(autouse=True)
def custom_integrations(recorder_mock, enable_custom_integrations: None) -> None:
    """Start the recorder before Home Assistant; the Energy dashboard needs it."""


async def test_two_figures_are_sufficient(
    hass: HomeAssistant, german_hub, linked
) -> None:
    """A name and the Energy dashboard's values are filled in; the discharge power equals the charge power."""
    entry = await linked()
    hass.config.language = "de"
    cellar = BATTERY | {"stat_soc": LEVEL, "capacity": 10.2}
    shed = BATTERY | {"stat_soc": "sensor.shed", "name": "Shed"}
    await dashboard(hass, BATTERY, cellar, shed)
    assert suggested(await open_form(hass, entry)) == {
        "name": "Batterie",
        "level_sensor": LEVEL,
        "capacity": 10.2,
    }
    await add(hass, entry, name="Batterie", discharge_power=None)
    [battery] = entry.subentries.values()
    assert battery.data["discharge_power"] == battery.data["charge_power"] == 5
    # The next battery gets another name.
    assert suggested(await open_form(hass, entry)) == {
        "name": "Shed",
        "level_sensor": "sensor.shed",
    }
    await add(hass, entry, name="Shed", level_sensor="sensor.shed")
    assert suggested(await open_form(hass, entry)) == {}


async def test_level_of_the_device(hass: HomeAssistant, linked) -> None:
    """If the Energy dashboard has no charge level, the only level sensor of the meter's device is suggested."""
    entry = await linked()
    await dashboard(hass, BATTERY)
    inverter = MockConfigEntry()
    inverter.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=inverter.entry_id, identifiers={("inverter", "1")}
    )

    def register(name: str, device_class: str) -> None:
        er.async_get(hass).async_get_or_create(
            "sensor",
            "inverter",
            name,
            config_entry=inverter,
            device_id=device.id,
            original_device_class=device_class,
            suggested_object_id=name,
        )

    assert suggested(await open_form(hass, entry)) == {"name": "Battery"}
    register("discharged", "energy")
    assert suggested(await open_form(hass, entry)) == {"name": "Battery"}
    register("level", "battery")
    assert suggested(await open_form(hass, entry)) == {
        "name": "Battery",
        "level_sensor": "sensor.level",
    }
    # With two, it is unclear which one is meant.
    register("level_of_module", "battery")
    assert suggested(await open_form(hass, entry)) == {"name": "Battery"}


def suggested(form: Any) -> dict[str, Any]:
    """Return the suggested values of a form's first fields."""
    found = {
        str(key): (key.description or {}).get("suggested_value")
        for key, field in form["data_schema"].schema.items()
        if not isinstance(field, section)
    }
    return {key: value for key, value in found.items() if value is not None}
