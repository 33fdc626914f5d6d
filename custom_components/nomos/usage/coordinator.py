"""When to request usage, and what to do with the answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
import logging
import random
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..account.contract import ContractCoordinator
from ..api import (
    MeterType,
    NomosClient,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRequestError,
    SubscriptionStatus,
)
from ..codec import decode
from ..errors import REQUEST_ERRORS, RequestError, in_log
from ..prices.conversion import price_file
from ..prices.coordinator import PriceCoordinator
from ..pricing import local_date
from ..schedule import next_usage_request, next_usage_request_after_start, usage_fetch
from ..scheduled_coordinator import log_time
from ..storage import StoredFile, stored_file
from .days import is_over, metered_days
from .importer import UsageImporter
from .prices import usage_price_file
from .record import (
    EMPTY_RECORD,
    INVOICES,
    REDUCTIONS,
    USAGE,
    LatestInvoice,
    UsageRecord,
)
from .statistics import UsageStatistics

_LOGGER = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)

_REFUSALS: Final = (NomosPermissionError, NomosNotFoundError)

_MAX_EARLY_REPEATS: Final = 2
"""How often a sync is repeated early because single months failed."""

_REDUCTIONS_EVERY: Final = timedelta(days=30)


class _StoppedError(Exception):
    """The coordinator was stopped: results that arrive later are dropped."""


class UsageCoordinator(ContractCoordinator[UsageRecord]):
    """The usage of one contract: sums here, hours in the long-term statistics.

    Requests usage once a day, after the prices, and only what is new, late, or may have changed. The first time, and
    whenever the statistics turn out to be incomplete, it imports the whole contract month by month. A contract that
    has ended and is not shown has no entities; only its statistics are completed.
    """

    def __init__(self, prices: PriceCoordinator, *, shown: bool = True) -> None:
        """Follow the contract of a price coordinator."""
        super().__init__(prices.account, prices.contract_id, "usage", EMPTY_RECORD)
        self.prices = prices
        self.shown = shown
        self.statistics = UsageStatistics(self.hass, prices.contract)
        self._file = usage_file(self.hass, prices.contract_id)
        self._import_lock = asyncio.Lock()
        self._left_out: Exception | None = None
        self._worth_repeating = False
        self._repeated = 0
        self._shown_as = (local_date(dt_util.utcnow()), self._has_ended)
        self._unsub_prices: CALLBACK_TYPE | None = None

    async def async_load(self) -> None:
        """Load the stored record, and schedule the first sync."""
        if not self.shown:
            # Prices of its last days are still stored from when the contract ran.
            await self.prices.async_begin(must_answer=False)
        stored = await self._file.async_load(partial(decode, UsageRecord))
        if stored is not None:
            self.data = stored
        self._schedule_at(self._first_request())

    @override
    def _first_request(self) -> datetime:
        return next_usage_request_after_start(
            dt_util.utcnow(),
            self.data.synced_on,
            phase=self.account.phase,
            chance=random.uniform(-1, 1),
        )

    @callback
    def async_start(self) -> None:
        """Run until the shutdown, even if every entity is disabled; do nothing after it."""
        if self._shutdown_requested:
            return
        self.async_add_listener(lambda: None)
        self._unsub_prices = self.prices.async_add_listener(self._follow_prices)

    @callback
    def _follow_prices(self) -> None:
        """Update the sensors on a new day, when this month may be the last one, and at the end of the contract."""
        shown = (local_date(dt_util.utcnow()), self._has_ended)
        if shown != self._shown_as:
            self._shown_as = shown
            self.async_update_listeners()
        self.async_refresh_if_overdue()

    @override
    async def async_shutdown(self) -> None:
        """Stop requesting usage."""
        if self._unsub_prices is not None:
            self._unsub_prices()
            self._unsub_prices = None
        await super().async_shutdown()

    async def async_leave(self) -> None:
        """Stop for good; afterwards nothing is running, and no file is written any more."""
        await self.async_shutdown()
        async with self._import_lock:
            pass

    @property
    def _has_ended(self) -> bool:
        return self.prices.contract.status is SubscriptionStatus.ENDED

    @property
    def _nothing_to_ask(self) -> bool:
        """Return whether the contract has not begun, or has ended with all values settled."""
        known = self.data
        if self.prices.contract.status is SubscriptionStatus.PENDING:
            return True
        if not self._has_ended:
            return False
        if known.meter is not MeterType.ANALOG:
            return self.settled or not (self.shown or self.statistics.kept)
        today = local_date(dt_util.utcnow())
        # The last readings of an analog meter can take months.
        asked = known.synced_on
        waits = asked is not None and today - asked < timedelta(days=7)
        return self.settled or waits or not self.shown

    @property
    def settled(self) -> bool:
        """Return whether the contract has ended and all of its usage is settled."""
        return self._has_ended and is_over(
            self.data,
            self.prices.contract,
            local_date(dt_util.utcnow()),
            history_kept=self.statistics.kept,
        )

    @property
    @override
    def answered_on(self) -> date | None:
        """Return the day of the last answer about usage, also after a restart."""
        return self.data.answered_on

    @property
    @override
    def stale(self) -> bool:
        """Return whether three days passed without an answer; the usage of an ended contract does not get stale."""
        return not self._has_ended and super().stale

    @override
    async def _async_fetch(self) -> UsageRecord:
        """Bring record and statistics up to date."""
        today = local_date(dt_util.utcnow())
        if self._nothing_to_ask:
            self._schedule_at(usage_fetch(today + _DAY, self.account.phase))
            return self.data
        self._left_out, self._worth_repeating = None, False
        try:
            async with self._import_lock:
                await self._async_catch_up(today)
        except _StoppedError:
            return self.data
        self._log_known()
        self.last_error, self.last_answer = self._left_out, dt_util.utcnow()
        self._misses = 0
        if self._worth_repeating and self._repeated < _MAX_EARLY_REPEATS:
            self._misses = self._repeated = self._repeated + 1
        elif self._left_out is None:
            self._repeated = 0
        self._schedule_next()
        return self.data

    @override
    def _schedule_after(self, err: RequestError) -> None:
        self._misses += 1
        self._schedule_next()

    def _schedule_next(self) -> None:
        now = dt_util.utcnow()
        self._schedule_at(
            next_usage_request(
                now,
                late=self._is_late(local_date(now)),
                phase=self.account.phase,
                misses=self._misses,
                chance=random.uniform(-1, 1),
            )
        )

    def _log_known(self) -> None:
        record, days = self.data, self.data.days.values()
        _LOGGER.debug(
            "%s: %s days and %s months are known, metered until %s; %s days with gaps, %s without all prices; "
            "refused: %s; passed over: %s",
            self.subject,
            len(days),
            len(record.analog_months),
            log_time(record.metered_to),
            sum(bool(one.missing) for one in days),
            sum(not one.priced for one in days),
            ", ".join(record.refused) or "nothing",
            in_log(self._left_out) if self._left_out else "nothing",
        )

    @property
    @override
    def _purpose(self) -> str:
        if self._nothing_to_ask:
            return "nothing to ask now: the contract has not begun, or its values are settled"
        if self._misses:
            return "the last sync failed or left something out"
        if self._is_late(local_date(dt_util.utcnow())):
            return "yesterday is missing"
        return "the daily sync"

    def _is_late(self, today: date) -> bool:
        """Return whether yesterday should be known but is not."""
        _, end = metered_days(self.prices.contract, today, history_kept=True)
        return (
            USAGE not in self.data.refused
            and bool(self.data.days)
            and end == today
            and today - _DAY not in self.data.days
        )

    async def _async_catch_up(self, today: date) -> None:
        """Request everything that is due on a day."""
        await self._async_unless_refused(USAGE, today, self._async_usage, _REFUSALS)
        if INVOICES in self.async_contexts():
            await self._async_aside(INVOICES, today, self._async_invoices)
        asked = self.data.reductions_on
        due = asked is None or (
            not timedelta() <= today - asked < _REDUCTIONS_EVERY
            # Tariffs are requested on the first.
            and today.day > 1
        )
        if due and self.shown and not self.prices.contract.feeds_in:
            await self._async_aside(REDUCTIONS, today, self._async_reductions)

    async def _async_aside(
        self, endpoint: str, today: date, ask: Callable[[date], Awaitable[None]]
    ) -> None:
        """Request optional data. If that fails, it waits for the next day, and usage is not requested again."""
        refusals = (*_REFUSALS, NomosRequestError)
        try:
            await self._async_unless_refused(endpoint, today, ask, refusals)
        except REQUEST_ERRORS as err:
            _LOGGER.debug(
                "%s: %s could not be read, what is known goes on: %s",
                self.subject,
                endpoint,
                in_log(err),
            )

    async def _async_unless_refused(
        self,
        endpoint: str,
        today: date,
        ask: Callable[[date], Awaitable[None]],
        refusals: tuple[type[NomosError], ...],
    ) -> None:
        """Send a request, and record if Nomos refuses: which endpoints customers may use is not documented."""
        if self.data.refuses(endpoint, today):
            return
        try:
            await ask(today)
        except refusals as err:
            if endpoint not in self.data.refused:
                was_answered = self.data.answered(endpoint)
                _LOGGER.log(
                    logging.WARNING if was_answered else logging.INFO,
                    "Nomos %s %s for this contract (status %s)",
                    "no longer offers" if was_answered else "does not offer",
                    endpoint.replace("_", " "),
                    err.status,
                )
            await self._async_keep(self.data.with_refusal(endpoint, today))
        else:
            await self._async_keep(self.data.with_refusal(endpoint, None))

    async def _async_keep(self, record: UsageRecord) -> None:
        """Store a new record, then use it; raise _StoppedError after the shutdown."""
        if self._shutdown_requested:
            raise _StoppedError
        if record == self.data:
            return
        await self._file.async_save(record)
        self.data = record
        self.async_update_listeners()

    async def _async_usage(self, today: date) -> None:
        """Request usage, and add it to the record and the statistics."""
        contract = self.prices.contract
        tariff = None if contract.feeds_in else self.account.tariff_of(contract)
        fee = tariff.base_fee if tariff else None
        record = self.data.with_base_fee(fee, today)
        importer = UsageImporter(
            self.prices, self.statistics, record, self._async_keep, today
        )
        await importer.async_run()
        self._left_out = importer.error
        self._worth_repeating = importer.retry_soon
        if self.settled:
            await usage_price_file(self.hass, self.contract_id).async_remove()
            if not self.shown:
                await price_file(self.hass, self.contract_id).async_remove()

    async def _async_invoices(self, _today: date) -> None:
        """Request the invoice that was issued last."""
        found = await self.async_ask(NomosClient.invoices, optional=True)
        issued = max(
            (one for one in found if one.issued_at is not None),
            key=lambda one: (one.issued_at, one.id),
            default=None,
        )
        await self._async_keep(
            replace(self.data, invoice=LatestInvoice.of(issued) if issued else None)
        )

    async def _async_reductions(self, today: date) -> None:
        """Request the reductions of the grid fee."""
        found = await self.async_ask(NomosClient.grid_fee_reductions, optional=True)
        await self._async_keep(
            replace(self.data, reductions=found, reductions_on=today)
        )


def usage_file(hass: HomeAssistant, contract_id: str) -> StoredFile:
    """Return the file of a contract's usage record."""
    return stored_file(hass, f"usage.{contract_id}")


async def async_delete_files(hass: HomeAssistant, contract_id: str) -> None:
    """Delete the files of a contract."""
    for file in (price_file, usage_file, usage_price_file):
        await file(hass, contract_id).async_remove()
