"""When to ask Nomos for prices, what to keep of the answers, and when what is known changes its meaning."""

from datetime import date, datetime, timedelta
from functools import partial
import logging
import random
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import OAuth2TokenRequestBaseError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..account.contract_coordinator import ContractCoordinator
from ..account.contracts import NomosAccount
from ..api import (
    NomosClient,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRequestError,
    PriceSeries,
    Subscription,
)
from ..const import DOMAIN
from ..errors import in_log, raise_update_failed
from ..issues import Issue, async_report, async_withdraw_all
from ..pricing import (
    EMPTY_TABLE,
    DayLevels,
    PriceRating,
    PriceTable,
    local_date,
    next_midnight,
)
from ..schedule import (
    Knowledge,
    PriceRequestReason,
    misses_after,
    next_price_request,
    next_price_request_after_start,
)
from ..scheduled_coordinator import said
from ..storage import async_write_owed
from .conversion import (
    complete_until,
    decode_table,
    encode_table,
    knows_price,
    price_file,
    price_table,
    trimmed,
)
from .level_cache import LevelCache
from .thresholds import thresholds_of

_LOGGER = logging.getLogger(__name__)

_PURPOSES: Final = {
    PriceRequestReason.ACCESS: "Nomos has none for this contract, or refuses them",
    PriceRequestReason.CURRENT: "the current one is missing",
    PriceRequestReason.TODAY: "some of today are missing",
    PriceRequestReason.TOMORROW: "some of tomorrow are missing",
    PriceRequestReason.REST: "all are known that should be by now",
}

SIGNAL_LOWEST: Final = f"{DOMAIN}_lowest_price"
"""Sent with a subscription's id when the lowest price of its day begins."""

_LATE: Final = timedelta(hours=1)
"""How long the current price may be missing before the customer is told."""

_HOPELESS: Final = timedelta(days=2)
"""How long Nomos has to say that it has no prices for a contract before it is taken for more than a day's issue."""


