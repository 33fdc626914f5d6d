"""The import of usage, month by month, into the record and the statistics."""

from asyncio import sleep
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
import logging
from typing import Final

from ..api import (
    MeterType,
    NomosError,
    NomosRequestError,
    NomosResponseError,
    NomosServerError,
    SubscriptionStatus,
)
from ..prices.coordinator import PriceCoordinator
from ..pricing import day_bounds, local_date
from ..statistics import StatisticsError
from .days import metered_days, months_due
from .ledger import StatisticKind, daily_fees
from .meter import AnalogMeterError, Meter
from .months import DateRange, is_settled, month_start
from .prices import UsagePrices
from .record import PRICES, MonthAnswer, MonthStatus, UsageRecord
from .statistics import UsageStatistics

_LOGGER = logging.getLogger(__name__)

PAUSE: Final = 0.25
"""Seconds between two months of an import."""

_MONTH_FAILED: Final = (NomosRequestError, NomosResponseError, NomosServerError)
"""Errors that may concern a single month only."""


class UsageImporter:
    """Imports what is new, late, or may have changed; an interruption loses no finished month."""

    def __init__(
        self,
        prices: PriceCoordinator,
        statistics: UsageStatistics,
        record: UsageRecord,
        save: Callable[[UsageRecord], Awaitable[None]],
        today: date,
    ) -> None:
        """Begin with a record; ``save`` is called with each improved one."""
        self.record = record
        self.error: Exception | None = None
        """Why a month was left out although others were imported, or could not be written."""
        self.retry_soon = False
        """Whether a month failed for the first time, perhaps by chance."""
        self._prices = prices
        self._statistics = statistics
        self._save = save
        self._today = today
        self._kept = UsagePrices(prices.hass, prices.contract_id)
        self._meter = Meter(prices, self._kept, today)
        self._failed: list[tuple[DateRange, Exception]] = []
        self._left_out = False

    async def async_run(self) -> None:
        """Request what is due, and add it to the record and the statistics.

        Raises:
            NomosError: a request failed.
            OAuth2TokenRequestBaseError: no access token is available for now.
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        if self.record.meter is MeterType.ANALOG:
            await self._async_read_analog()
            return
        try:
            await self._async_check_statistics()
        except StatisticsError as err:
            self.error = err
        begin, end = metered_days(
            self._prices.contract, self._today, history_kept=self._statistics.kept
        )
        if begin <= self._today:
            self.record = self.record.without_future(self._today)
        phase = self._prices.account.phase
        due = months_due(self.record, begin, end, today=self._today, phase=phase)
        if self.error is not None:
            # Nothing can be written now, but the newest days are still worth showing.
            self._left_out = True
            due = due[-1:]
        if not due:
            await self._async_save(self.record, last=True)
            return
        # Nomos reports no prices of a contract that has ended.
        ended = self._prices.contract.status is SubscriptionStatus.ENDED
        settled_to = None if ended else self.record.settled_to
        await self._kept.async_load(self._today, settled_to=settled_to)
        execute = self._prices.hass.async_add_executor_job
        await execute(self._kept.add, self._prices.data)
        try:
            await self._async_import(due)
        except AnalogMeterError:
            await self._async_called_analog()
        finally:
            await self._kept.async_save()

    async def _async_import(self, due: Sequence[DateRange]) -> None:
        """Request one month after the other; one that fails must not block the others.

        After a failure the newest month is requested next. If that succeeds, the failed month is skipped; if not,
        Nomos is down, or the meter is analog.
        """
        newest, queue = due[-1], deque(due)
        while queue:
            start, end = month = queue.popleft()
            if month != due[0]:
                await sleep(PAUSE)
            try:
                answer = await self._meter.async_month(self.record, start, end)
                recorded = await self._async_write(answer, start, end)
            except (AnalogMeterError, *_MONTH_FAILED) as err:
                again = bool(self._failed) and isinstance(
                    self._failed[-1][1], NomosError
                )
                if month == newest or (again and isinstance(err, NomosError)):
                    raise
                self._failed.append((month, err))
            except StatisticsError as err:
                self.error, self._left_out = err, True
                await self._async_save(
                    self.record.with_unwritten(month_start(start), answer)
                )
                # The newest days are still worth showing.
                queue = deque(one for one in queue if one == newest)
            else:
                self._pass_over_failed()
                record = self.record.with_month(start, end, answer, self._today)
                record = replace(record, recorded={**record.recorded, **recorded})
                if answer.no_prices:
                    record = record.with_refusal(PRICES, self._today)
                if record.synced_on is None:
                    _LOGGER.info(
                        "Usage of %s is imported (%s months to go)",
                        start.strftime("%Y-%m"),
                        len(queue),
                    )
                await self._async_save(record, last=not queue)
            if self._failed and newest in queue:
                queue.remove(newest)
                queue.appendleft(newest)
        if self._failed:
            self._pass_over_failed()
            await self._async_save(self.record, last=True)

    def _pass_over_failed(self) -> None:
        """Skip the months that failed although another one succeeded; one that may still change stays due."""
        for (start, end), err in self._failed:
            month = month_start(start)
            if not isinstance(err, NomosError):
                # Months before the meter was exchanged have no intervals.
                self.record = self.record.with_month(
                    start, end, MonthAnswer(), self._today
                )
                continue
            self.error = self.error or err
            self.retry_soon |= self.record.status(month) is not MonthStatus.INCOMPLETE
            self._left_out |= not is_settled(month, self._today)
            self.record = self.record.with_failure(
                month, self._today, transient=err.is_transient
            )
        self._failed.clear()

    async def _async_save(self, record: UsageRecord, *, last: bool = False) -> None:
        """Save a record, so that an interrupted import continues with what is left."""
        record = replace(record.pruned(self._today), answered_on=self._today)
        if last and not self._left_out:
            record = replace(record, synced_on=self._today)
        self.record = record
        await self._save(record)

    async def _async_write(
        self, answer: MonthAnswer, start: date, end: date
    ) -> Mapping[StatisticKind, datetime]:
        """Write hours and base fees; return the start of the last hour that is written, by statistic."""
        if answer.hours is None or not self._statistics.kept:
            return {}
        written = await self._statistics.async_write(
            since=day_bounds(start)[0],
            hours=answer.hours,
            fees=self._base_fees(start, end),
            fees_from=min(self.record.fees, default=date.max),
            number=self._prices.contract.number,
        )
        _LOGGER.debug(
            "Hours written to the statistics of %s to %s: %s", start, end, written
        )
        return await self._statistics.async_last()

    def _base_fees(self, start: date, end: date) -> Mapping[date, float]:
        """Return the base fee in EUR of each day under contract."""
        begins, last = self._meter.supply
        if not self._prices.contract.inactive:
            # A day without any price is in the future: the clock is ahead.
            last = min(last, self._prices.data.horizon or last)
        fees = daily_fees(self.record.fees, max(start, local_date(begins)), end)
        return {day: fee for day, fee in fees.items() if day_bounds(day)[0] < last}

    async def _async_check_statistics(self) -> None:
        """Start over if the statistics lack hours that were written.

        They may have been deleted, a backup may have been restored, or the recorder may have been off until now.
        """
        if not self._statistics.kept:
            # From now on the record has days that the statistics lack.
            self.record = replace(self.record, recorded={})
            return
        recorded = self.record.recorded
        if not (self.record.days or recorded):
            return
        last, wanted = await self._statistics.async_last(), set(recorded)
        if self.record.days:
            feeds_in = self._prices.contract.feeds_in
            wanted.add(StatisticKind.RETURNED if feeds_in else StatisticKind.USAGE)
        if self.record.fees:
            wanted.add(StatisticKind.BASE_FEE)
        if all(
            kind in recorded and kind in last and last[kind] >= recorded[kind]
            for kind in wanted
        ):
            return
        if self.record.synced_on is not None:
            _LOGGER.info(
                "The statistics of usage are not complete: building them again"
            )
        self.record = self.record.reset()

    async def _async_called_analog(self) -> None:
        """Accept that a meter is analog: at once if its kind is unknown, otherwise on the second day.

        A change of kind removes entities, and with them the customer's settings of these.
        """
        known = self.record
        if known.meter is None or (known.analog_on or self._today) < self._today:
            await self._async_read_analog()
        else:
            await self._async_save(replace(known, analog_on=self._today))

    async def _async_read_analog(self) -> None:
        """Request the months of an analog meter."""
        (meter, found), known = await self._meter.async_analog_months(), self.record
        if meter is MeterType.ANALOG:
            # A month that the answer lacks is kept.
            months = {one.month: one for one in (*known.analog_months, *found)}
            record = replace(
                known,
                meter=meter,
                analog_on=None,
                analog_months=tuple(months[month] for month in sorted(months)),
            )
        elif known.meter is MeterType.ANALOG:
            # A smart meter replaced it, and all of its readings are new.
            record = replace(known.reset(), meter=meter, analog_on=None)
        else:
            # Nomos reports both kinds for the same meter, which keeps its kind.
            record = replace(known, analog_on=None)
        await self._async_save(record, last=meter is MeterType.ANALOG)
