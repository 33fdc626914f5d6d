"""One look at what a contract's meter measured: what is asked for, in which order, and what is kept of it."""

from asyncio import sleep
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date
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
from .days import begin_of_usage, end_of_usage, ranges_due
from .importer import UsageImport
from .metering import StatisticKind, is_settled, months_before
from .prices import UsagePrices
from .record import PRICES, MeterAnswer, UsageRecord
from .statistics import HistoryError, UsageHistory

type DateRange = tuple[date, date]
"""The first day and, exclusive, the end of what one request asks for."""

_LOGGER = logging.getLogger(__name__)

PAUSE: Final = 0.25
"""Seconds between two months of an import."""


class UsageSync:
    """Goes through what is new, late, or may have changed; every month that is done is done for good."""

    def __init__(
        self,
        prices: PriceCoordinator,
        history: UsageHistory,
        record: UsageRecord,
        keep: Callable[[UsageRecord], Awaitable[None]],
        today: date,
    ) -> None:
        """Begin with what is known; ``keep`` is called with every record that is better."""
        self.record = record
        self.error: Exception | None = None
        """Why a month was passed over, though others came, or could not be written."""
        self.worth_repeating = False
        """Whether that is news, and perhaps a slip."""
        self._today = today
        self._queue = deque[DateRange]()
        self._bad: list[tuple[DateRange, NomosError | None]] = []
        self._held: list[date] = []
        self._prices = prices
        self._history = history
        self._keep = keep

    async def _async_keep(self, record: UsageRecord) -> None:
        self.record = record
        await self._keep(record)

    async def async_take(self) -> None:
        """Ask for what was metered, and bring it into record and statistics.

        Raises:
            NomosError: Nomos did not answer as hoped.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        today = self._today
        kept = UsagePrices(self._prices.hass, self._prices.subscription_id)
        work = UsageImport(
            self._prices, self._history, kept, today, fees=self.record.fees
        )
        if self.record.meter is MeterType.ANALOG:
            await self._async_months(work)
            return
        try:
            await self._async_check_history()
        except HistoryError as err:
            self.error = err
        subscription = self._prices.subscription
        begin = begin_of_usage(subscription, today, history_kept=self._history.kept)
        end = end_of_usage(subscription, today)
        self._mind_the_clock(begin, today)
        await self._async_load_prices(kept)
        chunks = ranges_due(
            self.record, begin, end, today=today, phase=self._prices.account.phase
        )
        if self.error is not None:
            # Nothing can be written now, but the newest days are still worth showing.
            self._leave_to_the_next_look(chunks)
            chunks = chunks[-1:]
        try:
            if chunks:
                await self._async_through(work, chunks)
            else:
                await self._async_keep(replace(self.record, looked_to=today))
        finally:
            await kept.async_save()

    async def _async_load_prices(self, kept: UsagePrices) -> None:
        """Load the prices of days that are not settled: when the contract has ended, Nomos reports none any more."""
        ended = self._prices.subscription.status is SubscriptionStatus.ENDED
        await kept.async_load(
            self._today, settled_to=None if ended else self.record.settled_to
        )
        await self._prices.hass.async_add_executor_job(kept.add, self._prices.data)

    async def _async_through(
        self, work: UsageImport, chunks: Sequence[DateRange]
    ) -> None:
        """Ask for one chunk after the other; one bad month must not keep the others away.

        Where a chunk cannot be had, or belongs to a meter of another kind, the newest is asked for next. If that one
        comes it was the chunk, which is passed over then; if not, Nomos is in trouble, or the meter is another one.
        """
        whole, newest, queue = self.record.looked_to is None, chunks[-1], self._queue
        queue.extend(chunks)
        while queue:
            start, end = chunk = queue.popleft()
            if chunk != chunks[0]:
                await sleep(PAUSE)
            settles_on = self._settles_on(start)
            try:
                answer = await work.async_days(
                    self.record, start, end, settles=settles_on is not None
                )
            except (NomosRequestError, NomosResponseError, NomosServerError) as err:
                if chunk == newest or (self._bad and self._bad[-1][1] is not None):
                    raise
                self.error = self.error or err
                self.worth_repeating |= start not in self.record.doubts
                self._bad.append((chunk, err))
            else:
                if answer.unwritten is not None:
                    self.error = answer.unwritten
                    await self._async_keep(self.record.with_unwritten(answer))
                    self._leave_to_the_next_look([chunk, *queue])
                    # The newest days are still worth showing.
                    if newest in queue:
                        queue.clear()
                        queue.append(newest)
                    continue
                if answer.meter is not MeterType.ANALOG:
                    record = self._passing_over().extended(
                        answer, start, end, settles_on=settles_on
                    )
                    if answer.no_prices:
                        record = record.with_refusal(PRICES, self._today)
                    await self._async_keep_on_the_way(record)
                    if whole:
                        _LOGGER.info(
                            "Usage of %s is imported (%s months to go)",
                            start.strftime("%Y-%m"),
                            len(queue),
                        )
                    continue
                if chunk == newest:
                    await self._async_called_analog(work)
                    return
                self._bad.append((chunk, None))
            if newest in queue:
                queue.remove(newest)
                queue.appendleft(newest)
        if self._bad:
            await self._async_keep_on_the_way(self._passing_over())

    def _leave_to_the_next_look(self, chunks: Sequence[DateRange]) -> None:
        """Do not let what is asked for out of turn hide what comes before it."""
        if not chunks:
            return
        settled = self.record.settled_to or chunks[0][0]
        self.record = replace(self.record, settled_to=settled)
        self._held += [start for start, _ in chunks]

    def _settles_on(self, start: date) -> date | None:
        """Return today where the month of a day stands from now on."""
        return self._today if is_settled(start, self._today) else None

    def _passing_over(self) -> UsageRecord:
        """Return the record without the hope for what could not be had."""
        record = self.record
        for (start, end), err in self._bad:
            settles_on = self._settles_on(start)
            if err is None:
                record = record.extended(
                    MeterAnswer(), start, end, settles_on=settles_on
                )
                continue
            readings = None if err.is_transient else 0
            record = record.with_failure(
                start, end, readings=readings, settles_on=settles_on
            )
            if settles_on is None:
                self._held.append(start)
        self._bad.clear()
        return record

    async def _async_keep_on_the_way(self, record: UsageRecord) -> None:
        """Keep a record so that a look that is broken off here goes on with what is left."""
        left = *self._held, *(start for start, _ in self._queue)
        month = months_before(self._today, 1)
        await self._async_keep(record.looking_from(left).pruned(month))

    async def _async_called_analog(self, work: UsageImport) -> None:
        """Believe that a meter is analog: at once where nothing is known of it, otherwise when it is said for two days.

        Entities go with the kind of the meter, and with them what the customer has set for them.
        """
        known = self.record
        if known.meter is None or (known.analog_on or self._today) < self._today:
            await self._async_months(work)
        else:
            await self._async_keep(replace(known, analog_on=self._today))

    async def _async_months(self, work: UsageImport) -> None:
        """Ask what an analog meter counted."""
        answer, known = await work.async_months(), self.record
        record = replace(
            known, meter=answer.meter, analog_on=None, looked_to=self._today
        )
        if answer.months is not None:
            # An answer that lacks a month takes it away no more than one that lacks a day.
            months = {one.month: one for one in (*known.months, *answer.months)}
            months_in_order = tuple(months[month] for month in sorted(months))
            record = replace(record, months=months_in_order)
        if answer.meter is not MeterType.ANALOG:
            if known.meter is not MeterType.ANALOG:
                # The same meter is called both; it goes on as the one that it was.
                record = replace(known, analog_on=None)
            else:
                # A smart meter took its place: all that it has measured is news.
                record = record.reset()
        await self._async_keep(record)

    async def _async_check_history(self) -> None:
        """Begin again where the statistics lack what was written.

        They may have been deleted, a backup may have been restored, or the recorder was off so far.
        """
        if not self._history.kept:
            # From now on days are known that are not written.
            self.record = replace(self.record, recorded={})
            return
        if not (self.record.days or self.record.recorded):
            return
        last, recorded = await self._history.async_last(), self.record.recorded
        wanted = set(recorded)
        if self.record.days:
            selling = self._prices.subscription.feeds_in
            wanted.add(StatisticKind.RETURNED if selling else StatisticKind.USAGE)
        if self.record.fees:
            wanted.add(StatisticKind.BASE_FEE)
        if all(
            key in recorded and key in last and last[key] >= recorded[key]
            for key in wanted
        ):
            return
        if self.record.settled_to is not None:
            _LOGGER.info("The statistics of usage are not complete: building them anew")
        self.record = self.record.reset()

    def _mind_the_clock(self, begin: date, today: date) -> None:
        """Look again at what was taken to stand while the clock was ahead."""
        known = self.record
        reached = [day for day in (known.looked_to, known.settled_to) if day]
        if reached and begin <= today < max(reached):
            since = months_before(today, 1)
            doubts = {
                day: one for day, one in known.doubts.items() if one.since <= today
            }
            self.record = replace(
                known, looked_to=since, settled_to=since, doubts=doubts
            )
