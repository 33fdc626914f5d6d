"""How one account asks Nomos: with a token that is renewed and tried again, and with the waits that Nomos asks for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import logging
from typing import Final, NoReturn

from aiohttp import DummyCookieJar

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, OAuth2TokenRequestError
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..api import (
    NomosAuthenticationError,
    NomosClient,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRateLimitError,
    NomosRequestError,
    NomosResponseError,
    parse_error,
)
from ..const import DOMAIN
from ..errors import CredentialsMissingError
from ..schedule import LONGEST_PAUSE, after_pause, pause_until
from ..scheduled_coordinator import said
from .link import Link, LinkState, Probe, is_clear
from .pacing import Pace
from .tokens import AccountTokens

_LOGGER = logging.getLogger(__name__)

_ACCEPTED: Final = (
    NomosPermissionError,
    NomosNotFoundError,
    NomosRequestError,
    NomosResponseError,
)
"""Errors that Nomos returns only to those whose access token it accepts."""


@dataclass(slots=True)
class _Memory:
    """State that must survive setup retries.

    It is not on the disk: a hub that restarts meanwhile asks once, and gets the same answer. That is cheaper than a
    file for something so rare.
    """

    link: Link
    pace: Pace = field(default_factory=Pace)
    paused_until: datetime | None = None


_DATA_MEMORY: Final[HassKey[dict[str, _Memory]]] = HassKey(f"{DOMAIN}_memory")
"""By config entry."""


class Connection:
    """Sends the requests of one account."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, phase: float) -> None:
        """Take the installation's place in the spread of requests."""
        self._phase = phase
        self._memory = hass.data.setdefault(_DATA_MEMORY, {}).setdefault(
            entry.entry_id, _Memory(Link(hass, entry))
        )
        if self._memory.link.is_outdated:
            self._memory.link = Link(hass, entry)
        self.link = self._memory.link
        self._tokens = AccountTokens(hass, entry, self._memory.pace)
        # No cookie of one account may travel with another. Home Assistant ends the session with the entry.
        own_session = async_create_clientsession(hass, cookie_jar=DummyCookieJar())
        self._client = NomosClient(own_session, self)

    async def async_ask[T](
        self,
        request: Callable[[NomosClient], Awaitable[T]],
        *,
        optional: bool = False,
    ) -> T:
        """Send a request; if Nomos rejects the access token, once more with a fresh one.

        Args:
            request: what to ask.
            optional: whether customers may ask this is not documented, so that a rejection says nothing of the link.

        Raises:
            NomosError: the request failed, or Nomos asked for a wait before.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: Nomos refuses the grant; the customer has to link the account again.

        """
        self.link.check()
        return await self._async_send(request, optional=optional)

    async def async_try_again(self) -> None:
        """Try whether access is granted again, if it is time; raises as ``async_ask`` does."""
        self.link.begin_try()
        await self._async_send(self.link.probe, optional=False)

    async def _async_send[T](
        self, request: Callable[[NomosClient], Awaitable[T]], *, optional: bool
    ) -> T:
        """Send a request in any state of the link, and take note of what the answer says of it."""
        self.check_rate_limit()
        await self.async_check_credentials()
        known = self.link.try_at
        try:
            answer = await self._async_request(request)
        except ConfigEntryAuthFailed as err:
            self._refuse(err, known, clear=is_clear(err))
        except NomosAuthenticationError as err:
            if not optional and self.link.async_reject():
                self._refuse(err, known, probe=request)
            raise
        except (NomosError, OAuth2TokenRequestError) as err:
            if isinstance(err, _ACCEPTED) and not optional:
                self.link.async_accept()
            self._note_rate_limit(err)
            raise
        if not optional:
            self.link.async_accept()
        return answer

    async def _async_request[T](
        self, request: Callable[[NomosClient], Awaitable[T]]
    ) -> T:
        before = self._tokens.current
        token = await self._tokens.async_get_access_token()
        try:
            return await request(self._client)
        except NomosAuthenticationError:
            if token != before:
                # It was fresh: another one would fare no better.
                raise
            await self._tokens.async_replace(token)
            return await request(self._client)

    async def async_get_access_token(self) -> str:
        """Return a valid access token when a request may go out: the client asks before each.

        Raises:
            NomosRateLimitError: Nomos asked for a wait meanwhile.
            OAuth2TokenRequestBaseError: no token could be had.

        """
        await self._tokens.async_get_access_token()
        await self._memory.pace.async_turn()
        self.check_rate_limit()
        return self._tokens.current

    async def async_check_credentials(self) -> None:
        """Check that there is what it takes to renew access.

        Raises:
            CredentialsMissingError: the client id and secret are missing.
            ConfigEntryAuthFailed: there is no refresh token.

        """
        try:
            await self._tokens.async_client()
        except CredentialsMissingError:
            self.link.async_lack_credentials()
            raise
        except ConfigEntryAuthFailed as err:
            self._refuse(err, self.link.try_at)
        if self.link.state is LinkState.NO_CREDENTIALS:
            self.link.async_accept()

    def _refuse(
        self,
        err: Exception,
        known: datetime | None,
        *,
        clear: bool = True,
        probe: Probe | None = None,
    ) -> NoReturn:
        """Take note that access was refused; it is tried again later.

        Args:
            err: how it was refused.
            known: when access was to be tried again as the request was sent: of several at once the first one counts.
            clear: whether the answer can mean nothing else.
            probe: the request that was refused; None if it was a renewal of access.

        Raises:
            ConfigEntryAuthFailed: the customer is asked to link the account again.
            OAuth2TokenRequestConnectionError: the answer may be a mistake.

        """
        if self.link.try_at == known:
            self.link.async_refuse(clear=clear, probe=probe)
        raise self.link.error from err

    def after_rate_limit(self, at: datetime) -> datetime:
        """Return the time of a planned request, put off until the wait that Nomos asked for is over."""
        if (until := self._paused_until) is None:
            return at
        return after_pause(dt_util.utcnow(), at, until, self._phase)

    @property
    def _paused_until(self) -> datetime | None:
        """Return until when Nomos asked for a wait, None if it did not or the wait is over."""
        until = self._memory.paused_until
        if until is None:
            return None
        # A longer wait than was ever kept means that the clock was set back.
        left = until - dt_util.utcnow()
        return until if timedelta() < left <= LONGEST_PAUSE else None

    @callback
    def async_clock_was_set(self, step: timedelta) -> None:
        """Keep waits as long as they are, by a clock that has moved."""
        if self._memory.paused_until is not None:
            self._memory.paused_until += step
        self.link.async_clock_was_set(step)

    def check_rate_limit(self) -> None:
        """Raise what Nomos said before, as long as the wait that it asked for lasts.

        Raises:
            NomosRateLimitError: nothing may be asked now.

        """
        if (until := self._paused_until) is not None:
            raise NomosRateLimitError(
                "Waiting as Nomos asked",
                status=429,
                retry_after=until - dt_util.utcnow(),
            )

    def _note_rate_limit(self, err: NomosError | OAuth2TokenRequestError) -> None:
        """Remember a wait that an error asks for."""
        if isinstance(err, OAuth2TokenRequestError):
            err = parse_error(err.status, err.headers or {}, b"")
        wait = getattr(err, "retry_after", None)
        if wait is None or self._paused_until is not None:
            return
        until = pause_until(dt_util.utcnow(), wait)
        _LOGGER.debug("Nomos wants to be asked nothing until %s", said(until))
        self._memory.paused_until = until


@callback
def async_forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget the state of an account that is removed."""
    hass.data.get(_DATA_MEMORY, {}).pop(entry.entry_id, None)
