"""Add the demo house."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult

from .inverter import DOMAIN


class DemoHouseFlow(ConfigFlow, domain=DOMAIN):
    """Creates the entry without a form."""

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Create the entry."""
        return self.async_create_entry(title="Demo house", data={})
