"""The fields of the account's options for forecasts."""

from collections.abc import Mapping
from typing import Any

import probatio

from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
)

from ..energy_dashboard import async_dashboard
from ..form_fields import Fields, LimitedNumber
from .options import (
    DEFAULT_YEARLY_USAGE,
    NO_PAYOUT_IF_NEGATIVE,
    PAYOUT,
    SOLAR_FORECASTS,
    YEARLY_USAGE,
)
from .sun import async_forecast_hook


async def async_forecast_fields(hass: HomeAssistant) -> Fields:
    """Return the fields; solar forecasts can be chosen if there are any."""
    offered = [
        SelectOptionDict(value=one.entry_id, label=one.title)
        for one in hass.config_entries.async_entries(include_ignore=False)
        if await async_forecast_hook(hass, one)
    ]
    forecasts: Fields = {
        probatio.Optional(SOLAR_FORECASTS): SelectSelector(
            {"options": offered, "multiple": True}
        )
    }
    return (forecasts if offered else {}) | {
        probatio.Required(YEARLY_USAGE, default=DEFAULT_YEARLY_USAGE): LimitedNumber(
            0, 100_000, 1, "kWh"
        ),
        probatio.Optional(PAYOUT): LimitedNumber(0, 100, 0.01, "ct/kWh"),
        probatio.Required(NO_PAYOUT_IF_NEGATIVE, default=False): BooleanSelector(),
    }


async def async_shown(
    hass: HomeAssistant, fields: Fields, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return options as the form shows them: solar forecasts default to those of the Energy dashboard."""
    chosen = options.get(SOLAR_FORECASTS)
    if chosen is None:
        chosen = (await async_dashboard(hass)).chosen
    field = fields.get(probatio.Optional(SOLAR_FORECASTS))
    offered = {one["value"] for one in field.config["options"]} if field else ()
    return {**options, SOLAR_FORECASTS: [one for one in chosen if one in offered]}


async def async_stored(
    hass: HomeAssistant, fields: Fields, entered: Mapping[str, Any]
) -> dict[str, Any]:
    """Return options to store; no solar forecasts if they are those of the Energy dashboard, to follow it."""
    stored = {SOLAR_FORECASTS: [], **entered}
    usual = (await async_shown(hass, fields, {}))[SOLAR_FORECASTS]
    if set(stored[SOLAR_FORECASTS]) == set(usual):
        del stored[SOLAR_FORECASTS]
    return stored
