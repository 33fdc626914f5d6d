"""The dialog that adds or changes a home battery."""

from collections.abc import Mapping
from typing import Any, Final

import probatio

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TimeSelector,
)

from ..account.ranking import rank_contracts
from ..api import harmless_text
from ..form_fields import Fields, Mistake, SectionedForm, checked_number
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


class BatteryFlow(ConfigSubentryFlow):
    """Asks for one battery."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask, and add the battery as it was described."""
        if ended := self._abort_if_unready():
            return ended
        if user_input is None:
            return self._show("user", {})
        data = self._form().flat(user_input)
        if mistake := _mistake(self._form(), data):
            return self._show("user", data, mistake)
        title = data.pop(CONF_NAME)
        return self.async_create_entry(title=title, data=data, description="added")

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the form with what is stored, and change the battery."""
        if ended := self._abort_if_unready():
            return ended
        subentry = self._get_reconfigure_subentry()
        if user_input is None:
            stored = {CONF_NAME: subentry.title} | dict(subentry.data)
            contracts = {one["value"] for one in self._contracts()}
            if stored.get("subscription") not in contracts:
                # The one that has followed on it is shown.
                stored.pop("subscription", None)
            return self._show(SOURCE_RECONFIGURE, stored)
        data = self._form().flat(user_input)
        if mistake := _mistake(self._form(), data):
            return self._show(SOURCE_RECONFIGURE, data, mistake)
        title = data.pop(CONF_NAME)
        return self.async_update_and_abort(
            self._get_entry(), subentry, title=title, data=data
        )

    def _show(
        self, step: str, data: Mapping[str, Any], mistake: Mistake | None = None
    ) -> SubentryFlowResult:
        form, place = self._form(), mistake.place if mistake else None
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                form.schema(place), form.nested(data)
            ),
            errors={mistake.place: mistake.error} if mistake else None,
            description_placeholders=mistake.placeholders if mistake else None,
        )

    def _form(self) -> SectionedForm:
        allowed, contracts = {**_ALLOWED}, self._contracts()
        if len(contracts) > 1:
            usual = probatio.Required("subscription", default=contracts[0]["value"])
            allowed[usual] = SelectSelector(SelectSelectorConfig(options=contracts))
        return SectionedForm(_FIRST, {"losses": _LOSSES, "allowed": allowed})

    def _contracts(self) -> list[SelectOptionDict]:
        """Return the contracts that a battery can be planned with, the usual one first."""
        entry: ConfigEntry[Any] = self._get_entry()
        return [
            SelectOptionDict(value=one.id, label=one.number or one.id)
            for one in rank_contracts(entry.runtime_data.account.shown.values())
            if not one.feeds_in
        ]

    def _abort_if_unready(self) -> SubentryFlowResult | None:
        """End the dialog if no battery can be described now."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        if not self._contracts():
            return self.async_abort(reason="no_consumption")
        return None


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
