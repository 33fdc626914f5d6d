"""The forecasts of an account: read when due, cached, and combined into one outlook."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
import logging
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..account.ranking import default_contract, feed_in_contract
from ..api import Subscription
from ..const import DOMAIN
from ..energy_dashboard import Dashboard, async_dashboard
from ..prices.coordinator import PriceCoordinator
from ..pricing import EMPTY_TABLE, PriceTable, day_bounds, local_date
from ..statistics import StatisticsError, statistics_are_kept
from .accuracy import SolarAccuracy, decode_record, record_file
from .history import async_energy_by_hour, sum_by_hour
from .house import House, async_read_house
from .options import ForecastOptions
from .outlook import Outlook, Problem
from .payout import payouts
from .sun import SunForecast, async_read_sun, whole_days
from .typical import DAY, HOUR, hourly_forecast

_LOGGER = logging.getLogger(__name__)

_DAYS: Final = 5
"""The number of days, including today, for which the need is given: at least 96 hours."""

_SUN_MAX_AGE: Final = timedelta(minutes=15)
_READ_INTERVAL: Final = timedelta(minutes=30)
"""How old solar forecasts may be when an outlook is requested, and how often they are read anyway."""

_AFTER_MIDNIGHT: Final = timedelta(minutes=15)
"""When the statistics of the previous day are complete."""


def signal_changed(entry_id: str) -> str:
    """Return the dispatcher signal for changes to the forecast of house or sun."""
    return f"{DOMAIN}_forecast_changed_{entry_id}"


class Forecasts:
    """Reads forecasts, and provides the outlook of one account."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        prices: Mapping[str, PriceCoordinator],
        *,
        usage_statistics: Callable[[], Collection[str]],
        load_statistics: Callable[[], Collection[str]],
    ) -> None:
        """Set up; nothing is read yet.

        ``usage_statistics`` returns the statistics of what Nomos metered, ``load_statistics`` those of loads with a
        meter, which are not part of the need.
        """
        self.signal = signal_changed(entry.entry_id)
        """The dispatcher signal for changes to the forecast of house or sun."""
        self._hass, self._entry, self._prices = hass, entry, prices
        self._usage_statistics = usage_statistics
        self._load_statistics = load_statistics
        self._lock = asyncio.Lock()
        self._house: House | None = None
        self._house_of: tuple[object, ...] = ()
        self._house_again: datetime | None = None
        self._sun = SunForecast()
        self._sun_of: tuple[str, ...] = ()
        self._sun_read: datetime | None = None
        self._file = record_file(hass, entry)
        self._record: SolarAccuracy | None = None
        self.latest: Outlook | None = None
        """The last outlook that was requested."""
        self._last: Outlook | None = None

    @property
    def options(self) -> ForecastOptions:
        """Return the customer's options."""
        return ForecastOptions.of(self._entry.options)

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Read periodically, and when a solar forecast is loaded, so that the signal tells of changes.

        Return a function that stops it.
        """

        @callback
        def due(now: datetime) -> None:
            self._entry.async_create_background_task(
                self._hass, self.async_outlook(now), f"{DOMAIN} forecasts"
            )

        stop_timer = async_track_time_interval(self._hass, due, _READ_INTERVAL)
        stop_following = async_dispatcher_connect(
            self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._entry_changed
        )

        @callback
        def stop() -> None:
            stop_timer()
            stop_following()

        return stop

    @callback
    def _entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Read the sun again when a solar forecast is loaded: after a start, it may be later than we are."""
        if entry.entry_id in self._sun_of and entry.state is ConfigEntryState.LOADED:
            self._entry.async_create_background_task(
                self._hass, self._async_read_sun_again(), f"{DOMAIN} solar forecasts"
            )

    async def _async_read_sun_again(self) -> None:
        async with self._lock:
            self._sun_read = None
        await self.async_outlook(dt_util.utcnow())

    async def async_outlook(self, now: datetime) -> Outlook:
        """Return the outlook as of an aware instant. It never fails: what cannot be read is left out."""
        async with self._lock:
            options = self.options
            dashboard = await async_dashboard(self._hass)
            house = await self._async_house(dashboard, options, now)
            await self._async_sun(dashboard, options, now)
        problems = {*house.problems, *self._sun.problems}
        outlook = Outlook(
            house=hourly_forecast(house.energy, local_date(now), _DAYS),
            # Corrected by past accuracy.
            sun=self._sun.energy.times((self._record or SolarAccuracy()).factor),
            payouts=self._payouts(options, now),
            house_source=house.source,
            problems=tuple(one for one in Problem if one in problems),
        )
        self.latest = outlook
        self._report(outlook)
        return outlook

    def report(self) -> dict[str, Any]:
        """Return the sources of the forecasts for diagnostics, without names and amounts."""
        house, record, sun = self._house, self._record or SolarAccuracy(), self._sun
        problems = {*(house.problems if house else ()), *sun.problems}
        return {
            "house_source": house and house.source,
            "house_days": house and house.typical and house.typical.days,
            "solar_forecasts": len(self._sun_of),
            "sun_read_at": self._sun_read and self._sun_read.isoformat(),
            "sun_reaches": sun.energy.starts[-1].isoformat()
            if sun.energy.starts
            else None,
            "sun_factor": round(record.factor, 3),
            "sun_factor_days": record.days,
            "problems": [one for one in Problem if one in problems],
        }

    async def _async_house(
        self, dashboard: Dashboard, options: ForecastOptions, now: datetime
    ) -> House:
        """Return what the need is known from: read once a day, or when its sources change."""
        usage, loads = set(self._usage_statistics()), set(self._load_statistics())
        of = (
            local_date(now - _AFTER_MIDNIGHT),
            dashboard.gains,
            dashboard.losses,
            usage,
            loads,
            options.kwh_a_year,
        )
        again = self._house_again is not None and now >= self._house_again
        if self._house is None or of != self._house_of or again:
            self._house = await async_read_house(
                self._hass,
                dashboard,
                usage=usage,
                loads=loads,
                kwh_a_year=options.kwh_a_year,
                now=now,
            )
            self._house_of = of
            failed = Problem.STATISTICS_UNREADABLE in self._house.problems
            self._house_again = now + _READ_INTERVAL if failed else None
            _LOGGER.debug("The need of the house is known from: %s", self._house.source)
        return self._house

    async def _async_sun(
        self, dashboard: Dashboard, options: ForecastOptions, now: datetime
    ) -> None:
        """Read the solar forecasts if they are due, and learn from past days."""
        chosen = options.solar_forecasts
        entries = dashboard.chosen if chosen is None else chosen
        read = self._sun_read
        if (
            entries == self._sun_of
            and read is not None
            and read <= now < read + _SUN_MAX_AGE
        ):
            return
        # If this is cancelled, the next request reads again.
        self._sun_of, self._sun_read = entries, None
        self._sun = await async_read_sun(self._hass, entries, now)
        if entries:
            record = self._record or await self._file.async_load(decode_record)
            await self._async_learn(record or SolarAccuracy(), dashboard, now)
        self._sun_read = now

    async def _async_learn(
        self, record: SolarAccuracy, dashboard: Dashboard, now: datetime
    ) -> None:
        """Compare forecasts of past days with what the roof made, and store the forecasts of days to come."""
        kept, entries = record, tuple(sorted(self._sun_of))
        if record.entries != entries:
            record = SolarAccuracy(entries=entries)
        ended = local_date(now - _AFTER_MIDNIGHT)
        if due := record.due(ended):
            record = record.with_actual(ended, await self._async_made(dashboard, due))
        record = record.with_forecast(local_date(now), self._sun.by_day())
        self._record = record
        if record.awaited.keys() != kept.awaited.keys():
            await self._file.async_save(record)
        elif record != kept:
            self._file.async_save_later(record)

    async def _async_made(
        self, dashboard: Dashboard, days: Sequence[date]
    ) -> dict[date, float]:
        """Return what the roof made on past days, if meters cover all of it."""
        meters = dashboard.solar_of(frozenset(self._sun_of))
        if not meters or not statistics_are_kept(self._hass):
            return {}
        start, end = day_bounds(days[0])[0] - DAY, day_bounds(days[-1])[1] + HOUR
        try:
            found = await async_energy_by_hour(
                self._hass, meters, start, end, intermittent=meters
            )
        except StatisticsError:
            return {}
        if len(found) < len(meters):
            return {}
        return whole_days(sum_by_hour(found.values()), days)

    def _payouts(self, options: ForecastOptions, now: datetime) -> PriceTable:
        return payouts(
            now,
            fixed=options.payout,
            feed_in=self._table(feed_in_contract),
            prices=self._table(default_contract) or EMPTY_TABLE,
            none_if_negative=options.no_payout_if_negative,
        )

    def _report(self, outlook: Outlook) -> None:
        """Send the signal if house, sun or the feed-in contract's prices have changed."""
        # Not the payouts: a fixed one starts at ``now``, and so never compares equal.
        feed_in = self._table(feed_in_contract) or EMPTY_TABLE
        before, self._last = self._last, replace(outlook, payouts=feed_in)
        if before is not None and before != self._last:
            async_dispatcher_send(self._hass, self.signal)

    def _table(
        self, choose: Callable[[Iterable[Subscription]], Subscription | None]
    ) -> PriceTable | None:
        """Return the prices of the contract that ``choose`` returns; None without one."""
        chosen = choose(one.contract for one in self._prices.values())
        return self._prices[chosen.id].data if chosen else None
