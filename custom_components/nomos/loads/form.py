"""The dialog that adds or changes a load: what it is, and then one form that is filled in with what suits that."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.const import CONF_NAME

from ..api import harmless_text
from ..form_fields import Mistake
from ..prices.subentry import PlannedFlow
from .fields import BEGIN_WITH, LoadForm, LoadType
from .preview import async_preview
from .settings import LoadSettings, Repeat

_TEXTS: Final = {
    CONF_NAME: "name_unfit",
    "preset_on": "preset_unfit",
    "preset_off": "preset_unfit",
}
"""The fields that hold free text, with the error of one that nobody should have to read."""

_ONLY_BY_CHARGE: Final = frozenset(
    {"capacity", "target", "target_entity", "lowest_charge"}
)
"""The fields that mean nothing without a sensor of the battery."""


class LoadFlow(PlannedFlow):
    """Asks for one load."""

    _type: LoadType | None = None
    _sun = False
    """Whether own solar power is offered: there is a forecast of the sun, or the load uses it already."""

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask what it is."""
        if ended := self.abort_if_unready():
            return ended
        return self.async_show_menu(
            step_id="user", menu_options=[one.value for one in LoadType]
        )

    async def async_step_appliance(self, _: object = None) -> SubentryFlowResult:
        """Ask for a dishwasher or washer."""
        return await self._async_begin(LoadType.APPLIANCE)

    async def async_step_car(self, _: object = None) -> SubentryFlowResult:
        """Ask for a car."""
        return await self._async_begin(LoadType.CAR)

    async def async_step_heat(self, _: object = None) -> SubentryFlowResult:
        """Ask for hot water or a heat pump."""
        return await self._async_begin(LoadType.HEAT)

    async def async_step_other(self, _: object = None) -> SubentryFlowResult:
        """Ask for anything else."""
        return await self._async_begin(LoadType.OTHER)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the form with what is stored."""
        if ended := self.abort_if_unready():
            return ended
        subentry = self._get_reconfigure_subentry()
        data = {CONF_NAME: subentry.title} | _completed(subentry.data)
        self._type = LoadType(data["type"]) if "type" in data else None
        self._sun = data.get("own_sun") or await self._async_forecasts_sun()
        return self._show(self.without_stale_contract(data))

    async def async_step_settings(
        self, user_input: dict[str, Any]
    ) -> SubentryFlowResult:
        """Add or change the load as it was described."""
        if ended := self.abort_if_unready():
            return ended
        form = self._form()
        entered = form.flat(user_input)
        data = _completed(entered)
        if mistake := _mistake(form, data):
            return self._show(entered, mistake)
        title = data.pop(CONF_NAME)
        if self.source == SOURCE_RECONFIGURE:
            subentry, fields = self._get_reconfigure_subentry(), {*form.keys()}
            # What the form does not ask for stays.
            kept = {
                key: value for key, value in subentry.data.items() if key not in fields
            }
            return self.async_update_and_abort(
                self._get_entry(), subentry, title=title, data=kept | data
            )
        if self._type is not None:
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

    async def _async_begin(self, load_type: LoadType) -> SubentryFlowResult:
        """Show the form of a type of load, filled in with what suits it."""
        if ended := self.abort_if_unready():
            return ended
        self._type, self._sun = load_type, await self._async_forecasts_sun()
        return self._show(BEGIN_WITH[load_type])

    async def _async_forecasts_sun(self) -> bool:
        found: bool = await self._get_entry().runtime_data.async_forecasts_sun()
        return found

    def _show(
        self, data: Mapping[str, Any], mistake: Mistake | None = None
    ) -> SubentryFlowResult:
        return self.show("settings", self._form(), data, mistake)

    def _form(self) -> LoadForm:
        return LoadForm.of(self._type, self.contracts(), sun=self._sun)


def _completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with a choice between daily and on demand: on demand if there is a sensor that asks."""
    asked = data.get("ask_sensor") or data.get("plugged_sensor")
    usual = Repeat.ON_DEMAND if asked else Repeat.DAILY
    return {"repeat": usual.value, **data}


def _mistake(form: LoadForm, data: dict[str, Any]) -> Mistake | None:
    """Return the first thing that is wrong with what was entered."""
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
    asked = data["repeat"] == Repeat.ON_DEMAND
    if error == "window_too_short" and asked and data.get("within"):
        error = "within_too_short"
    return Mistake(form.place_of_error(error), error, {}) if error else None
