"""The dialog that adds or changes a home battery."""

from functools import partialmethod
from typing import Any, Final

import probatio

from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN, SensorDeviceClass
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    SubentryFlowResult,
)
from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    CONF_NAME,
    PERCENTAGE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import BooleanSelector, EntitySelector, TextSelector

from ..api import harmless_text
from ..const import BATTERY, DOCS_URL
from ..energy_dashboard import KnownBattery, async_dashboard
from ..form_fields import CheckedNumber, Fields, Mistake, SectionedForm, ShortTime
from ..prices.subentry import PlannedFlow
from .settings import DEFAULT_EFFICIENCY, DEFAULT_RESERVE, DEFAULT_WEAR, BatterySettings

_POWER: Final = CheckedNumber(0.1, 1000, 0.1, "kW")

# The frontend fills a required number with its minimum, so these are optional and checked here.
_FIRST: Final[Fields] = {
    probatio.Required(CONF_NAME): TextSelector(),
    probatio.Required("level_sensor"): EntitySelector(
        {
            "filter": [
                {"domain": ["sensor", "number"], "unit_of_measurement": PERCENTAGE},
                # A helper may have no unit.
                {"domain": "input_number"},
            ]
        }
    ),
    probatio.Optional("capacity"): CheckedNumber(0.1, 10_000, 0.1, "kWh"),
    probatio.Optional("charge_power"): _POWER,
    probatio.Optional("discharge_power"): _POWER,
}
_LOSSES: Final[Fields] = {
    probatio.Required("efficiency", default=DEFAULT_EFFICIENCY): CheckedNumber(
        30, 100, 1, "%"
    ),
    probatio.Required("standby", default=0): CheckedNumber(0, 1000, 1, "W"),
    probatio.Required("wear", default=DEFAULT_WEAR): CheckedNumber(
        0, 100, 0.1, "ct/kWh"
    ),
}
_ALLOWED: Final[Fields] = {
    probatio.Required("reserve", default=DEFAULT_RESERVE): CheckedNumber(
        0, 100, 1, "%"
    ),
    probatio.Required("from_grid", default=True): BooleanSelector(),
    probatio.Required("to_grid", default=False): BooleanSelector(),
    probatio.Optional("target_level"): CheckedNumber(0, 100, 1, "%"),
    probatio.Optional("target_time"): ShortTime(),
}

_FIELD_OF: Final = {
    "name_unfit": CONF_NAME,
    "level_not_percent": "level_sensor",
    "target_incomplete": "target_level",
}
"""The field that is to blame for what cannot be meant, if it is not the one that is missing."""

_NAMES: Final = {"en": "Battery", "de": "Batterie"}

_BLUEPRINTS: Final = {
    "en": f"{DOCS_URL}/blueprints.md#follow-the-battery-plan",
    "de": f"{DOCS_URL}/blueprints.de.md#dem-batterieplan-folgen",
}
"""Where the blueprint that follows the plan can be added with one click."""


class BatteryFlow(PlannedFlow):
    """The subentry flow that adds or changes a battery."""

    async def _async_ask(
        self, step: str, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask, and add or change the battery as it was described."""
        self.check_ready()
        allowed = _ALLOWED | self.contract_field()
        form = SectionedForm(_FIRST, {"losses": _LOSSES, "allowed": allowed})
        is_known = step == SOURCE_RECONFIGURE
        if user_input is None:
            shown = self.stored() if is_known else await self._async_proposal()
            return self.show(step, form, shown)
        data = _completed(form.flat(user_input))
        if mistake := _mistake(self.hass, form, data):
            return self.show(step, form, data, mistake)
        title = data.pop(CONF_NAME)
        if is_known:
            subentry = self._get_reconfigure_subentry()
            return self.async_update_and_abort(
                self._get_entry(), subentry, title=title, data=data
            )
        language = self.hass.config.language[:2]
        page = _BLUEPRINTS.get(language, _BLUEPRINTS["en"])
        return self.async_create_entry(
            title=title,
            data=data,
            description="added",
            description_placeholders={"blueprint_url": page},
        )

    async_step_user = partialmethod(_async_ask, SOURCE_USER)
    async_step_reconfigure = partialmethod(_async_ask, SOURCE_RECONFIGURE)

    async def _async_proposal(self) -> dict[str, Any]:
        """Return initial values: a battery of the Energy dashboard that is not added yet, and an unused name."""
        others = [
            one
            for one in self._get_entry().subentries.values()
            if one.subentry_type == BATTERY
        ]
        added = {one.data.get("level_sensor") for one in others}
        known = (await async_dashboard(self.hass)).batteries
        levels = {one: _level_sensor(self.hass, one) for one in known}
        new = next((one for one in known if levels[one] not in {*added, None}), None)
        language = self.hass.config.language[:2]
        name = (new and new.name) or _NAMES.get(language, _NAMES["en"])
        proposed = {
            CONF_NAME: None if name in {one.title for one in others} else name,
            "level_sensor": new and levels[new],
            "capacity": new and new.capacity,
        }
        return {key: value for key, value in proposed.items() if value}


def _level_sensor(hass: HomeAssistant, known: KnownBattery) -> str | None:
    """Return a battery's charge-level sensor: that of the dashboard, else the only one of its meter's device."""
    if known.level_sensor is not None or known.meter is None:
        return known.level_sensor
    registry = er.async_get(hass)
    meter = registry.async_get(known.meter)
    if meter is None or meter.device_id is None:
        return None
    found = [
        one.entity_id
        for one in er.async_entries_for_device(registry, meter.device_id)
        if one.domain == SENSOR_DOMAIN
        and one.original_device_class == SensorDeviceClass.BATTERY
    ]
    return found[0] if len(found) == 1 else None


def _completed(data: dict[str, Any]) -> dict[str, Any]:
    """Return settings in which the discharge power defaults to the charge power."""
    if "charge_power" in data:
        data.setdefault("discharge_power", data["charge_power"])
    return data


def _mistake(
    hass: HomeAssistant, form: SectionedForm, data: dict[str, Any]
) -> Mistake | None:
    """Return the first mistake in the input; None if there is none."""
    if wrong := form.out_of_range(data):
        return wrong
    error = None
    if harmless_text(data[CONF_NAME]) != data[CONF_NAME]:
        error = "name_unfit"
    elif not _may_be_level(hass, data["level_sensor"]):
        error = "level_not_percent"
    else:
        try:
            BatterySettings.of(data)
        except ValueError as err:
            error = str(err)
    return form.mistake(error, _FIELD_OF) if error else None


def _may_be_level(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity may report a charge level in percent; assume so if it reports nothing now."""
    if (state := hass.states.get(entity_id)) is None:
        return True
    if (unit := state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)) is not None:
        return bool(unit == PERCENTAGE)
    try:
        return 0 <= float(state.state) <= 100
    except ValueError:
        return state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN)
