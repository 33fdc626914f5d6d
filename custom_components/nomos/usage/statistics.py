"""Usage and cost in Home Assistant's long-term statistics.

They are external statistics: no entity makes them, so that yesterday's hours can be written today. What is in the
database is what counts: every write begins with what is there, and ends by checking that it has arrived.
"""

import asyncio
from collections.abc import Callable, Mapping
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
from .ledger import Rows, RunningTotal, StatisticKind, revisions
from .metering import HourUsage

RECORDER: Final = "recorder"

_BOUGHT: Final = (
    StatisticKind.USAGE,
    StatisticKind.COST,
    StatisticKind.BASE_FEE,
    StatisticKind.TOTAL_COST,
)
_SOLD: Final = (StatisticKind.RETURNED, StatisticKind.COMPENSATION)
"""The statistics of a contract, by the direction in which the energy flows."""

_ENERGY: Final = frozenset({StatisticKind.USAGE, StatisticKind.RETURNED})

_READ_AT_ONCE: Final = timedelta(days=31)

_COMMIT_TIMEOUT: Final = 300.0
"""Seconds after which a write counts as failed. A recorder that cleans up its database can be busy for a minute."""


class StatisticsError(Exception):
    """The database did not take what was to be written; it is tried again later."""


class UsageStatistics:
    """The statistics of one contract."""

    def __init__(self, hass: HomeAssistant, subscription: Subscription) -> None:
        """Name the statistics; nothing is read or written yet."""
        self._hass = hass
        self._selling = subscription.feeds_in
        self._ids = {
            kind: f"{DOMAIN}:{_slug(subscription.id)}_{kind}"
            for kind in (_SOLD if self._selling else _BOUGHT)
        }

    @property
    def kept(self) -> bool:
        """Return whether Home Assistant keeps statistics at all."""
        return RECORDER in self._hass.config.components

    async def async_last(self) -> dict[StatisticKind, datetime]:
        """Return the start of the last hour that is written, by statistic.

        Raises:
            StatisticsError: the database cannot be read.

        """
        return await self._async_read(self._last_hours)

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
        rows = await self._async_read(self._revisions, since, hours, fees, fees_from)
        if not rows:
            return {}
        names = await async_get_translations(
            self._hass, self._hass.config.language, "selector", {DOMAIN}
        )
        for kind, changed in rows.items():
            label = names.get(f"component.{DOMAIN}.selector.statistic.options.{kind}")
            name = " ".join(filter(None, (MANUFACTURER, number, label or kind)))
            async_add_external_statistics(
                self._hass,
                self._metadata(kind, name),
                # The recorder goes through it twice: now to check it, later to write it.
                Packed(_statistic, tuple((at, *row) for at, row in changed.items())),
            )
        try:
            async with asyncio.timeout(_COMMIT_TIMEOUT):
                await get_instance(self._hass).async_block_till_done()
        except TimeoutError:
            raise StatisticsError("The recorder is busy") from None
        if await self._async_read(self._revisions, since, hours, fees, fees_from):
            raise StatisticsError("The recorder did not write all of it")
        return {kind: len(changed) for kind, changed in rows.items()}

    async def _async_read[*Ts, T](self, read: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run a function that reads the database.

        Raises:
            StatisticsError: the database cannot be read.

        """
        try:
            instance = get_instance(self._hass)
            if not await asyncio.shield(instance.async_db_ready):
                raise StatisticsError("The recorder could not start")
            return await instance.async_add_executor_job(read, *args)
        except (KeyError, RuntimeError, SQLAlchemyError) as err:
            # No recorder, its threads ended, or the database broken.
            raise StatisticsError(type(err).__name__) from err

    def _last_hours(self) -> dict[StatisticKind, datetime]:
        return {
            kind: datetime.fromtimestamp(last["start"], UTC)
            for kind in self._ids
            if (last := self._last_row(kind))
        }

    def _last_row(self, kind: StatisticKind) -> StatisticsRow | None:
        """Return the last hour that is written of a statistic."""
        name = self._ids[kind]
        rows = get_last_statistics(self._hass, 1, name, False, {"sum"})
        return rows[name][0] if rows.get(name) else None

    def _revisions(
        self,
        since: datetime,
        hours: Mapping[datetime, HourUsage],
        fees: Mapping[date, float],
        fees_from: date,
    ) -> dict[StatisticKind, Rows]:
        """Return the rows that have to be written."""
        return revisions(
            {kind: self._total(kind, since) for kind in self._ids},
            hours,
            fees,
            fees_from=fees_from,
            selling=self._selling,
        )

    def _total(self, kind: StatisticKind, since: datetime) -> RunningTotal:
        """Return what is written of a statistic from an hour on.

        A month at a time: the recorder makes several objects of every hour that it reads.
        """
        if (last := self._last_row(kind)) is None:
            return RunningTotal()
        name, start = self._ids[kind], since
        rows: dict[datetime, tuple[float, float]] = {}
        while start.timestamp() <= last["start"]:
            end = start + _READ_AT_ONCE
            found = statistics_during_period(
                self._hass, start, end, {name}, "hour", None, {"state", "sum"}
            )
            rows |= {
                datetime.fromtimestamp(row["start"], UTC): (
                    row.get("state") or 0.0,
                    row.get("sum") or 0.0,
                )
                for row in found.get(name, ())
            }
            start = end
        if not rows:
            return RunningTotal(before=last.get("sum") or 0.0)
        state, total = next(iter(rows.values()))
        return RunningTotal(rows, total - state)

    def _metadata(self, kind: StatisticKind, name: str) -> StatisticMetaData:
        energy = kind in _ENERGY
        return StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=name,
            source=DOMAIN,
            statistic_id=self._ids[kind],
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
