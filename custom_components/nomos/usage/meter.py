"""Requests for the readings of a meter and their prices."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
import logging
from typing import Final

from ..api import (
    MeterType,
    NomosClient,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRequestError,
    NomosResponseError,
    NomosServerError,
    PriceSeries,
    UsageItem,
    UsageResolution,
    UsageSeries,
)
from ..prices.conversion import price_table
from ..prices.coordinator import PriceCoordinator
from ..pricing import PriceTable, local_date
from .metering import (
    AnalogMonth,
    DayUsage,
    days_and_hours_of,
    digest_of,
    readings_by_day,
)
from .months import is_settled, month_start, months_before
from .prices import UsagePrices
from .record import PRICES, MonthAnswer, UsageRecord

_LOGGER = logging.getLogger(__name__)

_WEEK: Final = timedelta(days=7)

_ANALOG_MONTHS: Final = 13
"""How many past months of an analog meter are requested: last month can be compared with a year before."""

_LENGTHS: Final = {
    UsageResolution.QUARTER_HOUR: timedelta(minutes=15),
    UsageResolution.HOUR: timedelta(hours=1),
}
"""The resolutions that fit into hours. Longer readings are not split into parts that were never measured."""


class AnalogMeterError(Exception):
    """The meter counts months only."""


class Meter:
    """Requests the readings of one contract's meter; every method raises as ``Connection.async_ask`` does."""

    def __init__(
        self, prices: PriceCoordinator, kept: UsagePrices, today: date
    ) -> None:
        """Use the contract's price coordinator, and the stored prices of days that may still change."""
        self._prices = prices
        self._kept = kept
        self._today = today
        contract = prices.contract
        self.supply = (
            contract.start_at or contract.created_at,
            contract.end_at or datetime.max.replace(tzinfo=UTC),
        )

    async def async_analog_months(self) -> tuple[MeterType, Sequence[AnalogMonth]]:
        """Return the kind of meter that Nomos reports, and the months of an analog one."""
        first = months_before(self._today, _ANALOG_MONTHS)
        first = max(first, local_date(self.supply[0]))
        series = await self._async_usage(first, self._today, UsageResolution.MONTH)
        items = series.items if series.resolution is UsageResolution.MONTH else ()
        return series.meter_type, [
            AnalogMonth(month_start(local_date(item.start)), item.kwh, item.final)
            for item in items
        ]

    async def async_month(
        self, record: UsageRecord, start: date, end: date
    ) -> MonthAnswer:
        """Request a month or a part of it; return the days and hours that are new or have changed.

        Once its values no longer change, all of them are computed again with current prices from Nomos.

        Raises:
            AnalogMeterError: the meter does not measure intervals.

        """
        series = await self._async_usage(start, end, UsageResolution.QUARTER_HOUR)
        monthly = series.resolution is UsageResolution.MONTH
        if monthly and series.meter_type is not MeterType.SMART:
            raise AnalogMeterError
        if (length := _LENGTHS.get(series.resolution)) is None:
            _LOGGER.debug("Usage by the %s cannot be used", series.resolution)
            return MonthAnswer()
        execute = self._prices.hass.async_add_executor_job
        readings = await execute(readings_by_day, series.items, start, end)
        count = sum(map(len, readings.values()))
        month = record.months.get(month_start(start))
        if month is not None and month.has_all_of(count):
            return MonthAnswer(readings=count)
        settles = is_settled(start, self._today)
        news = {
            day: found
            for day, found in readings.items()
            if month is None or _is_news(record.days.get(day), found, settles=settles)
        }
        prices: Sequence[PriceSeries] | None = None
        if not self._prices.contract.inactive or not record.refuses(
            PRICES, self._today
        ):
            try:
                prices = await self._async_lacking(news, fresh=settles)
            except NomosResponseError, NomosServerError:
                if month is None or month.since is None or month.readings is not None:
                    raise
                # Nomos fails for the second time: energy without cost is better than nothing. The month stays
                # incomplete.
                prices = []
        days, hours = await execute(
            days_and_hours_of,
            news,
            length,
            partial(self._prices_between, prices or ()),
            self.supply,
        )
        # A meter that measures intervals is not analog, whatever Nomos reports.
        analog = series.meter_type is MeterType.ANALOG
        return MonthAnswer(
            meter=MeterType.UNKNOWN if analog else series.meter_type,
            readings=count,
            days=days,
            hours=hours,
            no_prices=prices is None,
        )

    async def _async_usage(
        self, start: date, end: date, resolution: UsageResolution
    ) -> UsageSeries:
        return await self._prices.async_ask(
            NomosClient.usage, start, end, resolution, optional=True
        )

    async def _async_lacking(
        self, days: Collection[date], *, fresh: bool
    ) -> Sequence[PriceSeries] | None:
        """Request the prices of some days of one month: the unknown ones, or all if ``fresh``.

        None if Nomos has no prices for the contract at all.
        """
        table = self._prices.data
        lacking = [day for day in days if fresh or not table.day(day).complete]
        if not lacking:
            return []
        found = await self._async_prices(min(lacking), max(lacking))
        # According to its documentation, Nomos has no prices for a contract that does not run.
        nothing = all(series.items is None for series in found)
        return None if nothing and self._prices.contract.inactive else found

    async def _async_prices(self, first: date, last: date) -> list[PriceSeries]:
        """Return the prices of a range of days, both inclusive; nothing if Nomos has none.

        The longest allowed range is not documented: if a month is refused, its weeks are requested.
        """
        ask = self._prices.async_ask
        try:
            return [await ask(NomosClient.prices, first, last, optional=True)]
        except (NomosPermissionError, NomosNotFoundError, NomosRequestError) as err:
            _LOGGER.debug("There are no prices for usage: %s", type(err).__name__)
            too_long = isinstance(err, NomosRequestError) and last - first >= _WEEK
            if not too_long or self._prices.contract.inactive:
                return []
        found = []
        while first <= last:
            end = min(first + timedelta(days=6), last)
            found += await self._async_prices(first, end)
            first += _WEEK
        return found

    def _prices_between(
        self, series: Sequence[PriceSeries], start: datetime, end: datetime
    ) -> PriceTable:
        """Return the prices of a day: new ones, else known ones, else stored ones."""
        table = self._prices.data.between(start, end)
        for one in series:
            table = table.merge(price_table(one, start, end))
        return self._kept.completed(local_date(start), table)


def _is_news(
    known: DayUsage | None, readings: Sequence[UsageItem], *, settles: bool
) -> bool:
    """Return whether a day's readings are news; an answer with fewer readings than known is ignored."""
    if known is None:
        return True
    if len(readings) < known.readings:
        return False
    return settles or not known.priced or digest_of(readings) != known.digest
