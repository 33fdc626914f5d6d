"""Devices for tests: real entities of Home Assistant that can be made to disobey, fail or become unavailable."""

from datetime import timedelta
from typing import Any, override

from custom_components.nomos.const import DOMAIN
from homeassistant.components.climate import ClimateEntity
from homeassistant.components.climate.const import ClimateEntityFeature, HVACMode
from homeassistant.components.switch import SwitchEntity
from homeassistant.components.water_heater import WaterHeaterEntity
from homeassistant.components.water_heater.const import WaterHeaterEntityFeature
from homeassistant.const import UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from tests.integration.helpers import Advance
from tests.integration.loads.helpers import QUARTER, moment, put, runs_now, until

DAYTIME = {"duration": {"hours": 2}, "start": "10:00:00", "end": "18:00:00"}
IN_VAIN = timedelta(seconds=10 + 20 + 40 + 80 + 160)


class Appliance(Entity):
    """Follows and records commands; it can ignore the next few."""

    _attr_should_poll = False

    def __init__(self, name: str, *, disobeys: int = 0) -> None:
        """Ignore the first few commands."""
        self._attr_name = name
        self.commands: list[str] = []
        self.disobeys = disobeys
        self.refuses = False
        self.pretends = False

    def show(self, value: str) -> None:
        """Set the shown state."""
        raise NotImplementedError

    def obey(self, value: str) -> None:
        """Handle a command."""
        self.commands.append(value)
        if self.refuses:
            raise HomeAssistantError("no")
        before = self.value
        if self.disobeys:
            self.disobeys -= 1
            if self.pretends:
                # Like many devices, it first shows the commanded state, and soon after the real one.
                self.show(value)
                self.show(before)
            return
        self.show(value)

    @property
    def value(self) -> str:
        """Return the current state."""
        raise NotImplementedError

    def go(self, *, away: bool) -> None:
        """Become unavailable or available again."""
        self._attr_available = not away
        self.async_write_ha_state()


class Plug(Appliance, SwitchEntity):
    """A smart plug."""

    _attr_is_on = False

    @override
    def show(self, value: str) -> None:
        self._attr_is_on = value == "on"
        self.async_write_ha_state()

    @property
    @override
    def value(self) -> str:
        return "on" if self.is_on else "off"

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        self.obey("on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self.obey("off")


class Thermostat(Appliance, ClimateEntity):
    """A thermostat with presets."""

    _attr_hvac_mode = HVACMode.HEAT
    _attr_hvac_modes = [HVACMode.HEAT]
    _attr_preset_mode = "eco"
    _attr_preset_modes = ["eco", "boost", "away"]
    _attr_supported_features = ClimateEntityFeature.PRESET_MODE
    _attr_temperature_unit = UnitOfTemperature.CELSIUS

    @override
    def show(self, value: str) -> None:
        self._attr_preset_mode = value
        self.async_write_ha_state()

    @property
    @override
    def value(self) -> str:
        return str(self.preset_mode)

    @override
    async def async_set_preset_mode(self, preset_mode: str) -> None:
        self.obey(preset_mode)


class Boiler(Appliance, WaterHeaterEntity):
    """A water heater with modes of operation."""

    _attr_current_operation = "eco"
    _attr_operation_list = ["eco", "performance"]
    _attr_supported_features = WaterHeaterEntityFeature.OPERATION_MODE
    _attr_temperature_unit = UnitOfTemperature.CELSIUS

    @override
    def show(self, value: str) -> None:
        self._attr_current_operation = value
        self.async_write_ha_state()

    @property
    @override
    def value(self) -> str:
        return str(self.current_operation)

    @override
    async def async_set_operation_mode(self, operation_mode: str) -> None:
        self.obey(operation_mode)


async def plug_in(hass: HomeAssistant, *appliances: Appliance) -> None:
    """Add entities to Home Assistant."""
    for one in appliances:
        domain = {Plug: "switch", Thermostat: "climate", Boiler: "water_heater"}[
            type(one)
        ]
        assert await async_setup_component(hass, domain, {})
        await hass.data[DATA_INSTANCES][domain].async_add_entities([one])
    await hass.async_block_till_done()


def repairs(hass: HomeAssistant) -> list[dict[str, str]]:
    """Return the placeholders of all repairs about devices."""
    return [
        dict(one.translation_placeholders or {})
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN and one.translation_key == "device_unreachable"
    ]


async def by_hand(hass: HomeAssistant, entity: str, service: str) -> None:
    """Switch an entity from a dashboard."""
    domain = entity.partition(".")[0]
    target = {"entity_id": entity}
    await hass.services.async_call(domain, service, target, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)


async def until_it_runs(hass: HomeAssistant, advance: Advance, load: str) -> None:
    """Advance to the next run, whenever it will be planned."""
    while not runs_now(hass, load):
        await advance(QUARTER)


async def in_mid_run(hass, advance, entry, *devices, **data):
    """Add a load and wait until it has run for five minutes."""
    load = await put(
        hass, entry, devices=[one.entity_id for one in devices], **(DAYTIME | data)
    )
    assert not runs_now(hass, load)
    await until(advance, moment(hass, load, "next_start"))
    await advance(timedelta(minutes=5))
    assert runs_now(hass, load)
    return load
