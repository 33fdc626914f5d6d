"""Failed requests as translated errors for the customer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NoReturn

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    HomeAssistantError,
    OAuth2TokenRequestBaseError,
    OAuth2TokenRequestConnectionError,
    ServiceValidationError,
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

type RequestError = NomosError | OAuth2TokenRequestBaseError

REQUEST_ERRORS: Final = (NomosError, OAuth2TokenRequestBaseError)
"""A request failed, or there was no access token for it."""

_USUAL_WAIT: Final = timedelta(minutes=1)


class CredentialsMissingError(OAuth2TokenRequestConnectionError):
    """Home Assistant does not have the client id and secret that a grant was issued to."""


_KEYS: Final[Mapping[type[Exception], tuple[str, str]]] = {
    ConfigEntryAuthFailed: ("authentication_failed", "authentication_failed"),
    CredentialsMissingError: ("credentials_missing", "credentials_missing"),
    NomosPermissionError: ("permission_denied", "permission_denied"),
    NomosNotFoundError: ("not_found", "not_found"),
    NomosRequestError: ("request_refused", "request_refused"),
    NomosRateLimitError: ("rate_limited", "action_wait"),
    NomosResponseError: ("invalid_response", "action_unreadable"),
    NomosServerError: ("server_error", "action_unavailable"),
    NomosConnectionError: ("cannot_connect", "action_unavailable"),
    NomosError: ("request_refused", "action_unavailable"),
    Exception: ("token_unavailable", "action_unavailable"),
}
"""Translation keys of a failed update and of a failed action, by error; the first matching class counts."""


def in_log(err: Exception) -> str:
    """Return what support needs to know about an error: never text from outside."""
    names = ["status"]
    if isinstance(err, NomosError):
        names += ["code", "field", "request_id"]
    known = ((name, getattr(err, name, None)) for name in names)
    return " ".join(
        (type(err).__name__, *(f"{name}={value}" for name, value in known if value))
    )


def raise_update_failed(err: Exception) -> NoReturn:
    """Raise a failed request as UpdateFailed, for a coordinator."""
    wait: timedelta | None = getattr(err, "retry_after", None)
    raise UpdateFailed(
        **_translation(err, _keys(err)[0]),
        retry_after=None if wait is None else wait.total_seconds(),
    ) from err


def raise_action_failed(
    hass: HomeAssistant, entry: ConfigEntry, err: Exception
) -> NoReturn:
    """Raise a failed request as HomeAssistantError, for the caller of an action."""
    if isinstance(err, ConfigEntryAuthFailed):
        entry.async_start_reauth(hass)
    raise HomeAssistantError(**_translation(err, _keys(err)[1])) from err


def _keys(err: Exception) -> tuple[str, str]:
    return next(keys for kind, keys in _KEYS.items() if isinstance(err, kind))


def _translation(err: Exception, key: str) -> dict[str, Any]:
    placeholders: dict[str, Any] = {}
    match key, err:
        case "action_wait", NomosRateLimitError(retry_after=wait):
            over = dt_util.now() + (wait or _USUAL_WAIT)
            placeholders = {"time": over.strftime("%H:%M:%S")}
        case "request_refused" | "server_error", NomosError(status=status, code=code):
            placeholders = {"status": str(status), "code": code or "-"}
        case _, NomosResponseError(field=field):
            placeholders = {"field": field}
    return {
        "translation_domain": DOMAIN,
        "translation_key": key,
        "translation_placeholders": placeholders,
    }


def invalid_input(key: str, **placeholders: object) -> ServiceValidationError:
    """Return the error of an action that was called with invalid data."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={
            name: str(value) for name, value in placeholders.items()
        },
    )