class PriceCoordinator(ContractCoordinator[PriceTable]):
    """One subscription's price table.

    Two clocks: the data clock asks Nomos, rarely; the display clock tells the entities at every boundary of the
    table that another interval is current. An answer never takes away a price that is known, and what is known is
    on the disk.
    """

    def __init__(
        self, hass: HomeAssistant, account: NomosAccount, subscription: Subscription
    ) -> None:
        """Begin with an empty table."""
        super().__init__(
            hass,
            account,
            subscription.id,
            kind="prices",
            nothing=EMPTY_TABLE,
            logger=_LOGGER,
        )
        self.subscription = subscription
        self.unknown_since: datetime | None = None
        self.thresholds = thresholds_of(account.config_entry)
        self._levels = LevelCache(self.thresholds)
        self._file = price_file(hass, subscription.id)
        self._reason = PriceRequestReason.REST
        self._running = False
        self._none_since: datetime | None = None
        self._none_for_contract = False
        self._must_answer = False
        self._tick_at: datetime | None = None
        self._unsub_tick: CALLBACK_TYPE | None = None

    async def async_begin(self, *, must_answer: bool) -> None:
        """Begin with the prices that are stored, or else with what Nomos says.

        Args:
            must_answer: whether it is an error that nothing is stored and nothing comes. An account that has worked
                before starts without prices rather than not at all, and goes on asking at its own pace.

        Raises:
            ConfigEntryNotReady: nothing came that had to.

        """
        await self.async_load()
        if self._known_now() or not self._supplied():
            return
        if not must_answer:
            self.async_refresh_soon()
            return
        self._must_answer = True
        try:
            await self.async_config_entry_first_refresh()
        finally:
            self._must_answer = False

    async def async_load(self) -> None:
        """Take the stored prices, and plan to ask for what they lack."""
        stored = await self._file.async_load(
            partial(decode_table, self.subscription_id)
        )
        if stored is not None:
            self.data = trimmed(stored, dt_util.utcnow())
        _LOGGER.debug("%s: stored until %s", self.subject, said(self.data.horizon))
        self._schedule_at(self._first_request())

    @override
    def _first_request(self) -> datetime | None:
        """Return when to ask for what is missing: at once if it is the current price."""
        if not self._supplied():
            return None
        now, phase = dt_util.utcnow(), self.account.phase
        reason = self._knowledge(self.data, now).reason(now, phase)
        at = now
        if reason is not PriceRequestReason.CURRENT:
            at = next_price_request_after_start(
                now, reason, phase=phase, chance=random.uniform(-1, 1)
            )
        return self.account.after_rate_limit(at)

    @callback
    def async_start(self) -> None:
        """Run both clocks until the shutdown, also where every entity is disabled; nothing after it."""
        if self._shutdown_requested:
            return
        self._running = True
        self.async_add_listener(lambda: None)
        self._follow_table()

    @override
    async def async_shutdown(self) -> None:
        """Stop both clocks."""
        self._running = False
        self._stop_tick()
        async_withdraw_all(self.hass, self.subscription_id)
        await super().async_shutdown()

    @callback
    def async_subscription_changed(self, subscription: Subscription) -> bool:
        """Take the news of the contract; return whether prices should be asked for at once."""
        if subscription == self.subscription:
            return False
        supplied_before = self._supplied()
        self.subscription = subscription
        self.async_update_listeners()
        return self._supplied() and not supplied_before

    def day_levels(self, day: date) -> DayLevels:
        """Return how the known prices of a tariff day stand."""
        return self._levels.of(day, self.data.day(day))

    def standing(self, now: datetime) -> PriceRating | None:
        """Return how the price at an aware instant stands within its day; None where it is not known."""
        return self.day_levels(local_date(now)).at(now)

    def _known_now(self) -> bool:
        return knows_price(self.data, dt_util.utcnow())

    def _supplied(self) -> bool:
        """Return whether there should be a price now: the contract runs, as far as Nomos says."""
        end = self.subscription.end_at
        return not self.subscription.inactive and (
            end is None or dt_util.utcnow() < end
        )

    def _knowledge(self, table: PriceTable, now: datetime) -> Knowledge:
        """Return what a table knows of the days that matter, as far as the contract runs."""
        today, supplied_to = local_date(now), self.subscription.end_at
        return Knowledge(
            now_known=knows_price(table, now),
            today_complete=complete_until(table, today, supplied_to),
            tomorrow_complete=complete_until(
                table, today + timedelta(days=1), supplied_to
            ),
        )

    @property
    @override
    def _purpose(self) -> str:
        if not self._supplied():
            return "the contract does not run"
        if self._reason is PriceRequestReason.ACCESS:
            return _PURPOSES[PriceRequestReason.ACCESS]
        now = dt_util.utcnow()
        return _PURPOSES[
            self._knowledge(self.data, now).reason(now, self.account.phase)
        ]

    @property
    @override
    def _lacks_something(self) -> bool:
        if not self._supplied() or self._reason is PriceRequestReason.ACCESS:
            return False
        now = dt_util.utcnow()
        reason = self._knowledge(self.data, now).reason(now, self.account.phase)
        return reason is not PriceRequestReason.REST

    @override
    async def _async_fetch(self) -> PriceTable:
        """Ask for today and tomorrow and lay the answer over what is known.

        Raises:
            UpdateFailed: nothing came at the start of an account that is new.
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        if not self._supplied():
            # The daily look at the subscriptions tells when this changes.
            self._schedule_at(None)
            self.last_error = None
            self._note_prices()
            return self.data
        try:
            series = await self._async_ask()
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            self.last_error = err
            if isinstance(err, NomosNotFoundError):
                self._note_none()
            denied = isinstance(err, NomosPermissionError) or self._is_hopeless()
            self._schedule_next(
                self.data, PriceRequestReason.ACCESS if denied else None
            )
            if self._must_answer:
                raise_update_failed(err)
            _LOGGER.debug(
                "%s: could not be read, those known until %s go on: %s",
                self.subject,
                said(self.data.horizon),
                in_log(err),
            )
            return self.data
        now = dt_util.utcnow()
        self.last_answer, self.last_error = now, None
        if series.items is None:
            # Nomos takes the contract for one that does not run. Perhaps the list of contracts says so by now.
            if not self._none_for_contract:
                self.account.async_refresh_soon()
            _LOGGER.debug("%s: none, the contract does not run", self.subject)
            self._none_for_contract = True
            self._note_none()
            self._schedule_next(
                self.data, PriceRequestReason.ACCESS if self._is_hopeless() else None
            )
            return self.data
        self._note_prices()
        came = price_table(series)
        _LOGGER.debug(
            "%s: %s intervals came, until %s, %s of them without a price",
            self.subject,
            len(came.intervals),
            said(came.horizon),
            sum(one.price is None for one in came.intervals),
        )
        merged = self.data.merge(came)
        # That yesterday is forgotten is no news: after midnight a fleet would begin to ask every minute.
        news = merged is not self.data
        table = trimmed(merged, now)
        self._schedule_next(table, news=news)
        if table is not self.data:
            await self._file.async_save(encode_table(self.subscription_id, table))
        return table

    async def _async_ask(self) -> PriceSeries:
        """Ask for today and tomorrow, and where tomorrow is refused, for what is left.

        How Nomos says that tomorrow is not yet published is not documented; an error is one of the ways.
        """
        today = local_date(dt_util.utcnow())
        ask = partial(NomosClient.prices, subscription_id=self.subscription_id)
        try:
            return await self.account.async_ask(
                partial(ask, start=today, end=today + timedelta(days=1))
            )
        except NomosNotFoundError, NomosRequestError:
            if self.data.day(today).complete:
                raise
            return await self.account.async_ask(partial(ask, start=today, end=today))

    def _note_none(self) -> None:
        """Take note that Nomos says it has no prices, be it for the contract or because none are published yet."""
        self._none_since = self._none_since or dt_util.utcnow()

    def _note_prices(self) -> None:
        """Take note that there are prices, or that there need not be."""
        self._none_since, self._none_for_contract = None, False

    def _is_hopeless(self) -> bool:
        """Return whether there have been no prices for so long that asking soon again will not change it."""
        return (
            self._none_since is not None
            and dt_util.utcnow() - self._none_since >= _HOPELESS
        )

    def _schedule_next(
        self,
        table: PriceTable,
        reason: PriceRequestReason | None = None,
        *,
        news: bool = False,
    ) -> None:
        """Set the time of the next request after an answer, with or without news, or after none."""
        now, phase = dt_util.utcnow(), self.account.phase
        reason = reason or self._knowledge(table, now).reason(now, phase)
        planned = self.next_request
        early = planned is not None and planned > now
        if news or not early:
            self._misses = misses_after(self._misses, self._reason, news=news)
        self._reason = reason
        at = next_price_request(
            now,
            reason,
            phase=phase,
            misses=self._misses,
            chance=random.uniform(-1, 1),
        )
        if planned is not None and early and reason is not PriceRequestReason.REST:
            # Whoever asks out of turn and in vain must not put off the look that was planned.
            at = min(at, planned)
        self._plan(at)

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Follow the new table, and make up for a tick that was due while the answer came."""
        if not self._running:
            return
        if self._tick_at is not None and self._tick_at <= dt_util.utcnow():
            self._show_now()
        else:
            self._follow_table()

    @callback
    def _follow_table(self) -> None:
        """Wake at the next boundary, or soon if none is known; midnight is always one, since today changes there."""
        self._note_supply()
        self._stop_tick()
        now = dt_util.utcnow()
        boundary = self.data.next_boundary(now) or now + timedelta(minutes=15)
        self._tick_at = min(boundary, next_midnight(now))
        self._unsub_tick = async_track_point_in_utc_time(
            self.hass, self._tick, self._tick_at
        )

    @callback
    @override
    def async_clock_was_set(self, step: timedelta) -> None:
        """Show what holds at the time that it is now; what is measured from an instant goes along with the clock."""
        if not self._running:
            return
        if self._none_since is not None:
            self._none_since += step
        if self.unknown_since is not None:
            self.unknown_since += step
        super().async_clock_was_set(step)
        self._tick(dt_util.utcnow())

    @callback
    def _show_now(self) -> None:
        """Have entities read the table at the time that it is now, and triggers act on a boundary that is past."""
        passed, now = self._tick_at, dt_util.utcnow()
        self._follow_table()
        self.async_update_listeners()
        lowest = self.data.day(local_date(now)).lowest
        if passed and lowest and passed <= lowest.start <= now < lowest.end:
            async_dispatcher_send(self.hass, SIGNAL_LOWEST, self.subscription_id)

    @callback
    def _tick(self, _now: datetime) -> None:
        self.hass.async_create_task(async_write_owed(self.hass), f"{DOMAIN} files")
        self._show_now()
        # Whoever gave up linking again half-way is asked again.
        self.account.link.async_remind()
        self.async_refresh_if_overdue()
        self.account.async_refresh_if_overdue()

    @callback
    def _note_supply(self) -> None:
        """Take note of a gap in the prices and of its end, and report what the customer can do about it."""
        now, supplied = dt_util.utcnow(), self._supplied()
        asked = self.last_answer is not None or self.last_error is not None
        if not supplied or self._known_now():
            if self.unknown_since is not None and supplied:
                _LOGGER.info("Prices are back")
            self.unknown_since = None
        elif self.unknown_since is None and asked:
            self.unknown_since = now
            _LOGGER.warning(
                "There is no price for the current interval; Nomos is asked again by itself"
            )
        self._update_issues(now, supplied=supplied)

    def _update_issues(self, now: datetime, *, supplied: bool) -> None:
        denied = supplied and isinstance(self.last_error, NomosPermissionError)
        late = self.unknown_since is not None and now - self.unknown_since >= _LATE
        # Nothing that is done about the connection helps then.
        not_the_connection = (
            denied or self._none_for_contract or not self.account.link.is_open
        )
        name = self.subscription.number or self.config_entry.title
        for issue, present in (
            (Issue.ACCESS_DENIED, denied),
            (Issue.PRICES_LATE, late and not not_the_connection),
        ):
            async_report(self.hass, issue, self.subscription_id, name, present=present)

    @callback
    def _stop_tick(self) -> None:
        if self._unsub_tick is not None:
            self._unsub_tick()
            self._unsub_tick = None
