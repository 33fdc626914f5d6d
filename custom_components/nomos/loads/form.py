"""Describe a flexible load, or change its description."""

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
from .model import LoadSettings


class FiniteNumber(NumberSelector):
    """A number: Home Assistant's own check of the limits lets pass what is none."""

    @override
    def __call__(self, data: Any) -> float:
        if isfinite(number := super().__call__(data)):
            return number
        raise probatio.Invalid("not a finite number")


class _Duration(DurationSelector):
    """A duration that fits into one: Home Assistant's own check breaks at larger ones."""

    @override
    def __call__(self, data: Any) -> dict[str, float]:
        try:
            return super().__call__(data)
        except OverflowError:
            raise probatio.Invalid("no duration") from None


def _number(unit: str, step: float, low: float, high: float) -> NumberSelector:
    return FiniteNumber(
        NumberSelectorConfig(
            min=low,
            max=high,
            step=step,
            unit_of_measurement=unit,
            mode=NumberSelectorMode.BOX,
        )
    )


_MINUTES: Final = FiniteNumber(
    NumberSelectorConfig(
        min=0,
        max=720,
        # In steps that share a measure with the quarter-hour the planner is quick.
        step=5,
        unit_of_measurement="min",
        mode=NumberSelectorMode.BOX,
    )
)

_FIELDS: Final = {
    probatio.Required(CONF_NAME): TextSelector(),
    probatio.Required("duration"): _Duration(DurationSelectorConfig(enable_day=False)),
    probatio.Required("start", default="00:00:00"): TimeSelector(),
    probatio.Required("end", default="00:00:00"): TimeSelector(),
    probatio.Required("contiguous", default=True): BooleanSelector(),
    probatio.Optional("power"): _number("kW", 0.01, 0.01, 100),
    probatio.Required("prefer", default=Prefer.EARLY.value): SelectSelector(
        SelectSelectorConfig(
            options=[prefer.value for prefer in Prefer], translation_key="prefer"
        )
    ),
    probatio.Optional("price_cap"): _number("ct/kWh", 0.1, -100, 200),
    probatio.Optional("fallback"): TimeSelector(),
    probatio.Optional("min_run"): _MINUTES,
    probatio.Optional("min_pause"): _MINUTES,
    probatio.Optional("max_runs"): FiniteNumber(
        NumberSelectorConfig(min=1, max=24, step=1, mode=NumberSelectorMode.BOX)
    ),
}


class LoadFlow(ConfigSubentryFlow):
    """Asks for one load, in one form."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Add a load."""
        if user_input is not None and not (errors := _check(user_input)):
            return self.async_create_entry(
                title=user_input.pop(CONF_NAME), data=user_input
            )
        return self._form("user", user_input, errors if user_input else {})

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Change a load."""
        subentry = self._get_reconfigure_subentry()
        if user_input is not None and not (errors := _check(user_input)):
            return self.async_update_and_abort(
                self._get_entry(),
                subentry,
                title=user_input.pop(CONF_NAME),
                data=user_input,
            )
        shown = user_input or {CONF_NAME: subentry.title, **subentry.data}
        return self._form("reconfigure", shown, errors if user_input else {})

    def _form(
        self, step: str, shown: dict[str, Any] | None, errors: dict[str, str]
    ) -> SubentryFlowResult:
        entry: ConfigEntry[Any] = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        if not rank_contracts(entry.runtime_data.account.shown.values()):
            return self.async_abort(reason="no_consumption")
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                probatio.Schema({**_FIELDS, **_contract_field(entry)}), shown
            ),
            errors=errors,
        )


def _check(user_input: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with the settings, by translation key."""
    if harmless_text(user_input[CONF_NAME]) != user_input[CONF_NAME]:
        return {CONF_NAME: "name_unfit"}
    try:
        LoadSettings.of(user_input)
    except ValueError as err:
        return {"base": str(err)}
    return {}


def _contract_field(entry: ConfigEntry[Any]) -> dict[probatio.Marker, SelectSelector]:
    """Return the field that chooses the contract, where there are several to choose from."""
    contracts = [
        SelectOptionDict(value=one.id, label=one.number or one.id)
        for one in rank_contracts(entry.runtime_data.account.shown.values())
    ]
    if len(contracts) < 2:
        return {}
    selector = SelectSelector(SelectSelectorConfig(options=contracts))
    return {probatio.Required("subscription", default=contracts[0]["value"]): selector}
