"""When to ask Nomos for prices, what to keep of the answers, and when what is known changes its meaning."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
import logging
import random
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import OAuth2TokenRequestBaseError
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .account import NomosAccount, raise_update_failed
from .api import (
    NomosClient,
    NomosError,
    NomosNotFoundError,
    NomosRateLimitError,
    NomosRequestError,
    PriceItem,
    PriceSeries,
    Subscription,
    SubscriptionStatus,
)
from .const import DOMAIN
from .pricing import (
    EMPTY_TABLE,
    Components,
    Interval,
    PriceTable,
    day_bounds,
    local_date,
    next_midnight,
)
from .schedule import Goal, Knowledge, next_price_request

_LOGGER = logging.getLogger(__name__)

_KEPT: Final = timedelta(days=1)
"""How long past intervals stay in the table: charts and automations look back over midnight."""


class PriceCoordinator(DataUpdateCoordinator[PriceTable]):
    """One subscription's price table.

    Two clocks: the data clock asks Nomos, rarely; the display clock tells the entities at every boundary of the
    table that another interval is current. An answer never takes away a price that is known.
    """

    config_entry: ConfigEntry

    def __init__(
        self, hass: HomeAssistant, account: NomosAccount, subscription: Subscription
    ) -> None:
        """Begin with an empty table."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=account.config_entry,
            name=f"{DOMAIN} prices",
            always_update=False,
        )
        self.account = account
        self.subscription = subscription
        self.data = EMPTY_TABLE
        self.last_answer: datetime | None = None
        self.next_request: datetime | None = None
        self._goal = Goal.REST
        self._misses = 0
        self._unsub_tick: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> None:
        """Run both clocks until the shutdown, also where every entity is disabled."""
        self.async_add_listener(lambda: None)
        self._schedule_tick()

    @override
    async def async_shutdown(self) -> None:
        """Stop both clocks."""
        self._stop_tick()
        await super().async_shutdown()

    @callback
    def async_subscription_changed(self, subscription: Subscription) -> bool:
        """Take the news of the contract; return whether prices should be asked for at once."""
        if subscription == self.subscription:
            return False
        began = self._inactive and subscription.status is SubscriptionStatus.ACTIVE
        self.subscription = subscription
        self.async_update_listeners()
        return began

    @property
    def _inactive(self) -> bool:
        """Return whether Nomos has no prices for the contract: it has not begun, or it has ended."""
        return self.subscription.status in {
            SubscriptionStatus.PENDING,
            SubscriptionStatus.ENDED,
        }

    @override
    async def _async_update_data(self) -> PriceTable:
        """Ask for today and tomorrow and lay the answer over what is known.

        Raises:
            UpdateFailed: nothing came, and the current price is not known either.
            ConfigEntryAuthFailed: the account has to be linked again.

        """
        if self._inactive:
            # The daily look at the subscriptions tells when this changes.
            self.update_interval = self.next_request = None
            return self.data
        try:
            series = await self._async_ask()
        except (NomosError, OAuth2TokenRequestBaseError) as err:
            wait = err.retry_after if isinstance(err, NomosRateLimitError) else None
            self._plan_next(self.data, wait)
            if self.data.at(dt_util.utcnow()) is None:
                raise_update_failed(err)
            _LOGGER.debug(
                "Prices could not be read, those known go on: %s", type(err).__name__
            )
            return self.data
        now = dt_util.utcnow()
        self.last_answer = now
        table = self.data.merge(price_table(series)).since(now - _KEPT)
        self._plan_next(table)
        return table

    async def _async_ask(self) -> PriceSeries:
        """Ask for today and tomorrow, and where tomorrow is refused, for what is left.

        How Nomos says that tomorrow is not yet published is not documented; an error is one of the ways.
        """
        today = local_date(dt_util.utcnow())
        ask = partial(NomosClient.prices, subscription_id=self.subscription.id)
        try:
            return await self.account.async_ask(
                partial(ask, start=today, end=today + timedelta(days=1))
            )
        except NomosNotFoundError, NomosRequestError:
            if self.data.day(today).complete:
                raise
            return await self.account.async_ask(partial(ask, start=today, end=today))

    def _plan_next(self, table: PriceTable, wait: timedelta | None = None) -> None:
        """Set the time of the next request, not before a wait that Nomos asked for."""
        now, phase = dt_util.utcnow(), self.account.phase
        goal = _knowledge(table, now).goal(now, phase)
        self._misses = self._misses + 1 if goal is self._goal else 1
        self._goal = goal
        at = next_price_request(
            now, goal, phase=phase, misses=self._misses, chance=random.uniform(-1, 1)
        )
        self.next_request = max(at, now + (wait or timedelta()))
        self.update_interval = max(self.next_request - now, timedelta(seconds=1))

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Follow the boundaries of the new table."""
        if self._unsub_tick is not None:
            self._schedule_tick()

    @callback
    def _schedule_tick(self) -> None:
        """Wake at the next boundary; midnight is always one, since today and tomorrow change there."""
        self._stop_tick()
        now = dt_util.utcnow()
        midnight = next_midnight(now)
        boundary = self.data.next_boundary(now) or midnight
        self._unsub_tick = async_track_point_in_utc_time(
            self.hass, self._tick, min(boundary, midnight)
        )

    @callback
    def _tick(self, _now: datetime) -> None:
        self._schedule_tick()
        self.async_update_listeners()

    @callback
    def _stop_tick(self) -> None:
        if self._unsub_tick is not None:
            self._unsub_tick()
            self._unsub_tick = None


def price_table(series: PriceSeries) -> PriceTable:
    """Return what the wire said as the program means it: intervals in EUR/kWh."""
    return PriceTable.of(_intervals(series))


def _intervals(series: PriceSeries) -> Iterator[Interval]:
    for item in series.items or ():
        yield Interval(
            item.start,
            item.start + series.resolution,
            _euro(item.amount),
            _components(item),
        )


def _components(item: PriceItem) -> Components:
    return Components(_euro(item.electricity), _euro(item.grid), _euro(item.levies))


def _euro(cents: float | None) -> float | None:
    """Return ct/kWh as EUR/kWh, without the binary dust of the division."""
    return None if cents is None else round(cents / 100, 8)


def _knowledge(table: PriceTable, now: datetime) -> Knowledge:
    today = local_date(now)
    return Knowledge(
        now_known=(current := table.at(now)) is not None and current.price is not None,
        today_complete=table.day(today).complete,
        tomorrow_complete=table.day(local_date(day_bounds(today)[1])).complete,
    )
