"""Running totals by the hour in Home Assistant's long-term statistics.

They are external statistics, which no entity records, so that yesterday's hours can be written today. Only the
contents of the database count: every write starts by reading them, and ends by checking that the rows have arrived.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
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
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.const import UnitOfEnergy
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.unit_conversion import EnergyConverter

from .api.columns import CompactSequence
from .const import CURRENCY, DOMAIN, MANUFACTURER
from .totals import Rows, RunningTotal

RECORDER: Final = "recorder"

_READ_CHUNK: Final = timedelta(days=31)

_WRITE_BATCH: Final = 100
"""Rows of one call. The recorder creates objects of all of them at once; of more, too many would grow old."""

_COMMIT_TIMEOUT: Final = 300.0
"""Seconds after which a write counts as failed. A recorder that cleans up its database can be busy for a minute."""


class StatisticsError(Exception):
    """Statistics could not be read or written; it is tried again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A running total in the database, in kWh or EUR. ``kind`` is the translation key of its name."""

    id: str
    kind: str
    energy: bool = False


def statistics_are_kept(hass: HomeAssistant) -> bool:
    """Return whether Home Assistant keeps statistics at all."""
    return RECORDER in hass.config.components


async def async_read[*Ts, T](
    hass: HomeAssistant, read: Callable[[*Ts], T], *args: *Ts
) -> T:
    """Run a function that reads the database.

    Raises:
        StatisticsError: the database cannot be read.

    """
    try:
        instance = get_instance(hass)
        if not await asyncio.shield(instance.async_db_ready):
            raise StatisticsError("The recorder could not start")
        return await instance.async_add_executor_job(read, *args)
    except (KeyError, RuntimeError, SQLAlchemyError) as err:
        # There is no recorder, its threads have ended, or the database is broken.
        raise StatisticsError(type(err).__name__) from err


async def async_write(
    hass: HomeAssistant,
    read: Callable[[], dict[Statistic, Rows]],
    named: str | None,
) -> dict[str, int]:
    """Write the rows that ``read`` finds missing in the database; return how many were written, by kind.

    ``named`` is what the statistics are about, for their names.

    Raises:
        StatisticsError: some are not in the database.

    """
    if not (rows := await async_read(hass, read)):
        return {}
    names = await async_get_translations(
        hass, hass.config.language, "selector", {DOMAIN}
    )
    try:
        async with asyncio.timeout(_COMMIT_TIMEOUT):
            for statistic, changed in rows.items():
                key = f"component.{DOMAIN}.selector.statistic.options.{statistic.kind}"
                label = names.get(key) or statistic.kind
                name = " ".join(filter(None, (MANUFACTURER, named, label)))
                for part in batched(changed.items(), _WRITE_BATCH, strict=False):
                    await _async_write_part(hass, statistic, name, part)
    except TimeoutError:
        raise StatisticsError("The recorder is busy") from None
    if await async_read(hass, read):
        raise StatisticsError("The recorder did not write all of it")
    return {statistic.kind: len(changed) for statistic, changed in rows.items()}


async def _async_write_part(
    hass: HomeAssistant,
    statistic: Statistic,
    name: str,
    part: tuple[tuple[datetime, tuple[float, float]], ...],
) -> None:
    """Write rows, and wait until they have arrived: the next import starts after the last hour in the database."""
    async_add_external_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name=name,
            source=DOMAIN,
            statistic_id=statistic.id,
            unit_class=EnergyConverter.UNIT_CLASS if statistic.energy else None,
            unit_of_measurement=(
                UnitOfEnergy.KILO_WATT_HOUR if statistic.energy else CURRENCY
            ),
        ),
        # The recorder iterates over it twice: now to check it, later to write it.
        CompactSequence(_statistic, part),
    )
    # `async_block_till_done` does not wait for what the recorder is currently writing.
    written = hass.loop.create_future()
    get_instance(hass).queue_task(SynchronizeTask(written))
    await written
    last = await async_read(hass, last_row, hass, statistic)
    if last is None or last["start"] < part[-1][0].timestamp():
        raise StatisticsError("The recorder did not write all of it")


def _statistic(start: datetime, row: tuple[float, float]) -> StatisticData:
    return StatisticData(start=start, state=row[0], sum=row[1])


@callback
def async_clear(hass: HomeAssistant, statistics: Iterable[Statistic]) -> None:
    """Delete statistics, after the recorder has written what is queued for them."""
    names = [one.id for one in statistics]
    if names and statistics_are_kept(hass):
        get_instance(hass).async_clear_statistics(names)


def last_row(hass: HomeAssistant, statistic: Statistic) -> StatisticsRow | None:
    """Return the last written hour of a statistic. It reads the database."""
    rows = get_last_statistics(hass, 1, statistic.id, False, {"sum"})
    return rows[statistic.id][0] if rows.get(statistic.id) else None


def running_total(
    hass: HomeAssistant, statistic: Statistic, since: datetime
) -> RunningTotal:
    """Return the written rows of a statistic from an hour on. It reads the database.

    One month at a time, as the recorder creates several objects for each hour.
    """
    if (last := last_row(hass, statistic)) is None:
        return RunningTotal()
    name, start = statistic.id, since
    rows: dict[datetime, tuple[float, float]] = {}
    while start.timestamp() <= last["start"]:
        end = start + _READ_CHUNK
        found = statistics_during_period(
            hass, start, end, {name}, "hour", None, {"state", "sum"}
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
