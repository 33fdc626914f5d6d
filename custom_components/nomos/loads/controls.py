"""Entities that control a load from a dashboard: whether it is planned, and its settings."""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import time
from typing import Any, Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.components.time import TimeEntity, TimeEntityDescription
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import PERCENTAGE, UnitOfEnergy, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..entity import SubentryEntity
from ..errors import invalid_input
from .load import Load
from .settings import LoadSettings

type _Setup = Callable[
    [HomeAssistant, ConfigEntry[Any], AddConfigEntryEntitiesCallback],
    Coroutine[Any, Any, None],
]

PLANNED: Final = SwitchEntityDescription(key="planned", translation_key="load_planned")


@dataclass(frozen=True, kw_only=True)
class NomosLoadButtonDescription(ButtonEntityDescription):
    """A button that makes a load do something."""

    press_fn: Callable[[Load], None]


BUTTONS: Final = (
    NomosLoadButtonDescription(
        key="start_now",
        translation_key="load_start_now",
        press_fn=Load.async_start_now,
    ),
    NomosLoadButtonDescription(
        key="skip", translation_key="load_skip", press_fn=Load.async_skip
    ),
)

TIMES: Final = (
    TimeEntityDescription(key="end", translation_key="load_ready_by"),
    TimeEntityDescription(
        key="start",
        translation_key="load_earliest_start",
        entity_registry_enabled_default=False,
    ),
)
"""Time-of-day settings of a load; the keys are those of the form."""


def _need(
    name: str,
    unit: str,
    least: float,
    most: float,
    device_class: NumberDeviceClass | None = None,
) -> NumberEntityDescription:
    return NumberEntityDescription(
        key="need",
        translation_key=name,
        device_class=device_class,
        native_unit_of_measurement=unit,
        native_min_value=least,
        native_max_value=most,
        native_step=least,
        mode=NumberMode.BOX,
    )


DURATION: Final = _need(
    "load_duration", UnitOfTime.MINUTES, 1, 24 * 60, NumberDeviceClass.DURATION
)
ENERGY: Final = _need(
    "load_energy_needed",
    UnitOfEnergy.KILO_WATT_HOUR,
    0.1,
    200,
    NumberDeviceClass.ENERGY,
)
TARGET_CHARGE: Final = _need("load_target_charge", PERCENTAGE, 1, 100)

_ERRORS: Final = {
    "no_duration": "load_no_duration",
    "window_too_short": "load_window_too_short",
    "within_too_short": "load_window_too_short",
    "min_run_too_long": "load_min_run_too_long",
    "fallback_outside": "load_fallback_outside",
    "lowest_above_target": "load_lowest_above_target",
}
"""Translation keys of errors raised outside the form."""


def load_platform(entities: Callable[[Load], Iterable[Entity]]) -> _Setup:
    """Return the ``async_setup_entry`` of a platform that only has entities of loads."""

    async def async_setup_entry(
        _hass: HomeAssistant,
        entry: ConfigEntry[Any],
        async_add_entities: AddConfigEntryEntitiesCallback,
    ) -> None:
        entry.runtime_data.loads.async_each(async_add_entities, entities)

    return async_setup_entry


class NomosLoadSwitch(SubentryEntity[Load], SwitchEntity):
    """Whether the load is planned: every day, or once if it is on demand."""

    @override
    def _read_value(self, now: object) -> object:
        self._attr_is_on = self.planned.is_on
        return self._attr_is_on

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Plan the load."""
        self.planned.async_switch(on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Stop planning the load, and end its run."""
        self.planned.async_switch(on=False)


class NomosLoadButton(SubentryEntity[Load], ButtonEntity):
    """A button of the load."""

    entity_description: NomosLoadButtonDescription

    @override
    def _read_value(self, now: object) -> object:
        return None

    @override
    async def async_press(self) -> None:
        """Press the button."""
        self.entity_description.press_fn(self.planned)


class _SettingEntity(SubentryEntity[Load]):
    """An entity that shows and changes a setting of a load."""

    @callback
    def _change(self, **changes: Any) -> None:
        """Store changed settings; a value of None removes one.

        Raises:
            ServiceValidationError: the load could never be planned with them.

        """
        entry, subentry = self.planned.entry, self.planned.subentry
        data = {
            key: value
            for key, value in (subentry.data | changes).items()
            if value is not None
        }
        try:
            LoadSettings.of(data)
        except ValueError as err:
            raise invalid_input(_ERRORS[str(err)]) from None
        self.hass.config_entries.async_update_subentry(entry, subentry, data=data)


class NomosLoadTime(_SettingEntity, TimeEntity):
    """A time that bounds the load's window, in the hub's local time."""

    @override
    def _read_value(self, now: object) -> object:
        key = self.entity_description.key
        self._attr_native_value = getattr(self.planned.settings, key)
        return self._attr_native_value

    @override
    async def async_set_value(self, value: time) -> None:
        """Change the time."""
        self._change(**{self.entity_description.key: value.isoformat("seconds")})


class NomosLoadNeed(_SettingEntity, NumberEntity):
    """What the load needs: minutes, or kWh if that was entered; for a car, its target charge in percent."""

    def __init__(self, load: Load) -> None:
        """Show minutes until the settings are read."""
        super().__init__(load, DURATION)

    @override
    def _read_value(self, now: object) -> object:
        settings = self.planned.settings
        if settings.car is not None:
            self.entity_description = TARGET_CHARGE
            self._attr_native_value = self.planned.sensors.target
        elif settings.energy is not None:
            self.entity_description = ENERGY
            self._attr_native_value = settings.energy
        else:
            self.entity_description = DURATION
            self._attr_native_value = settings.duration.total_seconds() / 60
        return self.entity_description, self._attr_native_value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change what is needed.

        Raises:
            ServiceValidationError: the load could never be planned, or another entity sets the target.

        """
        car = self.planned.settings.car
        if car is not None and car.target_entity is not None:
            raise invalid_input("load_target_elsewhere")
        if car is not None:
            self._change(target=value)
        elif self.planned.settings.energy is not None:
            self._change(energy=value)
        else:
            minutes = round(value)
            self._change(duration={"hours": minutes // 60, "minutes": minutes % 60})
