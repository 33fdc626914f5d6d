"""Failed requests, in words for the customer."""

from datetime import timedelta
from typing import Final, NoReturn

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    HomeAssistantError,
    OAuth2TokenRequestBaseError,
    OAuth2TokenRequestConnectionError,
)
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util

from .api import (
    NomosConnectionError,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRateLimitError,
    NomosRequestError,
    NomosResponseError,
    NomosServerError,
)
from .const import DOMAIN

_USUAL_WAIT: Final = timedelta(minutes=1)


class CredentialsMissingError(OAuth2TokenRequestConnectionError):
    """Home Assistant does not have the client id and secret that a grant was given to."""


def in_log(err: Exception) -> str:
    """Return what support needs to know of an error: never a text that came from outside."""
    names = ["status"]
    if isinstance(err, NomosError):
        names += ["code", "field", "request_id"]
    told = ((name, getattr(err, name, None)) for name in names)
    return " ".join(
        (type(err).__name__, *(f"{name}={value}" for name, value in told if value))
    )


def raise_update_failed(err: NomosError | OAuth2TokenRequestBaseError) -> NoReturn:
    """Raise a failed request as what a coordinator understands, in words for the customer.

    Raises:
        UpdateFailed: always.

    """
    key, placeholders = _describe(err)
    wait: timedelta | None = getattr(err, "retry_after", None)
    raise UpdateFailed(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
        retry_after=None if wait is None else wait.total_seconds(),
    ) from err


def raise_action_failed(
    hass: HomeAssistant, entry: ConfigEntry, err: Exception
) -> NoReturn:
    """Raise what went wrong in words for the customer, who waits for the answer.

    Raises:
        HomeAssistantError: always.

    """
    placeholders: dict[str, str] = {}
    match err:
        case ConfigEntryAuthFailed():
            entry.async_start_reauth(hass)
            key = "authentication_failed"
        case CredentialsMissingError():
            key = "credentials_missing"
        case NomosPermissionError():
            key = "permission_denied"
        case NomosNotFoundError():
            key = "not_found"
        case NomosRateLimitError():
            key = "action_wait"
            over = dt_util.now() + (err.retry_after or _USUAL_WAIT)
            placeholders = {"time": over.strftime("%H:%M:%S")}
        case NomosRequestError():
            key = "request_refused"
            placeholders = {"status": str(err.status), "code": err.code or "-"}
        case NomosResponseError():
            key = "action_unreadable"
            placeholders = {"field": err.field}
        case _:
            key = "action_unavailable"
    raise HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    ) from err


def _describe(
    err: NomosError | OAuth2TokenRequestBaseError,
) -> tuple[str, dict[str, str]]:
    """Return the translation key of an error, with its placeholders."""
    match err:
        case NomosPermissionError():
            return "permission_denied", {}
        case NomosNotFoundError():
            return "not_found", {}
        case NomosRateLimitError():
            return "rate_limited", {}
        case NomosServerError():
            return "server_error", {"status": str(err.status)}
        case NomosResponseError():
            return "invalid_response", {"field": err.field}
        case NomosConnectionError():
            return "cannot_connect", {}
        case CredentialsMissingError():
            return "credentials_missing", {}
        case NomosError():
            return "request_refused", {
                "status": str(err.status),
                "code": err.code or "-",
            }
        case _:
            return "token_unavailable", {}
