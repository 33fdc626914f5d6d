"""One contract's prices: when to request them, and what to keep of the answers."""

from dataclasses import replace
from datetime import datetime, timedelta
import logging
import random
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..account.contract import ContractCoordinator
from ..account.contracts import NomosAccount
from ..api import (
    NomosClient,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRequestError,
    PriceSeries,
    Subscription,
)
from ..const import DOMAIN
from ..errors import RequestError
from ..issues import async_report, async_withdraw_all
from ..pricing import (
    EMPTY_TABLE,
    QUARTER,
    PeriodKind,
    PriceTable,
    TableLevels,
    local_date,
    next_midnight,
)
from ..schedule import (
    PriceRequestReason,
    misses_after,
    next_price_request,
    price_request_reason,
)
from ..scheduled_coordinator import log_time
from ..storage import async_write_owed
from .conversion import (
    decode_table,
    is_complete,
    knows_price,
    level_thresholds,
    period_limits,
    price_file,
    price_table,
    trimmed,
)
from .gap import MissingPrices

_LOGGER = logging.getLogger(__name__)

SIGNAL_LOWEST: Final = f"{DOMAIN}_lowest_price"
"""Sent with a contract's id when the lowest price of its day begins."""


class PriceCoordinator(ContractCoordinator[PriceTable]):
    """One contract's price table.

    The data clock sends requests, rarely; the display clock makes entities read the table again at every boundary.
    No answer removes a known price, and known prices are stored on disk.
    """

    def __init__(self, account: NomosAccount, contract: Subscription) -> None:
        """Begin with an empty table."""
        super().__init__(account, contract.id, "prices", EMPTY_TABLE)
        self.contract = contract
        options = account.config_entry.options
        self.thresholds = level_thresholds(options)
        self.gap = MissingPrices()
        self._levels = TableLevels(EMPTY_TABLE, self.thresholds, period_limits(options))
        self._file = price_file(self.hass, contract.id)
        self._reason = PriceRequestReason.REST
        self._boundary: datetime | None = None
        """When the display clock wakes next; None if it does not run."""
        self._unsub_boundary: CALLBACK_TYPE | None = None

    async def async_begin(self, *, must_answer: bool) -> None:
        """Load the stored prices, or else request them.

        Only a new account requires an answer (``must_answer``); others request it in the background.

        Raises:
            ConfigEntryNotReady: there was no answer, but it is required.

        """
        stored = await self._file.async_load(decode_table)
        now = dt_util.utcnow()
        self.data = trimmed(stored or EMPTY_TABLE, now)
        _LOGGER.debug("%s: stored until %s", self.subject, log_time(self.data.horizon))
        self._schedule_at(self._first_request())
        missing = self._is_supplied() and not knows_price(self.data, now)
        if missing and must_answer:
            await self._async_first_answer()
        elif missing:
            self.async_refresh_soon()

    @callback
    def async_start(self) -> None:
        """Run both clocks until the shutdown, even if every entity is disabled."""
        if self._shutdown_requested:
            return
        self.async_add_listener(lambda: None)
        self._follow_table()

    @override
    async def async_shutdown(self) -> None:
        """Stop both clocks."""
        self._stop_display()
        async_withdraw_all(self.hass, self.contract_id)
        await super().async_shutdown()

    @callback
    def async_contract_changed(self, contract: Subscription) -> bool:
        """Update the contract; return whether prices should be requested at once."""
        supplied_before = self._is_supplied()
        self.contract = contract
        self.async_update_listeners()
        return self._is_supplied() and not supplied_before

    @property
    def levels(self) -> TableLevels:
        """Return the levels and periods of the known prices."""
        if self._levels.table is not self.data:
            self._levels = replace(self._levels, table=self.data)
        return self._levels

    @override
    async def _async_fetch(self) -> PriceTable:
        """Request today and tomorrow, and merge the answer into the table."""
        if not self._is_supplied():
            # The daily list of contracts shows when this changes.
            self._schedule_at(None)
            self.last_error = None
            self.gap.note_prices()
            return self.data
        series = await self._async_ask()
        self.last_answer, self.last_error = dt_util.utcnow(), None
        if series.items is not None:
            self.gap.note_prices()
            return await self._async_merge(series)
        # Nomos reports that the contract does not run. The list of contracts may show that by now.
        _LOGGER.debug("%s: none, the contract does not run", self.subject)
        if not self.gap.none_for_contract:
            self.account.async_refresh_soon()
        self.gap.note_none(self.last_answer, for_contract=True)
        self._schedule_next(self.data)
        return self.data

    @override
    def _schedule_after(self, err: RequestError) -> None:
        if isinstance(err, NomosNotFoundError):
            self.gap.note_none(dt_util.utcnow(), for_contract=False)
        self._schedule_next(self.data)

    async def _async_ask(self) -> PriceSeries:
        """Request today and tomorrow, and today alone if tomorrow is refused.

        How Nomos reports that tomorrow is not published yet is not documented; it may be an error.
        """
        today = local_date(dt_util.utcnow())
        tomorrow = today + timedelta(days=1)
        try:
            return await self.async_ask(NomosClient.prices, today, tomorrow)
        except NomosNotFoundError, NomosRequestError:
            if self.data.day(today).complete:
                raise
            return await self.async_ask(NomosClient.prices, today, today)

    async def _async_merge(self, series: PriceSeries) -> PriceTable:
        """Merge an answer into the table, schedule the next request, and store the table if it changed."""

        def merge() -> tuple[PriceTable, PriceTable, TableLevels]:
            answer = price_table(series)
            merged = self.data.merge(answer)
            levels = replace(self._levels, table=trimmed(merged, dt_util.utcnow()))
            # Computed here, since all entities are about to read them.
            levels.periods(PeriodKind.CHEAP)
            return answer, merged, levels

        # It would block the event loop for some milliseconds.
        answer, merged, levels = await self.hass.async_add_executor_job(merge)
        table = levels.table
        _LOGGER.debug(
            "%s: %s intervals came, until %s, %s of them without a price",
            self.subject,
            len(answer.intervals),
            log_time(answer.horizon),
            sum(one.price is None for one in answer.intervals),
        )
        # Dropping yesterday is not news: otherwise a fleet would send requests every minute after midnight.
        self._schedule_next(table, news=merged is not self.data)
        if table is not self.data:
            await self._file.async_save(table.intervals)
            self._levels = levels
        return table

    @override
    def _first_request(self) -> datetime | None:
        """Return when to request missing prices: at once if the current one is missing."""
        reason = self._reason_for(self.data)
        if reason is PriceRequestReason.NOT_SUPPLIED:
            return None
        now = dt_util.utcnow()
        if reason is PriceRequestReason.CURRENT:
            return now
        return self._next_request(now, reason, misses=0)

    def _schedule_next(self, table: PriceTable, *, news: bool = False) -> None:
        """Schedule the next request; ``news`` is whether an answer changed anything."""
        now, scheduled = dt_util.utcnow(), self.next_request
        early = scheduled is not None and scheduled > now
        if news or not early:
            self._misses = misses_after(self._misses, self._reason, news=news)
        self._reason = self._reason_for(table)
        at = self._next_request(now, self._reason, misses=max(self._misses, 1))
        if scheduled and early and self._reason is not PriceRequestReason.REST:
            # An extra request without news must not delay the scheduled one.
            at = min(at, scheduled)
        self._schedule_at(at)

    def _next_request(
        self, now: datetime, reason: PriceRequestReason, *, misses: int
    ) -> datetime:
        return next_price_request(
            now,
            reason,
            phase=self.account.phase,
            misses=misses,
            chance=random.uniform(-1, 1),
        )

    def _reason_for(self, table: PriceTable) -> PriceRequestReason:
        """Return why to send a request now if this table is all that is known."""
        now, end = dt_util.utcnow(), self.contract.end_at
        if not self._is_supplied():
            return PriceRequestReason.NOT_SUPPLIED
        denied = isinstance(self.last_error, NomosPermissionError)
        if denied or self.gap.is_hopeless(now):
            return PriceRequestReason.DENIED
        today = local_date(now)
        return price_request_reason(
            now,
            self.account.phase,
            now_known=knows_price(table, now),
            today_complete=is_complete(table, today, end),
            tomorrow_complete=is_complete(table, today + timedelta(days=1), end),
        )

    @property
    @override
    def _known(self) -> str:
        return f"what is known until {log_time(self.data.horizon)}"

    @property
    @override
    def _purpose(self) -> str:
        return self._reason_for(self.data).value

    @property
    @override
    def _lacks_something(self) -> bool:
        return self._reason_for(self.data) in {
            PriceRequestReason.CURRENT,
            PriceRequestReason.TODAY,
            PriceRequestReason.TOMORROW,
        }

    def _is_supplied(self) -> bool:
        """Return whether there should be a price now: the contract runs, as far as Nomos reports."""
        end = self.contract.end_at
        return not self.contract.inactive and (end is None or dt_util.utcnow() < end)

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Show the new table, and handle a boundary that passed during the request."""
        if self._boundary is not None:
            self._show_now()

    @callback
    @override
    def async_clock_was_set(self, step: timedelta) -> None:
        """Show the values of the new time."""
        if self._boundary is None:
            return
        self.gap.shift(step)
        super().async_clock_was_set(step)
        self._pass_boundary(dt_util.utcnow())

    @callback
    def _pass_boundary(self, _now: datetime) -> None:
        """Show the values of the new interval, and do what waits for a boundary."""
        self.hass.async_create_task(async_write_owed(self.hass), f"{DOMAIN} files")
        self._show_now()
        # Restart a reauth flow that the customer abandoned.
        self.account.link.async_remind()
        self.async_refresh_if_overdue()
        self.account.async_refresh_if_overdue()

    @callback
    def _show_now(self) -> None:
        """Make entities read the table again, and fire triggers for a boundary that has passed."""
        passed, now = self._boundary, dt_util.utcnow()
        self._follow_table()
        self.async_update_listeners()
        lowest = self.data.day(local_date(now)).lowest
        if passed and lowest and passed <= lowest.start <= now < lowest.end:
            async_dispatcher_send(self.hass, SIGNAL_LOWEST, self.contract_id)

    @callback
    def _follow_table(self) -> None:
        """Wake at the next boundary, and report prices that are missing by now."""
        now, supplied = dt_util.utcnow(), self._is_supplied()
        self.gap.update(
            now,
            supplied=supplied,
            known=knows_price(self.data, now),
            asked=self.last_answer is not None or self.last_error is not None,
        )
        issues = self.gap.issues(
            now,
            denied=supplied and isinstance(self.last_error, NomosPermissionError),
            connected=self.account.link.is_open,
        )
        name = self.contract.number or self.config_entry.title
        for issue, present in issues.items():
            async_report(self.hass, issue, self.contract_id, name, present=present)
        # Midnight is always a boundary, since today changes.
        self._stop_display()
        self._boundary = min(
            self.data.next_boundary(now) or now + QUARTER, next_midnight(now)
        )
        self._unsub_boundary = async_track_point_in_utc_time(
            self.hass, self._pass_boundary, self._boundary
        )

    @callback
    def _stop_display(self) -> None:
        self._boundary = None
        if self._unsub_boundary is not None:
            self._unsub_boundary()
            self._unsub_boundary = None
