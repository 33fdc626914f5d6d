"""The OAuth client of Nomos: authorization code grant with PKCE, authenticated with HTTP Basic."""

from base64 import b64encode
from http import HTTPStatus
import json
import logging
from typing import Any, Final, NoReturn, override
from urllib.parse import quote_plus

from aiohttp import ClientError, ClientResponse, ClientTimeout

from homeassistant.components.application_credentials import ClientCredential
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    OAuth2TokenRequestConnectionError,
    OAuth2TokenRequestError,
    OAuth2TokenRequestReauthError,
    OAuth2TokenRequestTransientError,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    MY_AUTH_CALLBACK_PATH,
    AbstractOAuth2Implementation,
    LocalOAuth2ImplementationWithPkce,
)
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .api import NomosRequestError, authorize_url, parse_error, token_url
from .const import DOMAIN, SUPPORT_EMAIL

_LOGGER = logging.getLogger(__name__)

ACCESS_TOKEN_LIFETIME: Final = 3600
"""Seconds that an access token lives (Nomos API, authentication)."""

_TIMEOUT: Final = ClientTimeout(total=60)
"""Patient: when the answer to a refresh is given up, the rotated token in it is lost."""

_REFUSAL_STATUSES: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
)

_REFUSAL_CODES: Final = frozenset(
    {
        # Nomos's own envelope (Nomos API, errors)
        "BAD_REQUEST",
        "UNAUTHORIZED",
        "FORBIDDEN",
        # the oldest envelope, which has a type instead
        "malformed",
        "unauthenticated",
        "permissionDenied",
        # RFC 6749, section 5.2
        "invalid_grant",
        "invalid_client",
        "unauthorized_client",
        "access_denied",
    }
)


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> AbstractOAuth2Implementation:
    """Return the OAuth client for one set of credentials."""
    return NomosOAuth2Implementation(hass, auth_domain, credential)


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return what the credentials dialog tells: the redirect URI that has to be registered, and with whom."""
    return {
        "redirect_uri": _expected_redirect_uri(hass),
        "support_email": SUPPORT_EMAIL,
    }


def _expected_redirect_uri(hass: HomeAssistant) -> str:
    """Return the redirect URI that a flow will use, as far as it is known without a request.

    Without My Home Assistant the flow takes the address that the browser uses, which is not known here.
    """
    if "my" in hass.config.components:
        return MY_AUTH_CALLBACK_PATH
    try:
        base = get_url(hass, prefer_external=True)
    except NoURLAvailableError:
        base = "http://homeassistant.local:8123"
    return f"{base}{AUTH_CALLBACK_PATH}"


class NomosOAuth2Implementation(LocalOAuth2ImplementationWithPkce):
    """Requests tokens as Nomos wants it and tells a refusal of the grant from a passing failure."""

    def __init__(
        self, hass: HomeAssistant, auth_domain: str, credential: ClientCredential
    ) -> None:
        """Take the credentials that the customer entered."""
        super().__init__(
            hass,
            auth_domain,
            credential.client_id,
            authorize_url(),
            token_url(),
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
        """Return the integration that errors name; the implementation's own domain holds the client id."""
        return DOMAIN

    @override
    async def _token_request(self, data: dict[str, Any]) -> dict[str, Any]:
        """Request tokens with HTTP Basic, the one method that Nomos advertises (RFC 8414 metadata).

        Raises:
            OAuth2TokenRequestReauthError: Nomos refused the grant or the client.
            OAuth2TokenRequestTransientError: Nomos is busy or broken; later may be better.
            OAuth2TokenRequestError: another answer that says nothing about the grant.
            OAuth2TokenRequestConnectionError: no answer, or none that can be used.

        """
        body = {
            key: value
            for key, value in data.items()
            if key not in {"client_id", "client_secret"}
        }
        for credentials in self._credentials():
            response, content = await self._post(body, credentials)
            if response.status != HTTPStatus.UNAUTHORIZED:
                break
        if response.status != HTTPStatus.OK:
            self._raise_refusal(response, content)
        return self._token(content)

    def _credentials(self) -> list[str]:
        """Return what HTTP Basic may say of the client: as Nomos documents it, and where it differs as the standard has it.

        RFC 6749, section 2.3.1, wants both encoded like a form first. Nomos's documentation does not say so.
        """
        pair = self.client_id, self.client_secret
        return list(dict.fromkeys((":".join(pair), ":".join(map(quote_plus, pair)))))

    async def _post(
        self, body: dict[str, Any], credentials: str
    ) -> tuple[ClientResponse, bytes]:
        """Send a token request; return the answer.

        Raises:
            OAuth2TokenRequestConnectionError: there is none.

        """
        request = async_get_clientsession(self.hass).post(
            self.token_url,
            data=body,
            headers={
                "Authorization": f"Basic {b64encode(credentials.encode()).decode()}",
                "Accept": "application/json",
            },
            allow_redirects=False,
            timeout=_TIMEOUT,
        )
        try:
            async with request as response:
                return response, await response.read()
        except (ClientError, TimeoutError) as err:
            _LOGGER.debug("Token request got no answer: %s", type(err).__name__)
            raise OAuth2TokenRequestConnectionError(domain=DOMAIN) from err

    def _raise_refusal(self, response: ClientResponse, content: bytes) -> NoReturn:
        """Raise what an answer without tokens means for the link."""
        error = parse_error(response.status, response.headers, content)
        _LOGGER.debug(
            "Token request failed with status %s, code %s, request %s",
            response.status,
            error.code,
            error.request_id,
        )
        malformed = isinstance(error, NomosRequestError) and error.field_codes
        kind: type[OAuth2TokenRequestError] = OAuth2TokenRequestError
        if (
            response.status in _REFUSAL_STATUSES
            and error.code in _REFUSAL_CODES
            and not malformed
        ):
            kind = OAuth2TokenRequestReauthError
        elif response.status == HTTPStatus.TOO_MANY_REQUESTS or response.status >= 500:
            kind = OAuth2TokenRequestTransientError
        raise kind(
            request_info=response.request_info,
            history=response.history,
            status=response.status,
            message=error.code or "",
            headers=response.headers,
            domain=DOMAIN,
        )

    def _token(self, content: bytes) -> dict[str, Any]:
        """Return the tokens of a good answer."""
        try:
            token = json.loads(content)
        except ValueError:
            token = None
        if (
            not isinstance(token, dict)
            or not isinstance(token.get("access_token"), str)
            or not token["access_token"]
        ):
            _LOGGER.debug("Token request got an answer without an access token")
            raise OAuth2TokenRequestConnectionError(domain=DOMAIN)
        if not token.get("refresh_token"):
            # An absent one means that the one in hand stays good; an empty one must not overwrite it.
            token.pop("refresh_token", None)
        try:
            token["expires_in"] = max(60, int(float(token["expires_in"])))
        except KeyError, TypeError, ValueError, OverflowError:
            # The new refresh token has replaced the old one on Nomos's side and must not be thrown away
            # for a malformed lifetime. Too long a guess is healed by the 401 that follows.
            token["expires_in"] = ACCESS_TOKEN_LIFETIME
        return token
