"""Usage and cost of a contract in Home Assistant's long-term statistics."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
import hashlib
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util import slugify

from ..api import Subscription
from ..const import DOMAIN
from ..statistics import (
    Statistic,
    async_read,
    async_write,
    last_row,
    running_total,
    statistics_are_kept,
)
from ..totals import Rows
from .ledger import StatisticKind, revisions
from .metering import HourUsage

_SOLD: Final = frozenset({StatisticKind.RETURNED, StatisticKind.COMPENSATION})
"""The statistics of feed-in contracts; consumption contracts have all others."""

_ENERGY: Final = frozenset({StatisticKind.USAGE, StatisticKind.RETURNED})


class UsageStatistics:
    """The statistics of one contract."""

    def __init__(self, hass: HomeAssistant, contract: Subscription) -> None:
        """Name the statistics; nothing is read or written yet."""
        self._hass = hass
        self._selling = contract.feeds_in
        self._all = {
            kind: Statistic(
                id=f"{DOMAIN}:{_slug(contract.id)}_{kind}",
                kind=kind,
                energy=kind in _ENERGY,
            )
            for kind in StatisticKind
            if (kind in _SOLD) == self._selling
        }

    @property
    def kept(self) -> bool:
        """Return whether Home Assistant keeps statistics at all."""
        return statistics_are_kept(self._hass)

    @property
    def energy_statistic(self) -> str:
        """Return the id of the statistic of energy, bought or fed in."""
        return next(one.id for one in self._all.values() if one.energy)

    async def async_last(self) -> dict[StatisticKind, datetime]:
        """Return the start of the last hour that is written, by statistic.

        Raises:
            StatisticsError: the database cannot be read.

        """
        return await async_read(self._hass, self._last_hours)

    async def async_write(
        self,
        *,
        since: datetime,
        hours: Mapping[datetime, HourUsage],
        fees: Mapping[date, float],
        fees_from: date,
        number: str | None,
    ) -> dict[str, int]:
        """Write hours and fees to the statistics; return how many rows were written, by statistic.

        ``since`` is the first hour that may change; hours and fees start there. See ``revisions``. The contract
        number becomes part of the statistics' names.

        Raises:
            StatisticsError: not all of them are in the database.

        """

        def read() -> dict[Statistic, Rows]:
            """Return the rows that have to be written."""
            totals = {
                kind: running_total(self._hass, one, since)
                for kind, one in self._all.items()
            }
            found = revisions(
                totals, hours, fees, fees_from=fees_from, selling=self._selling
            )
            return {self._all[kind]: rows for kind, rows in found.items()}

        return await async_write(self._hass, read, number)

    def _last_hours(self) -> dict[StatisticKind, datetime]:
        return {
            kind: datetime.fromtimestamp(last["start"], UTC)
            for kind, one in self._all.items()
            if (last := last_row(self._hass, one))
        }


def _slug(identifier: str) -> str:
    """Return an opaque id as a part of a statistic's id, which may only contain a-z, 0-9 and underscores."""
    name = slugify(identifier)
    if name == identifier:
        return name
    # Two ids may differ only in what slugify drops.
    return f"{name}_{hashlib.sha256(identifier.encode()).hexdigest()[:6]}"
