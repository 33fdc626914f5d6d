"""When to ask what was metered, and what to do with the answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
import logging
import random
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import OAuth2TokenRequestBaseError
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..account.contract_coordinator import ContractCoordinator
from ..api import (
    MeterType,
    NomosClient,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRequestError,
    SubscriptionStatus,
)
from ..errors import in_log
from ..prices.coordinator import PriceCoordinator
from ..pricing import day_bounds, local_date, next_midnight
from ..schedule import next_usage_request, next_usage_request_after_start, usage_fetch
from ..scheduled_coordinator import said
from .days import end_of_usage, is_over
from .prices import usage_price_file
from .record import (
    EMPTY_RECORD,
    INVOICES,
    REDUCTIONS,
    USAGE,
    LatestInvoice,
    UsageRecord,
)
from .record_file import decode_record, encode_record, usage_file
from .statistics import UsageHistory
from .sync import UsageSync

_LOGGER = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)

_REFUSALS: Final = (NomosPermissionError, NomosNotFoundError)

_TRIES: Final = 2
"""How often a look is repeated soon for a single month that could not be had."""

_REDUCTIONS_EVERY: Final = timedelta(days=30)


class _LeftError(Exception):
    """The contract is left alone: what was still under way is dropped."""


class UsageCoordinator(ContractCoordinator[UsageRecord]):
    """What one contract's meter measured: in sum here, by the hour in the long-term statistics.

    Asks once a day, after the prices, and only for what is new, late, or may have changed. The first time, and
    whenever the statistics are found incomplete, it goes through the whole contract month by month; every month that
    is done is done for good.
    """

    def __init__(self, hass: HomeAssistant, prices: PriceCoordinator) -> None:
        """Follow the contract of a price coordinator."""
        super().__init__(
            hass,
            prices.account,
            prices.subscription_id,
            kind="usage",
            nothing=EMPTY_RECORD,
            logger=_LOGGER,
        )
        self.prices = prices
        self.history = UsageHistory(hass, prices.subscription)
        self._file = usage_file(hass, prices.subscription_id)
        self._invoice_readers = 0
        self._looking = asyncio.Lock()
        self._left = False
        self._passed_over: Exception | None = None
        self._worth_repeating = False
        self._repeated = 0
        self._unsub_midnight: CALLBACK_TYPE | None = None
        self._unsub_prices: CALLBACK_TYPE | None = None

    @property
    def selling(self) -> bool:
        """Return whether the contract is about energy that is fed into the grid."""
        return self.prices.subscription.feeds_in

    async def async_load(self) -> None:
        """Take what is stored, and plan the first look."""
        stored = await self._file.async_load(
            partial(decode_record, self.subscription_id)
        )
        if stored is not None:
            self.data = stored
        self._schedule_at(self._first_request())

    @override
    def _first_request(self) -> datetime:
        at = next_usage_request_after_start(
            dt_util.utcnow(),
            self.data.looked_to,
            phase=self.account.phase,
            chance=random.uniform(-1, 1),
        )
        return self.account.after_rate_limit(at)

    @callback
    def async_start(self) -> None:
        """Go on asking until the shutdown, also where every entity is disabled; nothing after it."""
        if self._shutdown_requested:
            return
        self.async_add_listener(lambda: None)
        self._follow_days()
        # The display clock's ticks.
        self._unsub_prices = self.prices.async_add_listener(
            self.async_refresh_if_overdue
        )

    @override
    async def async_shutdown(self) -> None:
        """Stop asking."""
        self._stop_following_days()
        if self._unsub_prices is not None:
            self._unsub_prices()
            self._unsub_prices = None
        await super().async_shutdown()

    async def async_leave(self) -> None:
        """Leave the contract alone for good; what was under way is over then, and no file is written any more."""
        self._left = True
        await self.async_shutdown()
        async with self._looking:
            pass

    @callback
    @override
    def async_clock_was_set(self, step: timedelta) -> None:
        """Show what holds on the day that it is now."""
        super().async_clock_was_set(step)
        self._stop_following_days()
        self._follow_days(dt_util.utcnow())

    @callback
    def async_read_invoices(self) -> CALLBACK_TYPE:
        """Ask for invoices, too, until the function that is returned is called."""

        @callback
        def stop() -> None:
            self._invoice_readers -= 1

        self._invoice_readers += 1
        return stop

    @callback
    def _follow_days(self, _now: datetime | None = None) -> None:
        """Wake at midnight: what was this month is last month then."""
        if _now is not None:
            self.async_update_listeners()
            self.async_refresh_if_overdue()
        self._unsub_midnight = async_track_point_in_utc_time(
            self.hass, self._follow_days, next_midnight(dt_util.utcnow())
        )

    @callback
    def _stop_following_days(self) -> None:
        if self._unsub_midnight is not None:
            self._unsub_midnight()
            self._unsub_midnight = None

    @property
    def _silent(self) -> bool:
        """Return whether there is nothing to ask: the contract has not begun, or it ended and its values stand."""
        subscription, known = self.prices.subscription, self.data
        if subscription.status is SubscriptionStatus.PENDING or self.settled:
            return True
        return (
            subscription.status is SubscriptionStatus.ENDED
            and known.meter is MeterType.ANALOG
            and known.looked_to is not None
            # Its last readings come in months.
            and local_date(dt_util.utcnow()) - known.looked_to < _WEEK
        )

    @property
    def settled(self) -> bool:
        """Return whether the contract ended and all that was measured of it stands."""
        subscription, known = self.prices.subscription, self.data
        if subscription.status is not SubscriptionStatus.ENDED:
            return False
        return is_over(known, subscription, local_date(dt_util.utcnow()))

    @property
    def _asks_for_reductions(self) -> bool:
        """Return whether anybody may want to see reductions of the grid fee: there are none for what is sold."""
        return not self.selling

    @property
    @override
    def answered_on(self) -> date | None:
        """Return the day of the last answer about usage, also over a restart."""
        return self.data.answered_on

    @property
    @override
    def stale(self) -> bool:
        """Return whether three days passed without an answer. What a contract that ended has used grows no older."""
        ended = self.prices.subscription.status is SubscriptionStatus.ENDED
        return not ended and super().stale

    @override
    async def _async_fetch(self) -> UsageRecord:
        """Bring record and statistics up to date.

        Never fails: what is known goes on, and what did not come is asked for again.

        Raises:
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        now = dt_util.utcnow()
        if self._silent:
            self._plan(usage_fetch(local_date(now) + _DAY, self.account.phase))
            return self.data
        self._passed_over, self._worth_repeating = None, False
        try:
            async with self._looking:
                if not self._left:
                    await self._async_catch_up(local_date(now))
        except _LeftError:
            return self.data
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            self.last_error = err
            self._misses += 1
            _LOGGER.debug(
                "%s: could not be brought up to date, what is known goes on: %s",
                self.subject,
                in_log(err),
            )
        else:
            self._say_what_is_known()
            self.last_error, self.last_answer = self._passed_over, dt_util.utcnow()
            self._misses = 0
            if self._worth_repeating and self._repeated < _TRIES:
                self._repeated += 1
                self._misses = self._repeated
            elif self._passed_over is None:
                self._repeated = 0
        self._schedule_next()
        return self.data

    def _say_what_is_known(self) -> None:
        record, days = self.data, self.data.days.values()
        _LOGGER.debug(
            "%s: %s days and %s months are known, metered until %s; %s days with gaps, %s without all prices; "
            "refused: %s; passed over: %s",
            self.subject,
            len(days),
            len(record.months),
            said(metered_to(record)),
            sum(bool(one.missing) for one in days),
            sum(not one.priced for one in days),
            ", ".join(record.refused) or "nothing",
            in_log(self._passed_over) if self._passed_over else "nothing",
        )

    @property
    @override
    def _purpose(self) -> str:
        if self._silent:
            return (
                "nothing to ask now: the contract has not begun, or what it had stands"
            )
        if self._misses:
            return "the last look failed or left something out"
        if self._is_late(local_date(dt_util.utcnow())):
            return "yesterday is missing"
        return "the daily look"

    def _is_late(self, today: date) -> bool:
        """Return whether yesterday should be known, and is not."""
        return (
            USAGE not in self.data.refused
            and bool(self.data.days)
            and end_of_usage(self.prices.subscription, today) == today
            and today - _DAY not in self.data.days
        )

    def _schedule_next(self) -> None:
        now = dt_util.utcnow()
        self._plan(
            next_usage_request(
                now,
                late=self._is_late(local_date(now)),
                phase=self.account.phase,
                misses=self._misses,
                chance=random.uniform(-1, 1),
            )
        )

    async def _async_catch_up(self, today: date) -> None:
        """Ask for everything that is due on a day.

        Raises:
            NomosError: Nomos did not answer as hoped.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: the account has to be linked again.
            _LeftError: the contract is left alone.

        """
        if not self.data.refuses(USAGE, today):
            await self._async_or_refused(USAGE, today, self._async_usage)
        if self._invoice_readers:
            await self._async_aside(INVOICES, today, self._async_invoices)
        asked = self.data.reductions_on
        due = asked is None or (
            not timedelta() <= today - asked < _REDUCTIONS_EVERY
            # Plans are asked for on the first.
            and today.day > 1
        )
        if self._asks_for_reductions and due:
            await self._async_aside(REDUCTIONS, today, self._async_reductions)

    async def _async_aside(
        self, kind: str, today: date, ask: Callable[[date], Awaitable[None]]
    ) -> None:
        """Ask for what is nice to have. Where that fails it waits for the next day: usage is not asked for again."""
        if self.data.refuses(kind, today):
            return
        try:
            await self._async_or_refused(
                kind, today, ask, refusals=(*_REFUSALS, NomosRequestError)
            )
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            _LOGGER.debug(
                "%s: %s could not be read, what is known goes on: %s",
                self.subject,
                kind,
                in_log(err),
            )

    async def _async_or_refused(
        self,
        kind: str,
        today: date,
        ask: Callable[[date], Awaitable[None]],
        *,
        refusals: tuple[type[NomosError], ...] = _REFUSALS,
    ) -> None:
        """Ask, and note whether Nomos refuses: which questions a customer may ask is not published."""
        try:
            await ask(today)
        except refusals as err:
            if kind not in self.data.refused:
                was_answered = self.data.answered(kind)
                _LOGGER.log(
                    logging.WARNING if was_answered else logging.INFO,
                    "Nomos %s %s for this contract (status %s)",
                    "no longer offers" if was_answered else "does not offer",
                    kind.replace("_", " "),
                    err.status,
                )
            await self._async_keep(self.data.with_refusal(kind, today))
        else:
            await self._async_keep(self.data.without_refusal(kind))

    async def _async_keep(self, record: UsageRecord) -> None:
        """Take over what was learned, on the disk first.

        Raises:
            _LeftError: the contract is left alone.

        """
        if self._left:
            raise _LeftError
        if record == self.data:
            return
        await self._file.async_save(encode_record(self.subscription_id, record))
        self.data = record
        self.async_update_listeners()

    async def _async_usage(self, today: date) -> None:
        """Ask for what was metered, and bring it into record and statistics."""

        async def keep(record: UsageRecord) -> None:
            await self._async_keep(replace(record, answered_on=today))

        look = UsageSync(
            self.prices,
            self.history,
            self.data.charging(self._base_fee, today),
            keep,
            today,
        )
        await look.async_take()
        if self.settled:
            await usage_price_file(self.hass, self.subscription_id).async_remove()
        self._passed_over = look.error
        self._worth_repeating = look.worth_repeating

    @property
    def _base_fee(self) -> float | None:
        plan = self.account.tariff_of(self.prices.subscription)
        return plan.base_fee if plan and not self.selling else None

    async def _async_invoices(self, _today: date) -> None:
        """Ask for the invoice that was issued last."""
        found = await self.account.async_ask(
            partial(NomosClient.invoices, subscription_id=self.subscription_id),
            optional=True,
        )
        issued = max(
            (one for one in found if one.issued_at is not None),
            key=lambda one: (one.issued_at, one.id),
            default=None,
        )
        await self._async_keep(
            replace(self.data, invoice=LatestInvoice.of(issued) if issued else None)
        )

    async def _async_reductions(self, today: date) -> None:
        """Ask for the reductions of the grid fee."""
        found = await self.account.async_ask(
            partial(
                NomosClient.grid_fee_reductions,
                subscription_id=self.subscription_id,
            ),
            optional=True,
        )
        await self._async_keep(
            replace(self.data, reductions=found, reductions_on=today)
        )


def metered_to(record: UsageRecord) -> datetime | None:
    """Return the instant up to which every reading is there, as far as the record reaches; None where none is."""
    complete = [day for day, one in record.days.items() if not one.missing]
    if not complete:
        return None
    return day_bounds(max(complete))[1]
