"""The exceptions that the client raises.

The class identifies the fault; `is_transient` is whether a retry may help. All texts are our own and safe to log.
From a response they contain the status, and the code and request id if well-formed; never its free text, which may
contain names, addresses or tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
import json
import math
import re
from typing import ClassVar, override

MAX_RETRY_AFTER = timedelta(days=1)
"""The longest wait that is accepted: a broken header must not block an account for weeks."""

_CODE = re.compile(r"[A-Za-z_.-]{1,48}", re.ASCII)
_REQUEST_ID = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
_WAIT = re.compile(r"\bwait\s+(\d{1,7})\s*s", re.IGNORECASE | re.ASCII)


@dataclass(eq=False, kw_only=True)
class NomosError(Exception):
    """The base of all exceptions of the client.

    Attributes:
        message: What happened, in English, safe to log.
        status: The HTTP status; None if there was no answer.
        code: The error code of the answer, such as `NOT_FOUND`; None if it had none.
        request_id: The id by which Nomos's support finds the request (Nomos API, Errors: `requestId`).
    """

    is_transient: ClassVar[bool] = False
    """Whether the same request may succeed later."""

    message: str = field(kw_only=False)
    status: int | None = None
    code: str | None = None
    request_id: str | None = None

    @override
    def __str__(self) -> str:
        return self.message


class NomosAuthenticationError(NomosError):
    """401: the access token is missing, expired or no longer valid. Refresh it once before anything else."""


class NomosPermissionError(NomosError):
    """403 or 402 (see `status`): the token is valid, but does not give access to this."""


class NomosNotFoundError(NomosError):
    """404: it does not exist, or it belongs to another customer; Nomos does not say which."""


@dataclass(eq=False, kw_only=True)
class NomosRequestError(NomosError):
    """Any other 4xx: the request was wrong, and repeating it unchanged cannot help.

    Attributes:
        field_codes: Codes of the faults, such as `subscription_not_started` (Nomos API, Errors: `errors[].code`).
    """

    field_codes: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class NomosTransientError(NomosError):
    """The base of the errors that a later retry may resolve.

    Attributes:
        retry_after: How long the server asked us to wait; None if it did not say.
    """

    is_transient = True

    retry_after: timedelta | None = None


class NomosRateLimitError(NomosTransientError):
    """429: too many requests. Wait `retry_after`, or back off if it is None."""


class NomosServerError(NomosTransientError):
    """5xx, or an undocumented redirect: Nomos or a gateway in front of it has a problem."""


class NomosConnectionError(NomosTransientError):
    """No complete response: no connection, reset, timeout (also 408), or a truncated response."""


class NomosResponseError(NomosError):
    """A successful response that is not as documented; transient, as such faults are fixed on the server.

    Attributes:
        field: The path of the field, such as `items[3].timestamp`; `body` for the whole answer.
    """

    is_transient = True

    def __init__(self, field: str, reason: str, *, status: int | None = None) -> None:
        """Report the field and what is wrong with it, never its value."""
        super().__init__(f"Answer not as published, {field}: {reason}", status=status)
        self.field = field


_ERROR_BY_STATUS: Mapping[int, type[NomosError]] = {
    401: NomosAuthenticationError,
    402: NomosPermissionError,
    403: NomosPermissionError,
    404: NomosNotFoundError,
    # A proxy gave up waiting: the one 4xx that is not our fault.
    408: NomosConnectionError,
    429: NomosRateLimitError,
}


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> NomosError:
    """Return the exception for an unsuccessful response; never fails.

    Understands every error envelope that Nomos has had (Nomos API, Errors): flat `code`/`message`/`requestId` with
    and without `errors`, the same nested under `error`, the oldest with `type`; also RFC 6749's `error`, and pages
    or nothing at all from a gateway.
    """
    envelope = _envelope(body)
    default = NomosRequestError if 400 <= status < 500 else NomosServerError
    error = _ERROR_BY_STATUS.get(status, default)(
        f"Nomos answered with status {status}",
        status=status,
        code=_matching(_CODE, envelope, "code", "type", "error"),
        request_id=_matching(_REQUEST_ID, envelope, "requestId"),
    )
    if isinstance(error, NomosRequestError):
        faults = envelope.get("errors")
        error.field_codes = tuple(
            code
            for fault in (faults if isinstance(faults, list) else ())
            if isinstance(fault, dict) and (code := _matching(_CODE, fault, "code"))
        )
    elif isinstance(error, NomosTransientError):
        error.retry_after = _retry_after(headers, envelope.get("message"))
    return error


def _envelope(body: bytes) -> Mapping[str, object]:
    """Return the object that holds the code and the message, unwrapped; empty if there is none."""
    try:
        data = json.loads(body)
    except ValueError, RecursionError:
        return {}
    if not isinstance(data, dict):
        return {}
    nested = data.get("error")
    return nested if isinstance(nested, dict) else data


def _matching(
    pattern: re.Pattern[str], envelope: Mapping[str, object], *keys: str
) -> str | None:
    """Return the first non-empty string if it matches; any other text could contain personal data."""
    for key in keys:
        if isinstance(value := envelope.get(key), str) and value:
            return value if pattern.fullmatch(value) else None
    return None


def _retry_after(headers: Mapping[str, str], message: object) -> timedelta | None:
    """Return the requested wait: `retry-after`, else `ratelimit-reset`, else the number in the message."""
    lowered = {name.lower(): value for name, value in headers.items()}
    asked, reset = lowered.get("retry-after", ""), lowered.get("ratelimit-reset", "")
    wait = _seconds(asked)
    if wait is None and (until := _http_date(asked)) is not None:
        # Use the server's clock if it is sent: ours may be wrong.
        now = _http_date(lowered.get("date", "")) or datetime.now(UTC)
        wait = max(until - now, timedelta())
    if wait is None and (wait := _seconds(reset)) and wait > MAX_RETRY_AFTER:
        # Not a number of seconds but a timestamp, which some servers send here.
        wait = None
    if wait is None and isinstance(message, str):
        found = _WAIT.search(message[:1000])
        wait = timedelta(seconds=int(found[1])) if found else None
    return None if wait is None else min(wait, MAX_RETRY_AFTER)


def _seconds(value: str) -> timedelta | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    # Bounded first, as a timedelta cannot hold every number.
    return timedelta(seconds=min(seconds, 2 * MAX_RETRY_AFTER.total_seconds()))


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError, TypeError, IndexError, OverflowError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
