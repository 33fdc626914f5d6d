"""The error ladder: everything that can go wrong between us and Nomos.

Callers decide by class (whom to ask for help) and by `is_transient` (whether waiting helps). All texts are safe to
log: they are our own. Of an answer they hold the status, and the code and the id of the request if these look like
such; never its free text, in which names, addresses or tokens may stand.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
import json
import math
import re
from typing import override

MAX_RETRY_AFTER = timedelta(days=1)
"""No longer wait is believed: a broken header must not silence an account for weeks."""

_CODE = re.compile(r"[A-Za-z_.-]{1,48}", re.ASCII)
_REQUEST_ID = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
_BEGINNING = 1000
"""Characters of a message in which the wait is searched for."""
_WAIT = re.compile(r"\bwait\s+(\d{1,7})\s*s", re.IGNORECASE | re.ASCII)


class NomosError(Exception):
    """The base of the ladder.

    Attributes:
        message: What happened, in English, safe to log.
        code: The error code of the answer, such as `NOT_FOUND`; None if it had none.
        status: The HTTP status; None if there was no answer.
        request_id: The id under which Nomos' support finds the request (Nomos API, Errors: `requestId`).
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        """Take what the answer told; `message` is our own text, with nothing of the answer in it."""
        self.message = message
        self.code = code
        self.status = status
        self.request_id = request_id
        super().__init__(self.message)

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        return False


class NomosAuthenticationError(NomosError):
    """401: the access token is missing, expired or no longer valid. Refresh it once before anything else."""


class NomosPermissionError(NomosError):
    """403 or 402 (see `status`): the token is valid, but what was asked for is not offered to it."""


class NomosNotFoundError(NomosError):
    """404: it does not exist, or it belongs to someone else; Nomos does not tell which."""


class NomosRequestError(NomosError):
    """Any other 4xx: our request was wrong, and repeating it unchanged cannot help.

    Attributes:
        field_codes: The codes of the single faults, such as `subscription_not_started` (Nomos API, Errors:
            `errors[].code`); empty before version curie.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        field_codes: tuple[str, ...] = (),
    ) -> None:
        """Take what the answer told."""
        super().__init__(message, code=code, status=status, request_id=request_id)
        self.field_codes = field_codes


class _NomosTransientError(NomosError):
    """The steps of the ladder on which waiting helps.

    Attributes:
        retry_after: How long the server asked us to wait; None if it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        """Take what the answer told."""
        super().__init__(message, code=code, status=status, request_id=request_id)
        self.retry_after = retry_after

    @property
    @override
    def is_transient(self) -> bool:
        return True


class NomosRateLimitError(_NomosTransientError):
    """429: too many requests. Wait `retry_after`, or back off if it is None."""


class NomosServerError(_NomosTransientError):
    """5xx, or a redirect that is not published: Nomos or a gateway in front of it has a problem."""


class NomosConnectionError(_NomosTransientError):
    """No complete answer: no connection, reset, time-out (also 408), or an answer that was cut off."""


class NomosResponseError(NomosError):
    """The answer was a success, but not as published.

    It counts as transient: so far every such answer came from a fault that somebody mends.

    Attributes:
        field: Where in the answer, such as `items[3].timestamp`; `body` for the whole of it.
    """

    def __init__(self, field: str, reason: str, *, status: int | None = None) -> None:
        """Name the field and what is wrong with it, never the value found there."""
        super().__init__(f"Answer not as published, {field}: {reason}", status=status)
        self.field = field

    @property
    @override
    def is_transient(self) -> bool:
        return True


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> NomosError:
    """Turn an answer that is not a success into its step of the ladder; never fails.

    Understands every error envelope that Nomos has had (Nomos API, Errors): flat `code`/`message`/`requestId` with
    and without `errors`, the same nested under `error`, the oldest with `type`; further RFC 6749's `error` with
    `error_description`, and pages or nothing at all from a gateway.
    """
    envelope = _envelope(body)
    message = f"Nomos answered with status {status}"
    code = _matching(_CODE, envelope, "code", "type", "error")
    request_id = _matching(_REQUEST_ID, envelope, "requestId")

    match status:
        case 401:
            return NomosAuthenticationError(
                message, code=code, status=status, request_id=request_id
            )
        case 402 | 403:
            return NomosPermissionError(
                message, code=code, status=status, request_id=request_id
            )
        case 404:
            return NomosNotFoundError(
                message, code=code, status=status, request_id=request_id
            )
        case 408:
            # The one 4xx that is not our fault: a proxy was tired of waiting.
            transient: type[_NomosTransientError] = NomosConnectionError
        case 429:
            transient = NomosRateLimitError
        case _ if 400 <= status < 500:
            return NomosRequestError(
                message,
                code=code,
                status=status,
                request_id=request_id,
                field_codes=_field_codes(envelope),
            )
        case _:
            transient = NomosServerError
    return transient(
        message,
        code=code,
        status=status,
        request_id=request_id,
        retry_after=_retry_after(headers, _first_text(envelope, "message") or ""),
    )


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


def _first_text(envelope: Mapping[str, object], *keys: str) -> str | None:
    return next(
        (
            value
            for key in keys
            if isinstance(value := envelope.get(key), str) and value
        ),
        None,
    )


def _matching(
    pattern: re.Pattern[str], envelope: Mapping[str, object], *keys: str
) -> str | None:
    """Return the first text if it has the shape of what it should be; anything else could hold anything."""
    value = _first_text(envelope, *keys)
    return value if value is not None and pattern.fullmatch(value) else None


def _field_codes(envelope: Mapping[str, object]) -> tuple[str, ...]:
    errors = envelope.get("errors")
    if not isinstance(errors, list):
        return ()
    codes = (
        _matching(_CODE, error, "code") for error in errors if isinstance(error, dict)
    )
    return tuple(code for code in codes if code is not None)


def _retry_after(headers: Mapping[str, str], message: str) -> timedelta | None:
    """Return the wait asked for: `retry-after`, else `ratelimit-reset`, else the number in the message."""
    lowered = {name.lower(): value for name, value in headers.items()}
    if (value := lowered.get("retry-after")) is not None:
        wait = _seconds(value)
        if wait is None and (until := _http_date(value)) is not None:
            # Against the server's own clock where it tells it: ours may be wrong.
            wait = max(
                until - (_http_date(lowered.get("date", "")) or datetime.now(UTC)),
                timedelta(),
            )
        if wait is not None:
            return min(wait, MAX_RETRY_AFTER)
    if (value := lowered.get("ratelimit-reset")) is not None:
        wait = _seconds(value)
        # More than a day is no number of seconds but a time of day, which others put here.
        if wait is not None and wait <= MAX_RETRY_AFTER:
            return wait
    if (match := _WAIT.search(message[:_BEGINNING])) is not None:
        return min(timedelta(seconds=int(match[1])), MAX_RETRY_AFTER)
    return None


def _seconds(value: str) -> timedelta | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    # Bounded before it becomes a timedelta, which cannot hold every number.
    return timedelta(seconds=min(seconds, 2 * MAX_RETRY_AFTER.total_seconds()))


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError, TypeError, IndexError, OverflowError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
