"""The error ladder: which answer becomes which step, and what its text may hold."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.api import (
    MAX_MESSAGE_LENGTH,
    MAX_RETRY_AFTER,
    NomosAuthenticationError,
    NomosConnectionError,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRateLimitError,
    NomosRequestError,
    NomosResponseError,
    NomosServerError,
    parse_error,
)

from .strategies import JSON_VALUES, property_test

REQUEST_ID = "37a04f8f-e791-491c-81e1-86cd304649bb"


def _parse(
    data: object, status: int = 400, headers: Mapping[str, str] | None = None
) -> NomosError:
    return parse_error(status, headers or {}, json.dumps(data).encode())


@pytest.mark.parametrize(
    ("status", "kind", "is_transient"),
    [
        (400, NomosRequestError, False),
        (401, NomosAuthenticationError, False),
        (402, NomosPermissionError, False),
        (403, NomosPermissionError, False),
        (404, NomosNotFoundError, False),
        (405, NomosRequestError, False),
        (408, NomosConnectionError, True),
        (409, NomosRequestError, False),
        (422, NomosRequestError, False),
        (429, NomosRateLimitError, True),
        (499, NomosRequestError, False),
        (500, NomosServerError, True),
        (502, NomosServerError, True),
        (503, NomosServerError, True),
        (504, NomosServerError, True),
        (599, NomosServerError, True),
        (302, NomosServerError, True),
        (101, NomosServerError, True),
        (999, NomosServerError, True),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad Gateway</html>", b'{"code": "X", "message": "Y"}']
)
def test_the_status_says_which_step(
    status: int, kind: type[NomosError], is_transient: bool, body: bytes
) -> None:
    """The step depends on the status alone."""
    error = parse_error(status, {}, body)
    assert type(error) is kind
    assert error.status == status
    assert error.is_transient is is_transient


def test_transience_of_errors_without_a_status() -> None:
    """Waiting may mend a strange answer; the base of the ladder promises nothing."""
    assert NomosResponseError("unit", "not ct/kWh").is_transient
    assert NomosConnectionError("Gone").is_transient
    assert NomosConnectionError("Gone").retry_after is None
    assert not NomosError("Odd").is_transient


@pytest.mark.parametrize(
    ("data", "code", "message", "request_id"),
    [
        pytest.param(
            {"object": "error", "type": "notFound", "message": "Nothing here"},
            "notFound",
            "Nothing here",
            None,
            id="generation A",
        ),
        pytest.param(
            {
                "error": {
                    "code": "NOT_FOUND",
                    "message": "Nothing here",
                    "docs": "https://x",
                    "requestId": REQUEST_ID,
                }
            },
            "NOT_FOUND",
            "Nothing here",
            REQUEST_ID,
            id="generation B",
        ),
        pytest.param(
            {
                "code": "NOT_FOUND",
                "message": "Nothing here",
                "docs": "https://x",
                "requestId": REQUEST_ID,
            },
            "NOT_FOUND",
            "Nothing here",
            REQUEST_ID,
            id="generation C",
        ),
        pytest.param(
            {"error": "invalid_request", "error_description": "Nothing here"},
            "invalid_request",
            "Nothing here",
            None,
            id="RFC 6749",
        ),
        pytest.param(
            {"error": "invalid_request"},
            "invalid_request",
            "Nomos answered with status 400",
            None,
            id="bare",
        ),
        pytest.param(
            {}, None, "Nomos answered with status 400", None, id="empty object"
        ),
        pytest.param([], None, "Nomos answered with status 400", None, id="list"),
        pytest.param(None, None, "Nomos answered with status 400", None, id="null"),
        pytest.param(
            {"code": 7, "message": ["x"], "requestId": {}, "errors": "x"},
            None,
            "Nomos answered with status 400",
            None,
            id="mistyped",
        ),
        pytest.param(
            {"code": "<b>", "message": "<p>Oops</p>", "requestId": "a\nb"},
            None,
            "Nomos answered with status 400",
            None,
            id="markup",
        ),
        pytest.param(
            {"message": " \n "},
            None,
            "Nomos answered with status 400",
            None,
            id="blank",
        ),
    ],
)
def test_every_envelope(
    data: object, code: str | None, message: str, request_id: str | None
) -> None:
    """Each generation of envelopes is understood."""
    error = _parse(data)
    assert (error.code, error.message, error.request_id) == (code, message, request_id)
    assert str(error) == message


def test_faults_of_single_fields() -> None:
    """From curie on an answer lists what was wrong with which field."""
    error = _parse(
        {
            "code": "BAD_REQUEST",
            "message": "invalid_type in 'end': Required",
            "requestId": REQUEST_ID,
            "docs": "https://docs.nomos.energy/api-references/errors/BAD_REQUEST",
            "errors": [
                {"code": "invalid_type", "field": "end", "message": "Required"},
                {
                    "code": "subscription_not_started",
                    "field": "",
                    "message": "Not started",
                },
                {"field": "no code"},
                {"code": "not a code"},
                "not an object",
            ],
        }
    )
    assert isinstance(error, NomosRequestError)
    assert error.field_codes == ("invalid_type", "subscription_not_started")
    assert error.message == "invalid_type in 'end': Required"


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\x00", b"[" * 100_000, b"{", b"9" * 5000, b"<!DOCTYPE html><p>Hi</p>"],
)
def test_bodies_that_are_no_json(body: bytes) -> None:
    """A gateway may send anything."""
    error = parse_error(502, {}, body)
    assert str(error) == "Nomos answered with status 502"
    assert error.code is None


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6W119.c2lnbmF0dXJl",
        "Bearer abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "erika.mustermann@example.org",
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
    ],
)
def test_no_secret_gets_into_a_message(secret: str) -> None:
    """What looks like a secret or a person is blanked out; the rest stays."""
    error = _parse(
        {"message": f"Cannot use {secret} for 37a04f8f-e791-491c-81e1-86cd304649bb"}
    )
    assert str(error) == "Cannot use ** for 37a04f8f-e791-491c-81e1-86cd304649bb"
    assert secret not in repr(error)


def test_messages_are_short_and_on_one_line() -> None:
    """Log lines stay lines."""
    error = _parse({"message": "a\r\nb\x00\u2028c " + "long " * 1000})
    assert error.message.startswith("a b? c long long")
    assert len(error.message) == MAX_MESSAGE_LENGTH
    assert error.message.endswith("…")


NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
DATE = format_datetime(NOW, usegmt=True)
LATER = format_datetime(NOW + timedelta(minutes=5), usegmt=True)
EARLIER = format_datetime(NOW - timedelta(minutes=5), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "message", "expected"),
    [
        ({"retry-after": "30"}, "", 30),
        ({"Retry-After": " 7200 "}, "", 7200),
        ({"retry-after": "0"}, "", 0),
        ({"retry-after": "1.5"}, "", 1.5),
        ({"retry-after": "9" * 400}, "", None),
        ({"retry-after": "99999999999999"}, "", MAX_RETRY_AFTER.total_seconds()),
        ({"retry-after": "-5"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": ""}, "", None),
        ({"retry-after": LATER, "date": DATE}, "", 300),
        ({"retry-after": LATER.replace("GMT", "-0000"), "date": DATE}, "", 300),
        ({"retry-after": EARLIER, "date": DATE}, "", 0),
        ({"retry-after": EARLIER}, "", 0),
        (
            {"retry-after": "Fri, 01 Jan 2200 00:00:00 GMT"},
            "",
            MAX_RETRY_AFTER.total_seconds(),
        ),
        ({"retry-after": "Fri, 99 Jan 2200 00:00:00 GMT"}, "", None),
        ({"retry-after": "10", "ratelimit-reset": "20"}, "Wait 30 seconds", 10),
        ({"retry-after": "soon", "ratelimit-reset": "20"}, "Wait 30 seconds", 20),
        ({"RateLimit-Reset": "20"}, "Wait 30 seconds", 20),
        ({"ratelimit-reset": "1790000000"}, "", None),
        ({"ratelimit-reset": "x"}, "Wait 30 seconds before retrying.", 30),
        ({}, "Too many requests. Wait 30 seconds before retrying.", 30),
        ({}, "Please wait 1 second", 1),
        ({}, "Wait 9999999 seconds", MAX_RETRY_AFTER.total_seconds()),
        ({}, "Wait a moment", None),
        ({}, "", None),
    ],
)
def test_how_long_to_wait(
    headers: dict[str, str], message: str, expected: float | None
) -> None:
    """The wait is read from the headers first, then from the message."""
    error = _parse({"code": "TOO_MANY_REQUESTS", "message": message}, 429, headers)
    assert isinstance(error, NomosRateLimitError)
    assert error.retry_after == (
        None if expected is None else timedelta(seconds=expected)
    )


def test_a_server_in_trouble_may_ask_to_wait_too() -> None:
    """A 503 often comes with the same header."""
    error = parse_error(503, {"Retry-After": "120"}, b"")
    assert isinstance(error, NomosServerError)
    assert error.retry_after == timedelta(seconds=120)


@property_test
@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "ratelimit-reset", "date", "X-Other"]),
        st.text() | st.floats().map(str),
    ),
    body=st.binary() | JSON_VALUES.map(lambda value: json.dumps(value).encode()),
)
def test_no_answer_makes_it_fail(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    """Whatever comes is an error of the ladder with a text that can be logged."""
    error = parse_error(status, headers, body)
    assert error.status == status
    assert 0 < len(str(error)) <= MAX_MESSAGE_LENGTH
    assert str(error).isprintable()
