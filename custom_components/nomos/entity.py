"""The base of all entities."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .const import DOMAIN

_PAST: Final = timedelta(seconds=5)
"""How long after a timestamp every timer for it has fired."""


class ValueEntity(Entity):
    """An entity that reads its values again on updates, and writes its state if they changed.

    A timestamp stays until its time is safely past: Home Assistant's time trigger follows the state, and would not
    fire if it changed at that moment.
    """

    _attr_has_entity_name = True
    _shown: object = None
    _unsub_past: CALLBACK_TYPE | None = None

    @abstractmethod
    def _read_value(self, now: datetime) -> object:
        """Set the attributes to the values of an instant, and return all that is shown, for comparison."""

    def _is_available(self, _now: datetime) -> bool:
        """Return whether there is something to show at an instant."""
        return True

    @callback
    def _read(self) -> object:
        now = dt_util.utcnow()
        self._attr_available = self._is_available(now)
        return self._attr_available, self._read_value(now)

    @override
    async def async_added_to_hass(self) -> None:
        """Read again: time may have passed since the entity was created."""
        await super().async_added_to_hass()
        self.async_on_remove(self._stop_waiting)
        self._shown = self._read()

    @callback
    def _async_show(self, _now: datetime | None = None) -> None:
        """Write the state if it changed."""
        self._stop_waiting()
        now, value = dt_util.utcnow(), getattr(self, "_attr_native_value", None)
        if isinstance(value, datetime) and value <= now < value + _PAST:
            self._unsub_past = async_track_point_in_utc_time(
                self.hass, self._async_show, value + _PAST
            )
            return
        before, self._shown = self._shown, self._read()
        if self._shown != before:
            self.async_write_ha_state()

    @callback
    def _stop_waiting(self) -> None:
        if self._unsub_past is not None:
            self._unsub_past()
            self._unsub_past = None


class Planned(Protocol):
    """A load or a battery."""

    id: str
    """The id of its subentry."""


def signal_changed(key: str) -> str:
    """Return the signal for changes of a load or a battery (by its id), or of any load (by the account's id)."""
    return f"{DOMAIN}_changed_{key}"


class SubentryEntity[T: Planned](ValueEntity):
    """An entity of a load or a battery, whose changes are signalled by the dispatcher."""

    _attr_should_poll = False

    def __init__(self, planned: T, description: EntityDescription) -> None:
        """Belong to the device of a subentry, and read its current values."""
        self.planned = planned
        self.entity_description = description
        self._attr_unique_id = f"{planned.id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, planned.id)})
        self._read()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the signal."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass, signal_changed(self.planned.id), self._async_show
            )
        )


@dataclass(frozen=True, kw_only=True)
class SubentryEntityDescription[T: Planned](SensorEntityDescription):
    """A sensor of a load or a battery."""

    value_fn: Callable[[T, datetime], str | float | datetime | None]
    attributes_fn: Callable[[T, datetime], Mapping[str, Any]] = lambda *_: {}


class SubentrySensor[T: Planned](SubentryEntity[T], SensorEntity):
    """A value of a load or a battery, or of its plan."""

    entity_description: SubentryEntityDescription[T]

    @override
    def _read_value(self, now: datetime) -> object:
        read = self.entity_description
        self._attr_native_value = read.value_fn(self.planned, now)
        self._attr_extra_state_attributes = {**read.attributes_fn(self.planned, now)}
        return self._attr_native_value, self._attr_extra_state_attributes
