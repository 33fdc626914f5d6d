"""The mode of the demo house's inverter."""

from typing import override

from homeassistant.components.select import SelectEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entities import DemoEntity
from .inverter import Inverter
from .physics import Mode


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry[Inverter],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the entity."""
    async_add_entities([ModeSelect(entry.runtime_data, "mode")])


class ModeSelect(DemoEntity, SelectEntity):
    """The inverter's mode."""

    _attr_options = [mode.value for mode in Mode]

    @property
    @override
    def current_option(self) -> str:
        """Return the current mode."""
        return self.inverter.memory.mode.value

    @override
    async def async_select_option(self, option: str) -> None:
        """Command another mode."""
        self.inverter.set_mode(Mode(option))
