"""The base of the demo house's entities."""

from typing import override

from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity

from .inverter import CHANGED, DOMAIN, Inverter


class DemoEntity(Entity):
    """An entity that is updated whenever the inverter changes."""

    _attr_should_poll = False

    def __init__(self, inverter: Inverter, key: str) -> None:
        """Name the entity: `demo_…`."""
        self.inverter = inverter
        self._attr_unique_id = f"{DOMAIN}_{key}"
        self._attr_name = f"Demo {key.replace('_', ' ')}"

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to changes."""
        self.async_on_remove(
            async_dispatcher_connect(self.hass, CHANGED, self.async_write_ha_state)
        )
