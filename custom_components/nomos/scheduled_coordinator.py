"""A coordinator that schedules its own requests."""

from abc import abstractmethod
import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
import logging
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .errors import REQUEST_ERRORS, RequestError, in_log, raise_update_failed
from .pricing import local_date

_COOLDOWN_FAILED: Final = timedelta(minutes=1)
_COOLDOWN_MISSING: Final = timedelta(minutes=30)
"""How soon a request may be triggered: by the refresh action after a failure, by any caller if data is missing.

Automations may call as often as they like, but a normal day must have no more than eight requests."""

_OVERDUE: Final = timedelta(minutes=2)
"""How late a request must be, or how far the clock must have moved, to schedule it again."""

_STALE_AFTER: Final = timedelta(days=3)
"""After how long without an answer known data is no longer shown."""


class ScheduledCoordinator[T](DataUpdateCoordinator[T]):
    """Schedules each of its requests, and catches up if a timer missed one.

    A subclass implements the abstract methods.
    """

    config_entry: ConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        name: str,
        put_off: Callable[[datetime], datetime],
    ) -> None:
        """Begin with no request scheduled; ``put_off`` postpones a time until after a wait that Nomos asked for."""
        self._log = logging.getLogger(type(self).__module__)
        # Home Assistant logs success after every request once any data is known. We log the actual result.
        fetching = self._log.getChild("fetching")
        fetching.addFilter(_is_above_debug)
        super().__init__(hass, fetching, config_entry=entry, name=f"{DOMAIN} {name}")
        self._put_off = put_off
        self.last_answer: datetime | None = None
        self.last_error: Exception | None = None
        self.next_request: datetime | None = None
        """When to send the next request; None if there is none."""
        self._misses = 0
        self._out_of_reach = False
        self._must_answer = False
        self._asking = False
        self._asked_at: datetime | None = None
        self._by_hand_on: date | None = None

    @property
    def answered_on(self) -> date | None:
        """Return the tariff day of the last answer, if there was one."""
        return local_date(self.last_answer) if self.last_answer else None

    @property
    def stale(self) -> bool:
        """Return whether three whole days passed without an answer; not before the first request since the start."""
        return (
            self._asked_at is not None
            and self.answered_on is not None
            and local_date(dt_util.utcnow()) - self.answered_on > _STALE_AFTER
        )

    @abstractmethod
    async def _async_fetch(self) -> T:
        """Send a request, set ``last_answer`` and ``last_error``, schedule the next one, and return the new data.

        Raises:
            NomosError: the request failed; also all else that ``Connection.async_ask`` raises.

        """

    @abstractmethod
    def _schedule_after(self, err: RequestError) -> None:
        """Count a failed request, and schedule the next one."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """Return what is requested, in the words of the log: nothing about the customer."""

    @property
    @abstractmethod
    def _purpose(self) -> str:
        """Return why the next request is sent, or why there is none, in the words of the log."""

    @abstractmethod
    def _first_request(self) -> datetime | None:
        """Return when to send a request after a start or a step of the clock; None if there is none."""

    @property
    def _known(self) -> str:
        """Return what is known, in the words of the log."""
        return "what is known"

    @property
    def _lacks_something(self) -> bool:
        """Return whether data is missing that Nomos may have by now, ahead of the schedule."""
        return False

    @property
    def _next_try(self) -> datetime | None:
        """Return when to try again while Nomos refuses access; None if another coordinator does."""
        return None

    async def _async_first_answer(self) -> None:
        """Send a request that must succeed; ConfigEntryNotReady if it fails."""
        self._must_answer = True
        try:
            await self.async_config_entry_first_refresh()
        finally:
            self._must_answer = False

    @override
    async def _async_update_data(self) -> T:
        """Send one request. If it fails, known data stays in use.

        Raises:
            UpdateFailed: it must succeed, or access is refused (then only the account sends requests).

        """
        self._asking = True
        try:
            data = await self._async_fetch()
        except ConfigEntryAuthFailed as err:
            self.last_error = err
            self._schedule_at(self._next_try)
            # The connection has already asked the customer to link the account again.
            raise_update_failed(err)
        except REQUEST_ERRORS as err:
            self.last_error = err
            self._schedule_after(err)
            if self._must_answer:
                raise_update_failed(err)
            # Log the first failure visibly, and further ones for debugging only.
            self._log.log(
                logging.DEBUG if self._out_of_reach else logging.INFO,
                "%s: could not be read, %s goes on: %s",
                self.subject,
                self._known,
                in_log(err),
            )
            self._out_of_reach = True
            return self.data
        else:
            if self._out_of_reach:
                self._out_of_reach = False
                self._log.info("%s: can be read again", self.subject)
            return data
        finally:
            # If a waiting caller is cancelled, the schedule is unchanged and the request overdue.
            self._asking, self._asked_at = False, dt_util.utcnow()

    @override
    async def async_request_refresh(self) -> None:
        """Refresh for ``update_entity`` if there may be news: a request is due, or data is missing."""
        due = self.next_request is not None and self.next_request <= dt_util.utcnow()
        if due or (self._lacks_something and not self._asked_within(_COOLDOWN_MISSING)):
            await self._async_share()

    async def async_manual_refresh(self) -> None:
        """Refresh for the action: once a day in any case, and again if there may be news."""
        before, today = self._by_hand_on, local_date(dt_util.utcnow())
        if self.last_error is None:
            recent = before == today
        else:
            recent = self._asked_within(_COOLDOWN_FAILED)
        if recent:
            await self.async_request_refresh()
            return
        self._by_hand_on = today  # Even if the caller gives up waiting.
        await self._async_share()
        if self.last_error is not None:
            self._by_hand_on = before

    def _asked_within(self, time: timedelta) -> bool:
        """Return whether the last request ended less than ``time`` ago; False if the clock was set back since."""
        at = self._asked_at
        return at is not None and timedelta() <= dt_util.utcnow() - at < time

    async def _async_share(self) -> None:
        """Wait for a running request, or else send one; cancelling one caller does not cancel it for others."""
        if self._asking:
            async with self._debounced_refresh.async_lock():
                return
        await asyncio.wait([self.async_refresh_soon()])

    def _schedule_at(self, at: datetime | None) -> None:
        """Schedule the next request at an aware instant, or after a wait that Nomos asked for; or none.

        Home Assistant counts the interval from the last full second. Without an extra second the timer would fire
        too early, and then a second time.
        """
        self.next_request = self.update_interval = None
        if at is not None:
            self.next_request = at = self._put_off(at)
            wait = max(at - dt_util.utcnow(), timedelta())
            self.update_interval = wait + timedelta(seconds=1)

    @callback
    @override
    def _schedule_refresh(self) -> None:
        """Set the timer, unless an answer arrives after the shutdown."""
        if self._shutdown_requested:
            return
        super()._schedule_refresh()
        refused = isinstance(self.last_error, ConfigEntryAuthFailed)
        why = "access is refused" if refused else self._purpose
        self._log.debug(
            "%s: next request %s: %s", self.subject, log_time(self.next_request), why
        )

    @callback
    def async_clock_was_set(self, step: timedelta) -> None:
        """Schedule as after a start: by the new time, the scheduled request may be far away."""
        if abs(step) < _OVERDUE:
            return
        self._misses = 0
        if self._asking or (at := self._first_request()) is None:
            return
        self._schedule_at(min(at, self.next_request or at))
        self._schedule_refresh()

    @callback
    def async_refresh_if_overdue(self) -> None:
        """Send an overdue request now.

        Timers ignore that the clock was set, and stop while the hub sleeps.
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
        """Repeat a failed request: Nomos grants access again."""
        if self.last_error is not None:
            self.async_refresh_soon()

    @callback
    def async_refresh_soon(self) -> asyncio.Task[None]:
        """Send a request in the background."""
        return self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), self.name
        )


def log_time(instant: datetime | None) -> str:
    """Return an instant for the log, in the hub's local time."""
    return dt_util.as_local(instant).isoformat(" ", "seconds") if instant else "-"


def _is_above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG
