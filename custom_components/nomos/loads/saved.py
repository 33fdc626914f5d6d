"""What a load saved, as a long-term statistic: each hour of its runs is written once, as soon as it is booked."""

import asyncio
from collections.abc import Iterable
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from ..statistics import (
    Statistic,
    StatisticsError,
    async_clear,
    async_write,
    running_total,
    statistics_are_kept,
)
from ..totals import Rows
from .ledger import SavedHour
from .meter import Meter

_LOGGER = logging.getLogger(__name__)


class SavedStatistic:
    """Writes what the meter of one load has booked. A failure is tried again with the load's next change."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, load_id: str) -> None:
        """Name the statistic; nothing is read or written yet."""
        self._hass, self._entry = hass, entry
        self._statistic = _of(load_id)
        self._writing: asyncio.Task[None] | None = None

    @callback
    def async_follow(self, meter: Meter, name: str) -> None:
        """Write the hours that the statistic lacks, if any. ``name`` is that of the load."""
        busy = self._writing is not None and not self._writing.done()
        hours = meter.stored_ledger.unrecorded
        if busy or not hours or not statistics_are_kept(self._hass):
            return
        self._writing = self._entry.async_create_background_task(
            self._hass,
            self._async_write(meter, hours, name),
            f"{DOMAIN} statistic of a load",
            eager_start=False,
        )

    @callback
    def async_stop(self) -> None:
        """Stop writing."""
        if self._writing is not None:
            self._writing.cancel()

    async def _async_write(
        self, meter: Meter, hours: tuple[SavedHour, ...], name: str
    ) -> None:
        values = {one.start: one.saved for one in hours}

        def read() -> dict[Statistic, Rows]:
            """Return the rows to write: they replace the rows of the same hours, so that none counts twice."""
            total = running_total(self._hass, self._statistic, min(values))
            rows = total.revised(values)
            return {self._statistic: rows} if rows else {}

        try:
            await async_write(self._hass, read, name)
        except StatisticsError as err:
            _LOGGER.debug("What a load saved could not be written: %s", err)
            return
        finally:
            self._writing = None
        meter.async_recorded(hours)


@callback
def async_forget_saved(hass: HomeAssistant, load_ids: Iterable[str]) -> None:
    """Delete the statistics of removed loads: no other load will continue them."""
    async_clear(hass, map(_of, load_ids))


def _of(load_id: str) -> Statistic:
    """Return the statistic of a load. The load's id is a ULID; a statistic's id must be in lower case."""
    return Statistic(id=f"{DOMAIN}:load_{load_id.lower()}_saved", kind="saved")
