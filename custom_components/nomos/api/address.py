"""Where Nomos lives.

The real address is the one constant `API_URL`. For development the environment may point to a stand-in, but only
on this very machine: whoever can set an environment variable must not be able to lead tokens somewhere else.
"""

from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
import logging
import os
import re
from urllib.parse import urlsplit

_LOGGER = logging.getLogger(__name__)

API_URL = "https://api.nomos.energy"
"""The one address of the service (Nomos API, OpenAPI `servers`); HTTPS only."""

ENVIRONMENT_VARIABLE = "NOMOS_API_URL"
"""Names a stand-in on a loopback address; see `api_url`."""

# Control characters and spaces are dropped by `urlsplit`, a backslash is a slash to some parsers, and a question
# mark or hash may leave no trace in its result: none of them belongs into an origin.
_NOT_IN_AN_ORIGIN = re.compile(r"[\x00-\x20\x7f\\?#@]")


def api_url() -> str:
    """Return the address that requests go to, without a trailing slash.

    The environment variable `NOMOS_API_URL` is followed if it is an http(s) origin on a loopback host (127.0.0.0/8,
    ::1 or localhost) without user, path, query or fragment. Any other value is refused with one warning for each
    process and value, and `API_URL` is returned.
    """
    if not (address := os.environ.get(ENVIRONMENT_VARIABLE)):
        return API_URL
    return _stand_in(address) or API_URL


def authorize_url() -> str:
    """Return the page to which the customer's browser is sent (Nomos API, OAuth authorize)."""
    return f"{api_url()}/oauth/authorize"


def token_url() -> str:
    """Return the token endpoint (Nomos API, OAuth token)."""
    return f"{api_url()}/oauth/token"


@cache
def _stand_in(address: str) -> str | None:
    """Return the loopback origin that `address` names, or warn once and return None."""
    if (origin := _loopback_origin(address)) is None:
        # The value is not shown: it may hold a password.
        _LOGGER.warning(
            "Environment variable %s is not an http address on this machine, using %s",
            ENVIRONMENT_VARIABLE,
            API_URL,
        )
    return origin


def _loopback_origin(address: str) -> str | None:
    if _NOT_IN_AN_ORIGIN.search(address):
        return None
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in {"http", "https"}
        or parts.path not in {"", "/"}
        or host is None
        or not _is_loopback(host)
    ):
        return None
    # Built anew from what was checked, so that nothing unchecked can ride along.
    shown = f"[{host}]" if ":" in host else host
    return (
        f"{parts.scheme}://{shown}"
        if port is None
        else f"{parts.scheme}://{shown}:{port}"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ip = ip_address(host)
    except ValueError:
        return False
    return ip.is_loopback if isinstance(ip, IPv4Address) else ip == IPv6Address("::1")
