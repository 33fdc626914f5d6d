"""The dialog that adds or changes a home battery."""

from typing import Any, Final

import probatio

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TimeSelector,
)

from ..api import harmless_text
from ..form_fields import Fields, Mistake, SectionedForm, checked_number
from ..prices.subentry import PlannedFlow
from .settings import USUAL_EFFICIENCY, USUAL_RESERVE, USUAL_WEAR, BatterySettings

_POWER: Final = checked_number(0.1, 1000, 0.1, "kW")

_FIRST: Final[Fields] = {
    probatio.Required(CONF_NAME): TextSelector(),
    probatio.Required("level_sensor"): EntitySelector(
        EntitySelectorConfig(domain=["sensor", "number", "input_number"])
    ),
    probatio.Required("capacity"): checked_number(0.1, 10_000, 0.1, "kWh"),
    probatio.Required("charge_power"): _POWER,
    probatio.Required("discharge_power"): _POWER,
}
_LOSSES: Final[Fields] = {
    probatio.Required("efficiency", default=USUAL_EFFICIENCY): checked_number(
        30, 100, 1, "%"
    ),
    probatio.Required("standby", default=0): checked_number(0, 1000, 1, "W"),
    probatio.Required("wear", default=USUAL_WEAR): checked_number(
        0, 100, 0.1, "ct/kWh"
    ),
}
_ALLOWED: Final[Fields] = {
    probatio.Required("reserve", default=USUAL_RESERVE): checked_number(0, 100, 1, "%"),
    probatio.Required("from_grid", default=True): BooleanSelector(),
    probatio.Required("to_grid", default=False): BooleanSelector(),
    probatio.Optional("target_level"): checked_number(0, 100, 1, "%"),
    probatio.Optional("target_time"): TimeSelector(),
}

_FIELD_OF: Final = {
    "name_unfit": CONF_NAME,
    "no_level_sensor": "level_sensor",
    "no_such_battery": "capacity",
    "target_incomplete": "target_level",
}
"""The field that is to blame for what cannot be meant."""


class BatteryFlow(PlannedFlow):
    """Asks for one battery."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask, and add the battery as it was described."""
        if ended := self.abort_if_unready():
            return ended
        if user_input is None:
            return self.show("user", self._form(), {})
        data = self._form().flat(user_input)
        if mistake := _mistake(self._form(), data):
            return self.show("user", self._form(), data, mistake)
        title = data.pop(CONF_NAME)
        return self.async_create_entry(title=title, data=data, description="added")

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the form with what is stored, and change the battery."""
        if ended := self.abort_if_unready():
            return ended
        subentry = self._get_reconfigure_subentry()
        if user_input is None:
            stored = {CONF_NAME: subentry.title} | dict(subentry.data)
            shown = self.without_stale_contract(stored)
            return self.show(SOURCE_RECONFIGURE, self._form(), shown)
        data = self._form().flat(user_input)
        if mistake := _mistake(self._form(), data):
            return self.show(SOURCE_RECONFIGURE, self._form(), data, mistake)
        title = data.pop(CONF_NAME)
        return self.async_update_and_abort(
            self._get_entry(), subentry, title=title, data=data
        )

    def _form(self) -> SectionedForm:
        allowed, contracts = {**_ALLOWED}, self.contracts()
        if len(contracts) > 1:
            usual = probatio.Required("subscription", default=contracts[0]["value"])
            allowed[usual] = SelectSelector(SelectSelectorConfig(options=contracts))
        return SectionedForm(_FIRST, {"losses": _LOSSES, "allowed": allowed})


def _mistake(form: SectionedForm, data: dict[str, Any]) -> Mistake | None:
    """Return the first thing that is wrong with what was entered."""
    if wrong := form.out_of_range(data):
        return wrong
    error = None
    if harmless_text(data[CONF_NAME]) != data[CONF_NAME]:
        error = "name_unfit"
    try:
        BatterySettings.of(data)
    except ValueError as err:
        error = error or str(err)
    return Mistake(form.place_of(_FIELD_OF[error]), error, {}) if error else None
