"""The wallbox of the demo house."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities import DemoEntity
from .inverter import Inverter


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry[Inverter],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entity."""
    async_add_entities([Wallbox(entry.runtime_data, "wallbox")])


class Wallbox(DemoEntity, SwitchEntity):
    """A wallbox, which draws its power while it is on."""

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the wallbox is on."""
        return self.inverter.memory.wallbox

    @override
    async def async_turn_on(self, **_: Any) -> None:
        """Switch the wallbox on."""
        self.inverter.set("wallbox", True)

    @override
    async def async_turn_off(self, **_: Any) -> None:
        """Switch the wallbox off."""
        self.inverter.set("wallbox", False)
