"""How one account asks Nomos: with a token that is renewed and tried again, and with the waits that are asked for."""

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
from .link import Link, LinkState, Probe
from .pacing import Pace
from .refusals import is_clear
from .tokens import AccountTokens, TokenJournal

_LOGGER = logging.getLogger(__name__)

_HEARD: Final = (
    NomosPermissionError,
    NomosNotFoundError,
    NomosRequestError,
    NomosResponseError,
)
"""What Nomos answers only to those whose access token it accepts."""


@dataclass(slots=True)
class _Memory:
    """What Nomos said to an account, as it has to be known while setting up is tried again and again.

    Not on the disk: a hub that is restarted meanwhile asks for what it lacks a minute or two later, once, and is told
    again. That is cheaper than a file for something so rare.
    """

    link: Link
    pace: Pace = field(default_factory=Pace)
    paused_until: datetime | None = None


_DATA_MEMORY: Final[HassKey[dict[str, _Memory]]] = HassKey(f"{DOMAIN}_memory")
"""By config entry."""


class Connection:
    """The way of one account to ask Nomos anything."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        journal: TokenJournal,
        phase: float,
        on_shut: Callable[[], None],
    ) -> None:
        """Take the journal of the entry's tokens and the installation's place in the spread of requests.

        Args:
            hass: Home Assistant.
            entry: the account's config entry.
            journal: where its rotated tokens are kept.
            phase: the installation's place in the spread of requests.
            on_shut: what to do when access was refused: it is to be tried again at the time that the link says.

        """
        self.on_shut = on_shut
        self.on_reopened: Callable[[], None] = lambda: None
        """What to do when Nomos grants access again."""
        self._phase = phase
        self._memory = hass.data.setdefault(_DATA_MEMORY, {}).setdefault(
            entry.entry_id, _Memory(Link(hass, entry))
        )
        if self._memory.link.is_outdated:
            self._memory.link = Link(hass, entry)
        self._tokens = AccountTokens(hass, entry, journal, self._memory.pace)
        # No cookie of one account may travel with another. Home Assistant ends the session with the entry.
        session_of_its_own = async_create_clientsession(
            hass, cookie_jar=DummyCookieJar()
        )
        self._client = NomosClient(session_of_its_own, self)

    @property
    def link(self) -> Link:
        """Return whether Nomos lets the account ask."""
        return self._memory.link

    async def async_ask[T](
        self,
        request: Callable[[NomosClient], Awaitable[T]],
        *,
        optional: bool = False,
    ) -> T:
        """Send a request; where Nomos rejects the access token, once more with a fresh one.

        Args:
            request: what to ask.
            optional: whether customers may ask this is not documented, so that its rejection says nothing of the link.

        Raises:
            NomosError: Nomos did not answer as hoped, or asked for silence before.
            OAuth2TokenRequestBaseError: no access token could be had for now.
            ConfigEntryAuthFailed: Nomos refuses the grant; the customer has to link the account again.

        """
        self.link.check()
        return await self._async_send(request, optional=optional)

    async def _async_send[T](
        self,
        request: Callable[[NomosClient], Awaitable[T]],
        *,
        optional: bool = False,
    ) -> T:
        """Send a request, whatever is known of the link; see ``async_ask``."""
        self.respect_silence()
        await self.async_check_means()
        before, known = self._tokens.current, self.link.try_at
        try:
            token = await self._tokens.async_get_access_token()
            try:
                answer = await request(self._client)
            except NomosAuthenticationError:
                if token != before:
                    # It was fresh: another one would fare no better.
                    raise
                await self._tokens.async_replace(token)
                answer = await request(self._client)
        except ConfigEntryAuthFailed as err:
            self._shut(err, known, clear=is_clear(err))
        except NomosAuthenticationError as err:
            if not optional and self.link.async_reject():
                self._shut(err, known, probe=request)
            raise
        except (NomosError, OAuth2TokenRequestError) as err:
            if isinstance(err, _HEARD) and not optional:
                self._open()
            self._note_rate_limit(err)
            raise
        if not optional:
            self._open()
        return answer

    async def async_get_access_token(self) -> str:
        """Return a valid access token when a request may go out: the client asks before each.

        Raises:
            NomosRateLimitError: Nomos asked for silence while the request waited for its turn.
            OAuth2TokenRequestBaseError: no token could be had.

        """
        await self._tokens.async_get_access_token()
        await self._memory.pace.async_turn()
        self.respect_silence()
        return self._tokens.current

    async def async_try_again(self) -> None:
        """Try whether access is granted again, if it is time.

        Raises:
            NomosError: as for ``async_ask``.
            OAuth2TokenRequestBaseError: likewise.
            ConfigEntryAuthFailed: access is still refused.

        """
        self.link.begin_try()
        await self._async_send(self.link.probe)

    async def async_check_means(self) -> None:
        """Check that there is what renewing access takes.

        Raises:
            CredentialsMissingError: the client id and secret are missing.
            ConfigEntryAuthFailed: there is no refresh token.

        """
        try:
            await self._tokens.async_client()
        except CredentialsMissingError:
            self.link.async_lack_credentials()
            self.on_shut()
            raise
        except ConfigEntryAuthFailed as err:
            self._shut(err, self.link.try_at)
        if self.link.state is LinkState.NO_CREDENTIALS:
            self._open()

    def _shut(
        self,
        err: Exception,
        known: datetime | None,
        *,
        clear: bool = True,
        probe: Probe | None = None,
    ) -> NoReturn:
        """Ask nothing more until access is granted again; that is tried by the account itself, later.

        Args:
            err: how it was refused.
            known: when access was to be tried again as the request was sent: of several at once the first one counts.
            clear: whether the answer can mean nothing else.
            probe: what was refused; None if it was an access token.

        Raises:
            ConfigEntryAuthFailed: the customer is asked to link the account again.
            OAuth2TokenRequestConnectionError: the answer may be a slip.

        """
        if self.link.try_at == known:
            self.link.async_refuse(clear=clear, probe=probe)
            self.on_shut()
        raise self.link.error from err

    def _open(self) -> None:
        """Take note that access is granted; if that is news, ask for all that could not be asked for."""
        if self.link.async_accept():
            self.on_reopened()

    def after_rate_limit(self, at: datetime) -> datetime:
        """Return the time of a planned request, put off until the wait that Nomos asked for is over."""
        if (until := self._paused_until) is None:
            return at
        return after_pause(dt_util.utcnow(), at, until, self._phase)

    @property
    def _paused_until(self) -> datetime | None:
        """Return until when Nomos asked for silence, None when it did not or the wait is over."""
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

    def respect_silence(self) -> None:
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
    """Forget what Nomos said to an account that is removed."""
    hass.data.get(_DATA_MEMORY, {}).pop(entry.entry_id, None)
