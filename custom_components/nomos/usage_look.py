"""One look at what a contract's meter measured: what is asked for, in which order, and what is kept of it."""

from asyncio import sleep
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
import logging
from typing import Final

from .api import MeterType, SubscriptionType
from .coordinator import PriceCoordinator
from .history import UsageHistory
from .metering import Series, is_settled, months_before
from .usage_days import begin_of_usage, end_of_usage, stretches
from .usage_import import UsageImport
from .usage_record import PRICES, UsageRecord

_LOGGER = logging.getLogger(__name__)

PAUSE: Final = 0.25
"""Seconds between two months of an import."""


class UsageLook:
    """Goes through what is new, late, or may have changed; every month that is done is done for good."""

    def __init__(
        self,
        prices: PriceCoordinator,
        history: UsageHistory,
        record: UsageRecord,
        keep: Callable[[UsageRecord], Awaitable[None]],
        *,
        base_fee: float | None,
    ) -> None:
        """Begin with what is known; ``keep`` is called with every record that is better."""
        self.record = record
        self._prices = prices
        self._history = history
        self._keep = keep
        self._base_fee = base_fee

    async def _async_keep(self, record: UsageRecord) -> None:
        self.record = record
        await self._keep(record)

    async def async_take(self, today: date) -> None:
        """Ask for what was metered, and bring it into record and statistics.

        Raises:
            NomosError: Nomos did not answer as hoped.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            HistoryError: the statistics could not be read or written.
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        work = UsageImport(self._prices, self._history, today, base_fee=self._base_fee)
        if self.record.meter is MeterType.ANALOG:
            await self._async_months(work, today)
            return
        await self._async_check_history()
        subscription = self._prices.subscription
        begin = begin_of_usage(subscription, today, history_kept=self._history.kept)
        end = end_of_usage(subscription, today)
        self._mind_the_clock(begin, today)
        whole = self.record.looked_to is None
        chunks = stretches(
            self.record, begin, end, today=today, phase=self._prices.account.phase
        )
        for number, (start, end) in enumerate(chunks, 1):
            if number > 1:
                await sleep(PAUSE)
            settles = is_settled(start, today)
            answer = await work.async_days(self.record, start, end, settles=settles)
            if answer.meter is MeterType.ANALOG:
                await self._async_months(work, today)
                return
            record = self.record.extended(
                answer, start, end, settles_on=today if settles else None
            )
            if answer.no_prices:
                record = record.refusing(PRICES, today)
            await self._async_keep(record.forgetting(months_before(today, 1)))
            if whole:
                _LOGGER.info(
                    "Usage of %s is imported (%s of %s months)",
                    start.strftime("%Y-%m"),
                    number,
                    len(chunks),
                )
        if not chunks:
            await self._async_keep(replace(self.record, looked_to=today))

    async def _async_months(self, work: UsageImport, today: date) -> None:
        """Ask what an analog meter counted."""
        answer = await work.async_months()
        record = replace(self.record, meter=answer.meter, looked_to=today)
        if answer.months is not None:
            record = replace(record, months=answer.months)
        if answer.meter is not MeterType.ANALOG:
            # A smart meter took its place: all that it has measured is news.
            record = record.beginning_again()
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
            selling = self._prices.subscription.type is SubscriptionType.FEED_IN
            wanted.add(Series.RETURNED if selling else Series.USAGE)
        if self._base_fee is not None:
            wanted.add(Series.BASE_FEE)
        if all(
            key in recorded and key in last and last[key] >= recorded[key]
            for key in wanted
        ):
            return
        if self.record.settled_to is not None:
            _LOGGER.info("The statistics of usage are not complete: building them anew")
        self.record = self.record.beginning_again()

    def _mind_the_clock(self, begin: date, today: date) -> None:
        """Look again at what was taken to stand while the clock was ahead."""
        known = self.record
        reached = [day for day in (known.looked_to, known.settled_to) if day]
        if reached and begin <= today < max(reached):
            since = months_before(today, 1)
            self.record = replace(known, looked_to=since, settled_to=since)
