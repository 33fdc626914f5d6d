"""What the token endpoint says if it refuses to renew access."""

from typing import Final

from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    OAuth2TokenRequestReauthError,
)

_CLEAR_CODES: Final = frozenset(
    {
        # Nomos's own envelope (Nomos API, errors)
        "UNAUTHORIZED",
        # the oldest envelope, which has a type instead
        "unauthenticated",
        # RFC 6749, section 5.2
        "invalid_grant",
        "invalid_client",
        "unauthorized_client",
    }
)
"""What says plainly that the grant or the client is refused."""

REFUSAL_CODES: Final = _CLEAR_CODES | {
    "BAD_REQUEST",
    "FORBIDDEN",
    "malformed",
    "permissionDenied",
    "access_denied",
}
"""What may say so, and may be a slip of Nomos's or of a gateway's."""


def is_clear(err: ConfigEntryAuthFailed) -> bool:
    """Return whether a refusal can mean nothing but that the grant or the client is not good any more."""
    return (
        not isinstance(err, OAuth2TokenRequestReauthError)
        or err.message in _CLEAR_CODES
    )
