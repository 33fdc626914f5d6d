"""One month of usage: from the meter's readings to the statistics."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
import logging
from typing import Concatenate, Final

from homeassistant.core import HomeAssistant

from ..api import (
    MeterType,
    NomosClient,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRequestError,
    NomosResponseError,
    NomosServerError,
    PriceSeries,
    UsageResolution,
    UsageSeries,
)
from ..prices.conversion import price_table
from ..prices.coordinator import PriceCoordinator
from ..pricing import PriceTable, day_bounds, local_date
from .metering import (
    DayUsage,
    HourUsage,
    MonthUsage,
    Reading,
    StatisticKind,
    days_and_hours_of,
    digest_of,
    group_by_day,
    month_start,
    months_before,
    next_month,
)
from .prices import UsagePrices
from .record import PRICES, UNWRITTEN, IncompleteMonth, MeterAnswer, UsageRecord
from .statistics import HistoryChange, HistoryError, UsageHistory

_LOGGER = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)

_ANALOG_MONTHS: Final = 13
"""How many past months of an analog meter are asked for: this month of last year is the oldest."""

_LENGTHS: Final = {
    UsageResolution.QUARTER_HOUR: timedelta(minutes=15),
    UsageResolution.HOUR: timedelta(hours=1),
}
"""The readings that fit into hours. What is longer is not torn into pieces that nobody measured."""


class UsageImport:
    """Asks for the readings of one contract and brings them home."""

    def __init__(
        self,
        prices: PriceCoordinator,
        history: UsageHistory,
        kept: UsagePrices,
        today: date,
        *,
        fees: Mapping[date, float],
    ) -> None:
        """Take the contract's prices and statistics, and its base fees in EUR a month by their first days."""
        self._today = today
        self._kept = kept
        self._hass: HomeAssistant = prices.hass
        self._prices = prices
        self._history = history
        self._monthly = fees
        subscription = prices.subscription
        # Nomos has no prices for a contract that does not run, says its documentation.
        self._inactive = subscription.inactive
        self._no_prices = False
        self._supply = (
            subscription.start_at or subscription.created_at,
            subscription.end_at or datetime.max.replace(tzinfo=UTC),
        )

    async def async_months(self) -> MeterAnswer:
        """Ask what an analog meter counted, month by month.

        Raises:
            NomosError: Nomos did not answer as hoped.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: Nomos refuses the grant.

        """
        first = months_before(self._today, _ANALOG_MONTHS)
        first = max(first, local_date(self._supply[0]))
        series = await self._async_ask(
            NomosClient.usage, first, self._today, resolution=UsageResolution.MONTH
        )
        if series.resolution is not UsageResolution.MONTH:
            return MeterAnswer(meter=series.meter_type)
        return MeterAnswer(
            meter=series.meter_type,
            months=tuple(
                MonthUsage(local_date(item.start).replace(day=1), item.kwh, item.final)
                for item in series.items
            ),
        )

    async def async_days(
        self, known: UsageRecord, start: date, end: date, *, settles: bool
    ) -> MeterAnswer:
        """Ask what was metered on some days, and write the hours that are new or have changed.

        Args:
            known: what is known so far.
            start: the first day.
            end: the day after the last one, at most a month later.
            settles: whether this is the last look at these days; then they are all computed anew, with prices as
                Nomos has them now.

        Raises:
            NomosError: Nomos did not answer as hoped.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: Nomos refuses the grant.

        """
        series = await self._async_ask(
            NomosClient.usage, start, end, resolution=UsageResolution.QUARTER_HOUR
        )
        if (
            series.resolution is UsageResolution.MONTH
            and series.meter_type is not MeterType.SMART
        ):
            return MeterAnswer(meter=MeterType.ANALOG)
        if (length := _LENGTHS.get(series.resolution)) is None:
            _LOGGER.debug("Usage by the %s cannot be used", series.resolution)
            return MeterAnswer()
        self._no_prices = self._inactive and known.refuses(PRICES, self._today)
        execute = self._hass.async_add_executor_job
        grouped = await execute(_readings, series, length, start, end)
        readings = sum(map(len, grouped.values()))
        doubt = known.doubts.get(start) if settles else None
        if _says_nothing_new(doubt, readings):
            return MeterAnswer(readings=readings)
        news = {
            day: readings
            for day, readings in grouped.items()
            if _is_news(known.days.get(day), readings, recompute=settles)
        }
        try:
            prices = await self._async_lacking(news, fresh=settles)
        except NomosResponseError, NomosServerError:
            if doubt is None or doubt.readings is not None:
                raise
            # For the second time. Better energy without cost than nothing at all; it stays in doubt.
            prices = []
        by_day, by_hour = await execute(
            days_and_hours_of,
            news,
            partial(_laid_over, self._kept, self._prices.data, prices),
            self._supply,
        )
        days = {
            day: one
            for day, one in by_day.items()
            if not _is_loss(known.days.get(day), one)
        }
        recorded: Mapping[StatisticKind, datetime] = {}
        unwritten: HistoryError | None = None
        if self._history.kept:
            try:
                recorded = await self._async_write(by_hour, start, end)
            except HistoryError as err:
                unwritten = err
        # Whatever it is called: what measures intervals is no analog meter.
        meter = series.meter_type
        return MeterAnswer(
            meter=MeterType.UNKNOWN if meter is MeterType.ANALOG else meter,
            days=days,
            readings=readings,
            recorded=recorded,
            unwritten=unwritten,
            no_prices=self._no_prices,
        )

    async def _async_write(
        self, hours: Mapping[datetime, HourUsage], start: date, end: date
    ) -> Mapping[StatisticKind, datetime]:
        """Write hours and base fees; return the start of the last hour that is written, by series."""
        change = HistoryChange(
            since=day_bounds(start)[0],
            hours=hours,
            fees=self._fees(start, end),
            fees_from=min(self._monthly, default=date.max),
        )
        written = await self._history.async_write(
            change, self._prices.subscription.number
        )
        _LOGGER.debug(
            "Hours written to the statistics of %s to %s: %s", start, end, written
        )
        return await self._history.async_last()

    def _fees(self, start: date, end: date) -> dict[date, float]:
        """Return the base fee of the days that are under contract: the month's fee in equal parts.

        What came before the first fee that is known is taken to have been the same.
        """
        if not (fees := self._monthly):
            return {}
        first, last = local_date(self._supply[0]), self._supply[1]
        if not self._inactive:
            # A day without any price has not come: the clock is ahead.
            last = min(last, self._prices.data.horizon or last)

        def monthly(day: date) -> float:
            return fees[max((one for one in fees if one <= day), default=min(fees))]

        return {
            day: monthly(day) / (next_month(day) - month_start(day)).days
            for number in range((end - start).days)
            if (day := start + number * _DAY) >= first and day_bounds(day)[0] < last
        }

    async def _async_lacking(
        self, days: Collection[date], *, fresh: bool
    ) -> list[PriceSeries]:
        """Ask Nomos for the prices of some days of one month, where they are not known."""
        table = self._prices.data
        lacking = [day for day in days if fresh or not table.day(day).complete]
        if not lacking or self._no_prices:
            return []
        found = await self._async_prices(min(lacking), max(lacking))
        if self._inactive and all(series.items is None for series in found):
            self._no_prices = True
        return found

    async def _async_prices(self, first: date, last: date) -> list[PriceSeries]:
        """Return what Nomos says of the prices of some days, both inclusive; nothing where it says that it has none.

        How long a range may be is not published: where a month is refused, its weeks are asked for.
        """
        try:
            return [await self._async_ask(NomosClient.prices, first, last)]
        except (NomosPermissionError, NomosNotFoundError, NomosRequestError) as err:
            _LOGGER.debug("There are no prices for usage: %s", type(err).__name__)
            too_long = isinstance(err, NomosRequestError) and last - first >= _WEEK
            if not too_long or self._inactive:
                return []
        weeks = range(0, (last - first).days + 1, _WEEK.days)
        return [
            series
            for week in weeks
            for series in await self._async_prices(
                first + timedelta(days=week),
                min(first + timedelta(days=week + 6), last),
            )
        ]

    async def _async_ask[**P, T](
        self,
        request: Callable[Concatenate[NomosClient, str, date, date, P], Awaitable[T]],
        start: date,
        end: date,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        subscription_id = self._prices.subscription.id
        return await self._prices.account.async_ask(
            lambda client: request(
                client, subscription_id, start, end, *args, **kwargs
            ),
            optional=True,
        )


def _readings(
    series: UsageSeries, length: timedelta, start: date, end: date
) -> dict[date, Sequence[Reading]]:
    """Return an answer's readings by day, of the days that were asked for."""
    grouped = group_by_day(
        Reading(item.start, length, item.kwh, item.final) for item in series.items
    )
    return {day: readings for day, readings in grouped.items() if start <= day < end}


def _laid_over(
    kept: UsagePrices,
    table: PriceTable,
    prices: Sequence[PriceSeries],
    start: datetime,
    end: datetime,
) -> PriceTable:
    """Return the prices of a day: those of a table, with newer ones laid over them and those kept under them."""
    known = table.between(start, end)
    for series in prices:
        known = known.merge(price_table(series, start, end))
    return kept.laid_under(local_date(start), known)


def _says_nothing_new(doubt: IncompleteMonth | None, readings: int) -> bool:
    """Return whether an answer says no more of a month in doubt than the one before.

    Its days are not known any more, so that one with fewer readings could take something away.
    """
    if doubt is None or doubt.readings is None:
        return False
    return readings < doubt.readings or (doubt.repeated and readings == doubt.readings)


def _is_loss(known: DayUsage | None, one: DayUsage) -> bool:
    """Return whether a day says nothing but that its prices, which were known, are no longer to be had."""
    return (
        known is not None
        and known.digest == one.digest
        and known.priced
        and not one.priced
    )


def _is_news(
    known: DayUsage | None, readings: Sequence[Reading], *, recompute: bool
) -> bool:
    """Return whether a day's readings tell more than is known.

    An answer with fewer readings than before is a slip of somebody's: it takes nothing away.
    """
    if known is None or known.digest == UNWRITTEN:
        return True
    if len(readings) < known.readings:
        return False
    return recompute or not known.priced or digest_of(readings) != known.digest
