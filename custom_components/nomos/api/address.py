"""The address of Nomos: being able to set an environment variable must not be enough to send tokens elsewhere."""

from functools import cache
import logging
import os
import re

_LOGGER = logging.getLogger(__name__)

API_URL = "https://api.nomos.energy"
"""The production address (Nomos API, OpenAPI `servers`)."""

SANDBOX_URL = "https://api.sandbox.nomos.energy"
"""The partners' test environment, with its own credentials (Nomos API, authentication guide)."""

ENVIRONMENT_VARIABLE = "NOMOS_API_URL"

_LOOPBACK_ORIGIN = re.compile(
    r"https?://(localhost|127(\.\d{1,3}){3}|\[::1])(:(?P<port>\d{0,5}))?/?",
    re.ASCII | re.IGNORECASE,
)


def api_url() -> str:
    """Return the base URL of all requests, without a trailing slash.

    The environment variable `NOMOS_API_URL` is used if it is `https://api.sandbox.nomos.energy`, or an http(s)
    origin on a loopback host (127.0.0.0/8, ::1 or localhost) without user, path, query or fragment. Any other value
    is ignored with one warning.
    """
    address = os.environ.get(ENVIRONMENT_VARIABLE)
    return _other(address) if address else API_URL


@cache
def _other(address: str) -> str:
    """Return `address` if it is the sandbox or a loopback origin; otherwise warn once."""
    if address.removesuffix("/") == SANDBOX_URL:
        return SANDBOX_URL
    origin = _LOOPBACK_ORIGIN.fullmatch(address)
    if origin is not None and int(origin["port"] or 0) < 2**16:
        return address.lower().rstrip("/:")
    # The value is not logged: it may contain a password.
    _LOGGER.warning(
        "Environment variable %s is neither the sandbox nor an http address on this machine, using %s",
        ENVIRONMENT_VARIABLE,
        API_URL,
    )
    return API_URL
