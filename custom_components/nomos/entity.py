"""The base of all entities."""

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

_PAST: Final = timedelta(seconds=5)
"""How long after a time no timer waits for it any more."""


class ReadingEntity(Entity):
    """An entity that reads its values again when there is news, and writes its state if they changed.

    A timestamp stays until its time is safely past: Home Assistant's time trigger follows the state, and would be lost
    if that changed just then.
    """

    _attr_has_entity_name = True
    _shown: object = None
    _unsub_past: CALLBACK_TYPE | None = None

    @abstractmethod
    def _read(self) -> object:
        """Set the attributes to what holds now; return all that is shown, to be compared."""

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
