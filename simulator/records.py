"""The records of requests: enough to count and check, but nothing secret."""

from dataclasses import dataclass
from datetime import datetime
import re
from typing import Any

from .berlin import api_time

_KINDS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"/oauth/token", "token"),
        (r"/oauth/authorize(/.*)?", "authorize"),
        (r"/\.well-known/oauth-authorization-server", "metadata"),
        (r"/health", "health"),
        (r"/subscriptions", "subscriptions"),
        (r"/subscriptions/[^/]+", "subscription"),
        (r"/subscriptions/[^/]+/prices", "prices"),
        (r"/subscriptions/[^/]+/usage", "usage"),
        (r"/plans(/[^/]+)?", "plans"),
        (r"/plans/[^/]+/quote", "quote"),
        (r"/invoices(/[^/]+)?", "invoices"),
        (r"/invoices/[^/]+/file", "invoice_file"),
        (r"/grid-fee-reductions(/[^/]+)?", "grid_fee_reductions"),
        (r"/meter-readings(/[^/]+)?", "meter_readings"),
        (r"/customers(/[^/]+)?", "customers"),
        (r"/(meter-orders|market-partners|leads|events)(/.*)?", "organisation"),
    )
)
# Secret parameters in the query of the sign-in pages.
_SECRET_QUERY = {"state", "code", "code_challenge", "session"}


def kind_of(path: str) -> str:
    """Return the kind of a request by its path, `other` if unknown."""
    return next((kind for pattern, kind in _KINDS if pattern.fullmatch(path)), "other")


def harmless_query(query: dict[str, str]) -> dict[str, str]:
    """Return the query with secret values masked."""
    return {
        key: "***" if key in _SECRET_QUERY else value for key, value in query.items()
    }


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request that was answered, at a simulated time in UTC; status 0: the connection was cut."""

    time: datetime
    method: str
    path: str
    query: dict[str, str]
    status: int
    kind: str
    body_keys: tuple[str, ...] = ()
    basic_auth: bool = False
    grant_type: str | None = None
    content_type: str | None = None
    api_version: str | None = None  # The header as sent; None without one.
    cookies: tuple[str, ...] = ()  # Their names.
    customer: str | None = None  # The customer's id; None before authentication.

    def as_dict(self) -> dict[str, Any]:
        """Return the record for JSON."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "time": api_time(self.time, millis=True),
            "body_keys": list(self.body_keys),
            "cookies": list(self.cookies),
        }
