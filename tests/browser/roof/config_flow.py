"""Adds the forecast without a form."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult


class RoofFlow(ConfigFlow, domain="roof"):
    """Creates the entry without a form."""

    @override
    async def async_step_user(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Create the entry."""
        return self.async_create_entry(title="Roof", data={})
