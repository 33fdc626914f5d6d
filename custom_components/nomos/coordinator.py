"""When to ask Nomos for prices, what to keep of the answers, and when what is known changes its meaning."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
import logging
import random
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import OAuth2TokenRequestBaseError
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .account import NomosAccount, raise_update_failed
from .api import (
    NomosClient,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRequestError,
    PriceSeries,
    Subscription,
    SubscriptionStatus,
)
from .const import DOMAIN
from .price_tables import decode_table, encode_table, price_file, price_table
from .pricing import (
    EMPTY_TABLE,
    DayLevels,
    DayPrices,
    LevelThresholds,
    PriceTable,
    Standing,
    day_bounds,
    local_date,
    next_midnight,
)
from .repairs import Trouble, async_report, async_withdraw_all
from .schedule import (
    Goal,
    Knowledge,
    misses_after,
    next_price_request,
    next_price_request_after_start,
)
from .subscription_coordinator import SubscriptionCoordinator

_LOGGER = logging.getLogger(__name__)

SHARES: Final = (
    "cheap_share",
    "very_cheap_share",
    "expensive_share",
    "very_expensive_share",
)
DISTANCES: Final = ("distance", "very_distance")

_LATE: Final = timedelta(hours=1)
"""How long the current price may be missing before the customer is told."""

_OVERDUE: Final = timedelta(minutes=2)
"""By how much a request must be late before the display clock takes it for forgotten."""


class PriceCoordinator(SubscriptionCoordinator[PriceTable]):
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
        self._levels: dict[date, tuple[DayPrices, DayLevels]] = {}
        self._file = price_file(hass, subscription.id)
        self._goal = Goal.REST
        self._running = False
        self._asking = False
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
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        self._must_answer = must_answer
        await self.async_load()
        if not self._known_now() and not self.subscription.inactive:
            await self.async_config_entry_first_refresh()
        self._must_answer = False

    async def async_load(self) -> None:
        """Take the stored prices, and plan to ask for what they lack."""
        stored = await self._file.async_load(
            partial(decode_table, self.subscription_id)
        )
        now = dt_util.utcnow()
        if stored is not None:
            self.data = stored.since(_kept_from(now))
        if self.subscription.inactive:
            return
        goal = _knowledge(self.data, now).goal(now, self.account.phase)
        self._plan(
            next_price_request_after_start(
                now, goal, phase=self.account.phase, chance=random.uniform(-1, 1)
            )
        )

    @callback
    def async_start(self) -> None:
        """Run both clocks until the shutdown, also where every entity is disabled."""
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
        began = (
            self.subscription.inactive
            and subscription.status is SubscriptionStatus.ACTIVE
        )
        self.subscription = subscription
        self.async_update_listeners()
        return began

    def day_levels(self, day: date) -> DayLevels:
        """Return how the known prices of a tariff day stand, worked out once per change of the day."""
        prices = self.data.day(day)
        known = self._levels.get(day)
        if known is None or known[0] is not prices:
            # Another table may say the same of the day; comparing once is enough to know.
            if known is not None and known[0] == prices:
                levels = known[1]
            else:
                levels = DayLevels.of(prices, self.thresholds)
            known = prices, levels
            # Whoever asks for yesterday asks for tomorrow next: neither may push the other out.
            self._levels = {
                key: value
                for key, value in self._levels.items()
                if abs(key - day) <= timedelta(days=2)
            }
            self._levels[day] = known
        return known[1]

    def standing(self, now: datetime) -> Standing | None:
        """Return how the price at an aware instant stands within its day; None where it is not known."""
        return self.day_levels(local_date(now)).at(now)

    def _known_now(self) -> bool:
        return _knows(self.data, dt_util.utcnow())

    @override
    async def _async_update_data(self) -> PriceTable:
        """Ask for today and tomorrow and lay the answer over what is known.

        Raises:
            UpdateFailed: nothing came at the start of an account that is new.
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        if self.subscription.inactive:
            # The daily look at the subscriptions tells when this changes.
            self.update_interval = self.next_request = None
            return self.data
        self._asking = True
        try:
            series = await self._async_ask()
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            self.last_error = err
            # Not found may mean not yet published.
            denied = isinstance(err, NomosPermissionError)
            self._plan_next(self.data, Goal.ACCESS if denied else None)
            if self._must_answer:
                raise_update_failed(err)
            _LOGGER.debug(
                "Prices could not be read, those known go on: %s", type(err).__name__
            )
            return self.data
        finally:
            self._asking = False
        now = dt_util.utcnow()
        self.last_answer, self.last_error = now, None
        merged = self.data.merge(price_table(series))
        # That yesterday is forgotten is no news: after midnight a fleet would begin to ask every minute.
        news = merged is not self.data
        table = merged.since(_kept_from(now))
        self._plan_next(table, news=news)
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

    def _plan_next(
        self, table: PriceTable, goal: Goal | None = None, *, news: bool = False
    ) -> None:
        """Set the time of the next request after an answer, with or without news, or after none."""
        now, phase = dt_util.utcnow(), self.account.phase
        goal = goal or _knowledge(table, now).goal(now, phase)
        self._misses = misses_after(self._misses, self._goal, news=news)
        self._goal = goal
        self._plan(
            next_price_request(
                now,
                goal,
                phase=phase,
                misses=self._misses,
                chance=random.uniform(-1, 1),
            )
        )

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Follow the new table, and make up for a tick that was due while the answer came."""
        if not self._running:
            return
        missed = self._tick_at is not None and self._tick_at <= dt_util.utcnow()
        self._follow_table()
        if missed:
            self.async_update_listeners()

    @callback
    def _follow_table(self) -> None:
        """Wake at the next boundary; midnight is always one, since today and tomorrow change there."""
        self._note_supply()
        self._stop_tick()
        now = dt_util.utcnow()
        midnight = next_midnight(now)
        boundary = self.data.next_boundary(now) or midnight
        self._tick_at = min(boundary, midnight)
        self._unsub_tick = async_track_point_in_utc_time(
            self.hass, self._tick, self._tick_at
        )

    @callback
    def async_clock_was_set(self) -> None:
        """Show what holds at the time that it is now."""
        if self._running:
            self._tick(dt_util.utcnow())

    @callback
    def _tick(self, _now: datetime) -> None:
        self._follow_table()
        self.async_update_listeners()
        if (
            not self._asking
            and self.next_request is not None
            and self.next_request < dt_util.utcnow() - _OVERDUE
            and not self.config_entry.pref_disable_polling
            and not self.account.refused
        ):
            # The clock was set, or the hub slept: the timer of the request still counts the old time.
            self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), f"{DOMAIN} overdue prices"
            )

    @callback
    def _note_supply(self) -> None:
        """Say once that prices have run out, and once that they are back; tell what the customer can mend."""
        now = dt_util.utcnow()
        if self.subscription.inactive or self._known_now():
            if self.unknown_since is not None and not self.subscription.inactive:
                _LOGGER.info("Prices are back")
            self.unknown_since = None
        elif self.unknown_since is None:
            self.unknown_since = now
            _LOGGER.warning(
                "There is no price for the current interval; Nomos is asked again by itself"
            )
        denied = isinstance(self.last_error, NomosPermissionError)
        late = self.unknown_since is not None and now - self.unknown_since >= _LATE
        for trouble, present in (
            (Trouble.ACCESS_DENIED, denied),
            (Trouble.PRICES_LATE, late and not denied),
        ):
            name = self.subscription.number or self.config_entry.title
            async_report(
                self.hass, trouble, self.subscription_id, name, present=present
            )

    @callback
    def _stop_tick(self) -> None:
        if self._unsub_tick is not None:
            self._unsub_tick()
            self._unsub_tick = None


def thresholds_of(entry: ConfigEntry) -> LevelThresholds:
    """Return what the customer calls cheap and expensive; options hold percent and ct/kWh."""
    return make_thresholds(entry.options)


def make_thresholds(options: Mapping[str, Any]) -> LevelThresholds:
    """Make thresholds of options, with the usual ones where an option is missing.

    Raises:
        ValueError: the options contradict each other.

    """
    shares = {name: options[name] for name in SHARES if name in options}
    distances = {name: options[name] / 100 for name in DISTANCES if name in options}
    return LevelThresholds(**shares, **distances)


def _knows(table: PriceTable, now: datetime) -> bool:
    return (current := table.at(now)) is not None and current.price is not None


def _knowledge(table: PriceTable, now: datetime) -> Knowledge:
    today = local_date(now)
    return Knowledge(
        now_known=_knows(table, now),
        today_complete=table.day(today).complete,
        tomorrow_complete=table.day(today + timedelta(days=1)).complete,
    )


def _kept_from(now: datetime) -> datetime:
    """Return the beginning of yesterday: charts and automations look back over midnight.

    Cut by whole days, so that a table changes for its age once a day only.
    """
    return day_bounds(local_date(now) - timedelta(days=1))[0]
