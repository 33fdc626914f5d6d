"""The OAuth client of Nomos: authorization code grant with PKCE, authenticated with HTTP Basic."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
import logging
from typing import Any, Final, NoReturn, override
from urllib.parse import quote_plus

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
)

from homeassistant.components.application_credentials import ClientCredential
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    OAuth2TokenRequestConnectionError,
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
    OAuth2TokenRequestTransientError,
)
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    MY_AUTH_CALLBACK_PATH,
    AbstractOAuth2Implementation,
    LocalOAuth2ImplementationWithPkce,
)
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .account.link import REFUSAL_CODES
from .account.tokens import MAX_TOKEN
from .api import (
    NomosRequestError,
    NomosResponseError,
    api_url,
    decode,
    is_opaque,
    parse_error,
    read_if_short,
)
from .const import DOMAIN, SUPPORT_EMAIL

_LOGGER = logging.getLogger(__name__)

_LIFETIME: Final = 3600
"""Lifetime of an access token in seconds (Nomos API, authentication)."""

_LIFETIMES: Final = (60, 24 * 3600)
"""Bounds of the reported lifetime, in seconds. If a token expires sooner, a 401 leads to a refresh."""

_TIMEOUT: Final = ClientTimeout(total=60)
"""Long, since the rotated token is lost if the answer to a refresh is given up."""


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> AbstractOAuth2Implementation:
    """Return the OAuth client for one set of credentials."""
    return NomosOAuth2Implementation(hass, auth_domain, credential)


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return the placeholders of the credentials dialog: the redirect URI to register, and with whom.

    The URI is the one that a flow will use; without My Home Assistant, it depends on the browser's address.
    """
    redirect_uri = MY_AUTH_CALLBACK_PATH
    if "my" not in hass.config.components:
        try:
            base = get_url(hass, prefer_external=True)
        except NoURLAvailableError:
            base = "http://homeassistant.local:8123"
        redirect_uri = f"{base}{AUTH_CALLBACK_PATH}"
    return {"redirect_uri": redirect_uri, "support_email": SUPPORT_EMAIL}


@contextmanager
def session_without_cookies(hass: HomeAssistant) -> Iterator[ClientSession]:
    """Provide a separate session, so that no cookie of one account is ever sent for another."""
    session = async_create_clientsession(
        hass, auto_cleanup=False, cookie_jar=DummyCookieJar()
    )
    try:
        yield session
    finally:
        session.detach()


class NomosOAuth2Implementation(LocalOAuth2ImplementationWithPkce):
    """Requests tokens as Nomos requires, and distinguishes a refused grant from a temporary failure."""

    def __init__(
        self, hass: HomeAssistant, auth_domain: str, credential: ClientCredential
    ) -> None:
        """Use the credentials that the customer entered."""
        super().__init__(
            hass,
            auth_domain,
            credential.client_id,
            f"{api_url()}/oauth/authorize",
            f"{api_url()}/oauth/token",
            credential.client_secret,
        )
        self._name = credential.name

    @property
    @override
    def name(self) -> str:
        """Return the name under which the customer chooses between several credentials."""
        return self._name or self.client_id

    @property
    @override
    def service_domain(self) -> str:
        """Return the integration named in errors; the implementation's own domain contains the client id."""
        return DOMAIN

    @override
    async def _token_request(self, data: dict[str, Any]) -> dict[str, Any]:
        """Request tokens with HTTP Basic, the one method that Nomos advertises (RFC 8414 metadata).

        Raises:
            OAuth2TokenRequestReauthError: Nomos refused the grant or the client.
            OAuth2TokenRequestTransientError: Nomos is busy or broken.
            OAuth2TokenRequestError: another answer that says nothing about the grant.
            OAuth2TokenRequestConnectionError: no answer, or none that can be used.

        """
        body = {key: value for key, value in data.items() if key != "client_id"}
        pair = self.client_id, self.client_secret
        # RFC 6749, section 2.3.1, requires form-encoding both first, which Nomos's documentation does not mention.
        for credentials in dict.fromkeys((pair, tuple(map(quote_plus, pair)))):
            response, content = await self._post(body, ":".join(credentials))
            if response.status != HTTPStatus.UNAUTHORIZED:
                break
        if response.status != HTTPStatus.OK:
            _raise_refusal(response, content)
        return _read_token(content)

    async def _post(
        self, body: dict[str, Any], credentials: str
    ) -> tuple[ClientResponse, bytes]:
        """Send a token request; return the answer and its body."""
        headers = {
            "Authorization": f"Basic {b64encode(credentials.encode()).decode()}",
            "Accept": "application/json",
        }
        try:
            with session_without_cookies(self.hass) as session:
                async with session.post(
                    self.token_url,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    timeout=_TIMEOUT,
                ) as response:
                    return response, await read_if_short(response)
        except (ClientError, TimeoutError) as err:
            _LOGGER.debug("Token request got no answer: %s", type(err).__name__)
            raise OAuth2TokenRequestConnectionError(domain=DOMAIN) from err


def _raise_refusal(response: ClientResponse, content: bytes) -> NoReturn:
    """Raise the error for an answer without tokens."""
    error = parse_error(response.status, response.headers, content)
    _LOGGER.debug(
        "Token request failed with status %s, code %s, request %s",
        response.status,
        error.code,
        error.request_id,
    )
    malformed = isinstance(error, NomosRequestError) and error.field_codes
    kind = OAuth2TokenRequestError
    match response.status:
        case 400 | 401 | 403 if error.code in REFUSAL_CODES and not malformed:
            kind = OAuth2TokenRequestReauthError
        case status if status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500:
            kind = OAuth2TokenRequestTransientError
    raise kind(
        request_info=response.request_info,
        history=response.history,
        status=response.status,
        message=error.code or "",
        headers=response.headers,
        domain=DOMAIN,
    )


def _read_token(content: bytes) -> dict[str, Any]:
    """Return the fields of a successful answer that RFC 6749, section 5.1, defines."""
    try:
        answer = decode(content)
    except NomosResponseError:
        answer = None
    if (
        not isinstance(answer, dict)
        or not is_opaque(answer.get("access_token"), MAX_TOKEN)
        # Without a refresh token in the answer, the current one stays valid; an empty one must not overwrite it.
        or not is_opaque(answer.get("refresh_token") or "-", MAX_TOKEN)
    ):
        _LOGGER.debug("Token request got an answer without usable tokens")
        raise OAuth2TokenRequestConnectionError(domain=DOMAIN)
    return {
        **{
            key: answer[key]
            for key in ("access_token", "refresh_token", "token_type", "scope")
            if isinstance(text := answer.get(key), str)
            and is_opaque(text.replace(" ", "+"), MAX_TOKEN)
        },
        "expires_in": _lifetime(answer.get("expires_in")),
    }


def _lifetime(value: Any) -> int:
    """Return the lifetime of an access token in seconds; the usual one if the answer has no valid one.

    The answer must not be discarded for that: its refresh token has already replaced the old one.
    """
    shortest, longest = _LIFETIMES
    try:
        seconds = _LIFETIME if isinstance(value, bool) else int(float(value))
    except TypeError, ValueError, OverflowError:
        return _LIFETIME
    return min(max(seconds, shortest), longest)
