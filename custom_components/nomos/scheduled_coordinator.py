"""A coordinator that asks at times which it plans itself."""

from abc import abstractmethod
import asyncio
from datetime import date, datetime, timedelta
import logging
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .pricing import local_date

_FAILED_AGAIN: Final = timedelta(minutes=1)
_LACKING_AGAIN: Final = timedelta(minutes=30)
"""After how long others may have Nomos asked again: by hand if it failed, and by whatever means for what is lacking.

Nobody knows how often an automation or a script calls, and a normal day is to have no more than eight requests."""

_OVERDUE: Final = timedelta(minutes=2)
"""By how much a request must be late before it is taken for forgotten, or the clock must move for a new plan."""

_STALE_AFTER: Final = timedelta(days=3)
"""How many days may pass without an answer before what is known is no longer shown."""


class ScheduledCoordinator[T](DataUpdateCoordinator[T]):
    """Asks when it has planned to, and makes up for it where the timer missed that."""

    config_entry: ConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, logger: logging.Logger, name: str
    ) -> None:
        """Begin with no request planned."""
        # Home Assistant calls it a success in the log if anything is known after a request. We say what came of it.
        fetching = logger.getChild("fetching")
        fetching.addFilter(_is_worth_telling)
        super().__init__(
            hass, fetching, config_entry=entry, name=name, always_update=False
        )
        self._log = logger
        self.last_answer: datetime | None = None
        self.last_error: Exception | None = None
        self.next_request: datetime | None = None
        """When to ask next; None where there is nothing to ask."""
        self._misses = 0
        self._asking = False
        self._asked_at: datetime | None = None
        self._by_hand_on: date | None = None
        self._was_stale = False

    @property
    def answered_on(self) -> date | None:
        """Return the tariff day of the last answer; None where none is known of."""
        return local_date(self.last_answer) if self.last_answer else None

    @property
    def stale(self) -> bool:
        """Return whether three whole days passed without an answer. Until the first look ends there is hope for one."""
        return (
            self._asked_at is not None
            and self.answered_on is not None
            and local_date(dt_util.utcnow()) - self.answered_on > _STALE_AFTER
        )

    @abstractmethod
    async def _async_fetch(self) -> T:
        """Ask, plan when to ask next, and return what is known then."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """Return what is asked about, in the words of the log: nothing of the customer."""

    @property
    @abstractmethod
    def _purpose(self) -> str:
        """Return why it is asked next, or why it is not, in the words of the log."""

    @abstractmethod
    def _first_request(self) -> datetime | None:
        """Return when to ask after a start or a step of the clock; None if there is nothing to ask."""

    @override
    async def _async_update_data(self) -> T:
        """Look once.

        Raises:
            UpdateFailed: nothing is known, or Nomos refuses access: nobody but the account asks until it does not.

        """
        self._was_stale = self.stale
        self._asking = True
        try:
            return await self._async_fetch()
        except ConfigEntryAuthFailed as err:
            self.last_error = err
            self._schedule_at(self._next_try)
            # The customer is asked to link again by whoever found out.
            raise UpdateFailed(
                translation_domain=DOMAIN, translation_key="authentication_failed"
            ) from err
        finally:
            # Whoever waits for the answer may give up: what was planned is overdue then.
            self._asking, self._asked_at = False, dt_util.utcnow()

    @property
    def _lacks_something(self) -> bool:
        """Return whether something is not known that Nomos may say by now, sooner than it is planned to ask."""
        return False

    @override
    async def async_request_refresh(self) -> None:
        """Ask for somebody who has an entity updated, if there may be news: a request is due, or something is lacking."""
        due = self.next_request is not None and self.next_request <= dt_util.utcnow()
        if due or (
            self._lacks_something and not _within(_LACKING_AGAIN, self._asked_at)
        ):
            await self._async_share()

    async def async_ask_by_hand(self) -> None:
        """Ask for somebody who wants it now: once a day whatever is known, and again if there may be news."""
        before, today = self._by_hand_on, local_date(dt_util.utcnow())
        recent = (
            before == today
            if self.last_error is None
            else _within(_FAILED_AGAIN, self._asked_at)
        )
        if recent:
            await self.async_request_refresh()
            return
        self._by_hand_on = today
        await self._async_share()
        if self.last_error is not None:
            self._by_hand_on = before

    async def _async_share(self) -> None:
        """Wait for the answer that is under way, or else ask; a caller that is cancelled takes it from nobody."""
        if self._asking:
            async with self._debounced_refresh.async_lock():
                return
        await asyncio.wait([self.async_refresh_soon()])

    @property
    def _next_try(self) -> datetime | None:
        """Return when to try again whether Nomos grants access; None if that is not for this one to do."""
        return None

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Have entities read again that become available or unavailable."""
        if self.stale != self._was_stale:
            self.async_update_listeners()

    def _schedule_at(self, at: datetime | None) -> None:
        """Ask at an aware instant, or not at all."""
        self.next_request = at
        self.update_interval = None if at is None else _timer_until(at)

    @callback
    @override
    def _schedule_refresh(self) -> None:
        """Set the timer; not where a load or an answer comes to its end after the shutdown."""
        if self._shutdown_requested:
            return
        super()._schedule_refresh()
        refused = isinstance(self.last_error, ConfigEntryAuthFailed)
        why = "access is refused" if refused else self._purpose
        self._log.debug(
            "%s: next request %s: %s", self.subject, said(self.next_request), why
        )

    @callback
    def async_clock_was_set(self, step: timedelta) -> None:
        """Plan again as after a start: what was planned may be far away by the time that it is now."""
        if abs(step) < _OVERDUE:
            return
        self._misses = 0
        if self._asking or (at := self._first_request()) is None:
            return
        self._schedule_at(min(at, self.next_request or at))
        self._schedule_refresh()

    @callback
    def async_refresh_if_overdue(self) -> None:
        """Ask now where a request is overdue.

        The clock was set, or the hub slept: the timer of the request still counts the old time.
        """
        if (
            not self._asking
            and self.next_request is not None
            and self.next_request < dt_util.utcnow() - _OVERDUE
            and not self.config_entry.pref_disable_polling
        ):
            self.async_refresh_soon()

    @callback
    def async_resume(self) -> None:
        """Ask now if the last request failed: Nomos grants access again."""
        if self.last_error is not None:
            self.async_refresh_soon()

    @callback
    def async_refresh_soon(self) -> asyncio.Task[None]:
        """Ask without keeping anybody waiting."""
        return self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{DOMAIN} {self.name}"
        )


def said(instant: datetime | None) -> str:
    """Return an instant in the words of the log, by the clock of the hub."""
    if instant is None:
        return "-"
    return dt_util.as_local(instant).isoformat(" ", "seconds")


def _is_worth_telling(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def _within(time: timedelta, of: datetime | None) -> bool:
    """Return whether something was less than a time ago; not if the clock was set back since."""
    return of is not None and timedelta() <= dt_util.utcnow() - of < time


def _timer_until(at: datetime) -> timedelta:
    """Return the interval after which a coordinator updates itself at an instant or within the two seconds after it.

    Home Assistant counts from the last full second. Without the second that is added here it would come too early,
    find that the time for the next look has not come, and look again at once.
    """
    return max(at - dt_util.utcnow(), timedelta()) + timedelta(seconds=1)
