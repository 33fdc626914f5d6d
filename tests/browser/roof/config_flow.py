"""Adds the roof without a question."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult


class RoofFlow(ConfigFlow, domain="roof"):
    """Adds the roof."""

    @override
    async def async_step_user(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add it."""
        return self.async_create_entry(title="Roof", data={})
