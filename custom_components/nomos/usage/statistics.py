"""Usage and cost in Home Assistant's long-term statistics.

They are external statistics: no entity makes them, so that yesterday's hours can be written today. What is in the
database is what counts. Every write begins with what is there, and ends with a look whether it has arrived.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
import hashlib
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_add_external_statistics,
    get_last_statistics,
    statistics_during_period,
)
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import slugify
from homeassistant.util.unit_conversion import EnergyConverter

from ..api import Subscription
from ..api.columns import Packed
from ..const import CURRENCY, DOMAIN, MANUFACTURER
from .metering import HourRow, HourUsage, RunningTotal, StatisticKind, revisions

RECORDER: Final = "recorder"

_BOUGHT: Final = (
    StatisticKind.USAGE,
    StatisticKind.COST,
    StatisticKind.BASE_FEE,
    StatisticKind.TOTAL_COST,
)
_SOLD: Final = (StatisticKind.RETURNED, StatisticKind.COMPENSATION)
"""The series of a contract, by the way in which the energy flows."""

_ENERGY: Final = frozenset({StatisticKind.USAGE, StatisticKind.RETURNED})

_READ_AT_ONCE: Final = timedelta(days=31)

_COMMIT_TIMEOUT: Final = 300.0
"""Seconds after which a write counts as failed. A recorder that cleans up its database can be busy for a minute."""


class HistoryError(Exception):
    """The database did not take what was to be written; it is tried again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryChange:
    """What was learned, to be brought into the statistics.

    Attributes:
        since: The first hour that may change.
        hours: Usage and cost by the hour, none of them before ``since``.
        fees: The base fee in EUR by the day, none of them before ``since``; empty where it is not known.
        fees_from: The first day whose fee replaces one that is written.
    """

    since: datetime
    hours: Mapping[datetime, HourUsage]
    fees: Mapping[date, float]
    fees_from: date = date.max


class UsageHistory:
    """The statistics of one contract."""

    def __init__(self, hass: HomeAssistant, subscription: Subscription) -> None:
        """Name the statistics; nothing is read or written yet."""
        self._hass = hass
        self._selling = subscription.feeds_in
        self._names = {
            series: f"{DOMAIN}:{_slug(subscription.id)}_{series}"
            for series in (_SOLD if self._selling else _BOUGHT)
        }

    @property
    def kept(self) -> bool:
        """Return whether Home Assistant keeps statistics at all."""
        return RECORDER in self._hass.config.components

    async def async_last(self) -> dict[StatisticKind, datetime]:
        """Return the start of the last hour that is written, by series.

        Raises:
            HistoryError: the database cannot be read.

        """
        return await self._async_read(self._last_hours)

    async def async_write(
        self, change: HistoryChange, number: str | None
    ) -> dict[StatisticKind, int]:
        """Bring what was learned into the statistics; return how many hours were written, by series.

        Args:
            change: what was learned.
            number: the number of the contract, for the names of the statistics.

        Raises:
            HistoryError: it did not arrive.

        """
        rows = await self._async_read(self._revisions, change)
        if not rows:
            return {}
        names = await async_get_translations(
            self._hass, self._hass.config.language, "selector", {DOMAIN}
        )
        for series, changed in rows.items():
            label = names.get(f"component.{DOMAIN}.selector.statistic.options.{series}")
            name = " ".join(filter(None, (MANUFACTURER, number, label or series)))
            async_add_external_statistics(
                self._hass,
                self._metadata(series, name),
                # The recorder goes through it twice: now to check it, later to write it.
                Packed(_statistic, changed.rows),
            )
        try:
            async with asyncio.timeout(_COMMIT_TIMEOUT):
                await get_instance(self._hass).async_block_till_done()
        except TimeoutError:
            raise HistoryError("The recorder is busy") from None
        if await self._async_read(self._revisions, change):
            raise HistoryError("The recorder did not write all of it")
        return {series: len(changed) for series, changed in rows.items()}

    async def _async_read[*Ts, T](self, read: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run a function that reads the database.

        Raises:
            HistoryError: the database cannot be read.

        """
        try:
            instance = get_instance(self._hass)
            if not await asyncio.shield(instance.async_db_ready):
                raise HistoryError("The recorder could not start")
            return await instance.async_add_executor_job(read, *args)
        except (KeyError, RuntimeError, SQLAlchemyError) as err:
            # No recorder, its threads ended, or the database broken.
            raise HistoryError(type(err).__name__) from err

    def _last_hours(self) -> dict[StatisticKind, datetime]:
        return {
            series: datetime.fromtimestamp(last["start"], UTC)
            for series, name in self._names.items()
            if (last := self._last_row(name))
        }

    def _last_row(self, name: str) -> StatisticsRow | None:
        """Return the last hour that is written of a statistic."""
        rows = get_last_statistics(self._hass, 1, name, False, {"sum"})
        return rows[name][0] if rows.get(name) else None

    def _revisions(self, change: HistoryChange) -> dict[StatisticKind, Packed[HourRow]]:
        return revisions(
            self._accounts(change.since),
            change.hours,
            change.fees,
            fees_from=change.fees_from,
            selling=self._selling,
        )

    def _accounts(self, since: datetime) -> dict[StatisticKind, RunningTotal]:
        """Return what is written from an hour on."""
        return {
            series: self._account(name, since) for series, name in self._names.items()
        }

    def _account(self, name: str, since: datetime) -> RunningTotal:
        """Return the same of one statistic.

        A month at a time: the recorder makes several objects of every hour that it reads.
        """
        if (last := self._last_row(name)) is None:
            return RunningTotal()
        rows: list[tuple[datetime, float, float]] = []
        start = since
        while start.timestamp() <= last["start"]:
            end = start + _READ_AT_ONCE
            found = statistics_during_period(
                self._hass, start, end, {name}, "hour", None, {"state", "sum"}
            )
            rows += [
                (
                    datetime.fromtimestamp(row["start"], UTC),
                    row.get("state") or 0.0,
                    row.get("sum") or 0.0,
                )
                for row in found.get(name, ())
            ]
            start = end
        if not rows:
            return RunningTotal(before=last.get("sum") or 0.0)
        _, state, total = rows[0]
        return RunningTotal(Packed(HourRow, tuple(rows)), total - state)

    def _metadata(self, series: StatisticKind, name: str) -> StatisticMetaData:
        energy = series in _ENERGY
        return StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=name,
            source=DOMAIN,
            statistic_id=self._names[series],
            unit_class=EnergyConverter.UNIT_CLASS if energy else None,
            unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR if energy else CURRENCY,
        )


def _statistic(start: datetime, state: float, total: float) -> StatisticData:
    return StatisticData(start=start, state=state, sum=total)


def _slug(identifier: str) -> str:
    """Return an opaque id as a part of a statistic's id, which knows small letters, digits and underscores only."""
    name = slugify(identifier)
    if name == identifier:
        return name
    # Two ids may differ in what is lost.
    return f"{name}_{hashlib.sha256(identifier.encode()).hexdigest()[:6]}"
