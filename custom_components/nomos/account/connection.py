"""Sending the requests of one account: with a valid access token, and after a 401 once more with a fresh one."""

from typing import Final

from aiohttp import DummyCookieJar

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, OAuth2TokenRequestError
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.util.hass_dict import HassKey

from ..api import NomosAuthenticationError, NomosClient, NomosError, NomosTransientError
from ..const import DOMAIN
from ..errors import CredentialsMissingError
from .link import Link, LinkState, Request, is_clear
from .pacing import Pace
from .tokens import AccountTokens

_DATA_CONNECTIONS: Final[HassKey[dict[str, Connection]]] = HassKey(
    f"{DOMAIN}_connections"
)
"""The latest connection of each config entry, whose link and pace must survive setup retries.

They need not survive a restart: one request then finds them out again."""


class Connection:
    """Sends the requests of one account."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, phase: float) -> None:
        """Connect a config entry; ``phase`` spreads the requests of installations."""
        connections = hass.data.setdefault(_DATA_CONNECTIONS, {})
        before = connections.get(entry.entry_id)
        self.link: Link = before.link if before else Link(hass, entry)
        if self.link.is_outdated:
            self.link = Link(hass, entry)
        self.pace: Pace = before.pace if before else Pace(phase)
        connections[entry.entry_id] = self
        self._tokens = AccountTokens(hass, entry, self.pace)
        # No cookie of one account may be sent for another. Home Assistant closes the session with the entry.
        own_session = async_create_clientsession(hass, cookie_jar=DummyCookieJar())
        self._client = NomosClient(own_session, self._async_token)

    async def async_ask[T](self, request: Request[T], *, optional: bool = False) -> T:
        """Send a request; if Nomos rejects the access token, repeat it once with a fresh one.

        Args:
            request: calls the client.
            optional: customers may not be allowed this request, so that a rejection says nothing about the link.

        Raises:
            NomosError: the request failed, or Nomos asked to wait before the next one.
            OAuth2TokenRequestBaseError: no access token is available for now.
            ConfigEntryAuthFailed: Nomos refuses the grant; the customer has to link the account again.

        """
        if not self.link.is_open:
            raise self.link.error
        return await self._async_send(request, optional=optional)

    async def async_try_again(self) -> None:
        """Check if access is granted again, if it is time; raise as ``async_ask`` does."""
        self.link.begin_try()
        await self._async_send(self.link.probe, optional=False)

    async def _async_send[T](self, request: Request[T], *, optional: bool) -> T:
        """Send a request in any state of the link, and update that state from the answer."""
        self.pace.check_rate_limit()
        await self.async_check_credentials()
        known = self.link.try_at
        try:
            answer = await self._async_request(request)
        except ConfigEntryAuthFailed as err:
            self.link.async_refuse(known, clear=is_clear(err))
            raise self.link.error from err
        except NomosAuthenticationError as err:
            if optional or not self.link.async_reject():
                raise
            self.link.async_refuse(known, probe=request)
            raise self.link.error from err
        except (NomosError, OAuth2TokenRequestError) as err:
            passing = isinstance(err, NomosTransientError | OAuth2TokenRequestError)
            if not passing and not optional:
                # Nomos only answers like this if it accepts the access token.
                self.link.async_accept()
            self.pace.note_rate_limit(err)
            raise
        if not optional:
            self.link.async_accept()
        return answer

    async def _async_request[T](self, request: Request[T]) -> T:
        before = self._tokens.current
        token = await self._tokens.async_get_access_token()
        try:
            return await request(self._client)
        except NomosAuthenticationError:
            if token != before:
                # It was fresh: another one would not help.
                raise
            await self._tokens.async_get_access_token(rejected=token)
            return await request(self._client)

    async def _async_token(self) -> str:
        """Return a valid access token when a request may be sent; the client calls this before each."""
        await self._tokens.async_get_access_token()
        await self.pace.async_turn()
        self.pace.check_rate_limit()
        return self._tokens.current

    async def async_check_credentials(self) -> None:
        """Raise CredentialsMissingError or ConfigEntryAuthFailed if access cannot be renewed."""
        try:
            await self._tokens.async_client()
        except CredentialsMissingError:
            self.link.async_lack_credentials()
            raise
        except ConfigEntryAuthFailed as err:
            self.link.async_refuse(self.link.try_at)
            raise self.link.error from err
        if self.link.state is LinkState.NO_CREDENTIALS:
            self.link.async_accept()


@callback
def async_forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget the state of an account that is removed."""
    hass.data.get(_DATA_CONNECTIONS, {}).pop(entry.entry_id, None)
