"""The form that describes a load."""

from math import isfinite
from typing import Any, Final, override

import probatio

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    DurationSelector,
    DurationSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TimeSelector,
)

from ..account.ranking import rank_contracts
from ..api import harmless_text
from ..planner import Prefer
from .settings import LoadSettings


class _FiniteNumber(NumberSelector):
    """A number: Home Assistant's own check of the limits accepts NaN."""

    @override
    def __call__(self, data: Any) -> float:
        if isfinite(number := super().__call__(data)):
            return number
        raise probatio.Invalid("not a finite number")


class _Duration(DurationSelector):
    """A duration: Home Assistant's own check raises another error if it is too large."""

    @override
    def __call__(self, data: Any) -> dict[str, float]:
        try:
            return super().__call__(data)
        except OverflowError:
            raise probatio.Invalid("no duration") from None


def number_field(
    low: float, high: float, step: float, unit: str | None = None
) -> NumberSelector:
    """Return a box for a number."""
    config = NumberSelectorConfig(
        min=low, max=high, step=step, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    return _FiniteNumber(config)


# In steps that share a measure with the quarter-hour the planner is quick.
_MINUTES: Final = number_field(0, 720, 5, "min")

_FIELDS: Final = {
    probatio.Required(CONF_NAME): TextSelector(),
    probatio.Required("duration"): _Duration(DurationSelectorConfig(enable_day=False)),
    probatio.Required("start", default="00:00:00"): TimeSelector(),
    probatio.Required("end", default="00:00:00"): TimeSelector(),
    probatio.Required("contiguous", default=True): BooleanSelector(),
    probatio.Optional("power"): number_field(0.01, 100, 0.01, "kW"),
    probatio.Required("prefer", default=Prefer.EARLY.value): SelectSelector(
        SelectSelectorConfig(
            options=[prefer.value for prefer in Prefer], translation_key="prefer"
        )
    ),
    probatio.Optional("price_cap"): number_field(-100, 200, 0.1, "ct/kWh"),
    probatio.Optional("fallback"): TimeSelector(),
    probatio.Optional("min_run"): _MINUTES,
    probatio.Optional("min_pause"): _MINUTES,
    probatio.Optional("max_runs"): number_field(1, 24, 1),
}


class LoadFlow(ConfigSubentryFlow):
    """Asks for one load, in one form."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a load."""
        errors = _errors(user_input)
        if user_input is None or errors:
            return self._form("user", user_input, errors)
        return self.async_create_entry(title=user_input.pop(CONF_NAME), data=user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a load."""
        subentry, errors = self._get_reconfigure_subentry(), _errors(user_input)
        if user_input is None or errors:
            shown = user_input or {CONF_NAME: subentry.title, **subentry.data}
            return self._form("reconfigure", shown, errors)
        title = user_input.pop(CONF_NAME)
        return self.async_update_and_abort(
            self._get_entry(), subentry, title=title, data=user_input
        )

    def _form(
        self, step: str, shown: dict[str, Any] | None, errors: dict[str, str]
    ) -> SubentryFlowResult:
        entry: ConfigEntry[Any] = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        contracts = [
            SelectOptionDict(value=one.id, label=one.number or one.id)
            for one in rank_contracts(entry.runtime_data.account.shown.values())
            if not one.feeds_in
        ]
        if not contracts:
            return self.async_abort(reason="no_consumption")
        fields: dict[probatio.Marker, Any] = {**_FIELDS}
        if len(contracts) > 1:
            usual = probatio.Required("subscription", default=contracts[0]["value"])
            fields[usual] = SelectSelector(SelectSelectorConfig(options=contracts))
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema(fields), shown
            ),
            errors=errors,
        )


def _errors(user_input: dict[str, Any] | None) -> dict[str, str]:
    """Return what is wrong with the settings, by translation key."""
    if user_input is None:
        return {}
    if harmless_text(user_input[CONF_NAME]) != user_input[CONF_NAME]:
        return {CONF_NAME: "name_unfit"}
    try:
        LoadSettings.of(user_input)
    except ValueError as err:
        return {"base": str(err)}
    return {}
