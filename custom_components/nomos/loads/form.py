"""The dialog that adds or changes a load: first its type, then one form with suitable initial values."""

from collections.abc import Mapping
from functools import partialmethod
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.const import CONF_NAME

from ..api import harmless_text
from ..form_fields import Mistake, SectionedForm
from ..prices.subentry import PlannedFlow
from .fields import FIELD_OF, INITIAL_VALUES, LoadType, load_form
from .preview import async_preview
from .settings import LoadSettings, Repeat

_TEXTS: Final = {
    CONF_NAME: "name_unfit",
    "preset_on": "preset_unfit",
    "preset_off": "preset_unfit",
}
"""Fields of free text, with the error shown for text that cannot be stored safely."""

_ONLY_BY_CHARGE: Final = frozenset(
    {"capacity", "target", "target_entity", "lowest_charge"}
)
"""Fields that mean nothing without a charge sensor."""


class LoadFlow(PlannedFlow):
    """The subentry flow that adds or changes a load."""

    _type: LoadType
    _sun: bool
    """Whether own solar power is offered: there is a solar forecast, or the load already uses it."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the type of load."""
        self.check_ready()
        return self.async_show_menu(
            step_id="user", menu_options=[one.value for one in LoadType]
        )

    async def _async_begin(
        self, load_type: LoadType, _: object = None
    ) -> SubentryFlowResult:
        """Show the form for a type of load, with its initial values."""
        self.check_ready()
        self._type = load_type
        self._sun = await self._get_entry().runtime_data.async_forecasts_sun()
        return self._show(INITIAL_VALUES[load_type])

    async_step_appliance = partialmethod(_async_begin, LoadType.APPLIANCE)
    async_step_car = partialmethod(_async_begin, LoadType.CAR)
    async_step_heat = partialmethod(_async_begin, LoadType.HEAT)
    async_step_other = partialmethod(_async_begin, LoadType.OTHER)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the form with the stored settings."""
        self.check_ready()
        data = _completed(self.stored())
        self._type = LoadType(data.get("type", LoadType.OTHER))
        runtime = self._get_entry().runtime_data
        self._sun = data.get("own_sun") or await runtime.async_forecasts_sun()
        return self._show(data)

    async def async_step_settings(
        self, user_input: dict[str, Any]
    ) -> SubentryFlowResult:
        """Check the input, and add or change the load."""
        self.check_ready()
        form = self._form()
        entered = form.flat(user_input)
        data = _completed(entered)
        if mistake := _mistake(form, data):
            return self._show(entered, mistake)
        title = data.pop(CONF_NAME)
        if self.source == SOURCE_RECONFIGURE:
            subentry = self._get_reconfigure_subentry()
            # Settings that are not in the form are kept.
            kept = {
                key: value
                for key, value in subentry.data.items()
                if key not in form.fields
            }
            return self.async_update_and_abort(
                self._get_entry(), subentry, title=title, data=kept | data
            )
        data["type"] = self._type.value
        runtime = self._get_entry().runtime_data
        if data.get("own_sun"):
            await runtime.async_follow_forecasts(use_own_sun=True)
        description, placeholders = await async_preview(self.hass, runtime.loads, data)
        return self.async_create_entry(
            title=title,
            data=data,
            description=description,
            description_placeholders=placeholders,
        )

    def _show(
        self, data: Mapping[str, Any], mistake: Mistake | None = None
    ) -> SubentryFlowResult:
        return self.show("settings", self._form(), data, mistake)

    def _form(self) -> SectionedForm:
        return load_form(self._type, self.contract_field(), sun=self._sun)


def _completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with a default for ``repeat``: on demand if a sensor asks for the load, else daily."""
    asked = data.get("ask_sensor") or data.get("plugged_sensor")
    usual = Repeat.ON_DEMAND if asked else Repeat.DAILY
    return {"repeat": usual.value, **data}


def _mistake(form: SectionedForm, data: dict[str, Any]) -> Mistake | None:
    """Return the first mistake in the input; None if there is none."""
    error = None
    for key, unfit in _TEXTS.items():
        if harmless_text(text := data.get(key, "")) != text:
            error = unfit
    if error is None and (wrong := form.out_of_range(data)):
        return wrong
    if not data.get("charge_sensor") and not _ONLY_BY_CHARGE.isdisjoint(data):
        error = error or "no_charge_sensor"
    try:
        LoadSettings.of(data)
    except ValueError as err:
        error = error or str(err)
    is_timed = "duration" in form.first
    field_of = FIELD_OF if is_timed else FIELD_OF | {"no_duration": "energy"}
    return form.mistake(error, field_of) if error else None
