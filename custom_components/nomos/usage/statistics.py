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

_BOUGHT: Final = (
    StatisticKind.USAGE,
    StatisticKind.COST,
    StatisticKind.BASE_FEE,
    StatisticKind.TOTAL_COST,
)
_SOLD: Final = (StatisticKind.RETURNED, StatisticKind.COMPENSATION)
"""The statistics of a contract, by the direction in which the energy flows."""

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
            for kind in (_SOLD if self._selling else _BOUGHT)
        }

    @property
    def kept(self) -> bool:
        """Return whether Home Assistant keeps statistics at all."""
        return statistics_are_kept(self._hass)

    @property
    def energy_statistic(self) -> str:
        """Return the id of the statistic of energy, bought or fed in."""
        kind = StatisticKind.RETURNED if self._selling else StatisticKind.USAGE
        return self._all[kind].id

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
    ) -> dict[StatisticKind, int]:
        """Bring hours and fees into the statistics; return how many rows were written, by statistic.

        Args:
            since: the first hour that may change.
            hours: usage and cost by the hour, none of them before ``since``.
            fees: the base fee in EUR by the day, none of them before ``since``; empty if it is not known.
            fees_from: the first day whose fee replaces one that is written.
            number: the number of the contract, for the names of the statistics.

        Raises:
            StatisticsError: they are not in the database.

        """

        def read() -> dict[Statistic, Rows]:
            """Return the rows that have to be written."""
            found = revisions(
                {
                    kind: running_total(self._hass, one, since)
                    for kind, one in self._all.items()
                },
                hours,
                fees,
                fees_from=fees_from,
                selling=self._selling,
            )
            return {self._all[kind]: rows for kind, rows in found.items()}

        written = await async_write(self._hass, read, number)
        return {StatisticKind(one.kind): count for one, count in written.items()}

    def _last_hours(self) -> dict[StatisticKind, datetime]:
        return {
            kind: datetime.fromtimestamp(last["start"], UTC)
            for kind, one in self._all.items()
            if (last := last_row(self._hass, one))
        }


def _slug(identifier: str) -> str:
    """Return an opaque id as a part of a statistic's id, which knows small letters, digits and underscores only."""
    name = slugify(identifier)
    if name == identifier:
        return name
    # Two ids may differ in what is lost.
    return f"{name}_{hashlib.sha256(identifier.encode()).hexdigest()[:6]}"
