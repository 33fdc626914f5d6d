"""Tests of errors: which response becomes which exception, and what its text may contain."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.nomos.api import (
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
from custom_components.nomos.api.errors import MAX_RETRY_AFTER
from tests.api.strategies import JSON_VALUES, property_test

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
def test_the_status_decides(
    status: int, kind: type[NomosError], is_transient: bool, body: bytes
) -> None:
    """The class of the error depends only on the status."""
    error = parse_error(status, {}, body)
    assert type(error) is kind
    assert error.status == status
    assert error.is_transient is is_transient


def test_transience_of_errors_without_a_status() -> None:
    """An unreadable response may be temporary; the base class does not say."""
    assert NomosResponseError("unit", "not ct/kWh").is_transient
    assert NomosConnectionError("Gone").is_transient
    assert NomosConnectionError("Gone").retry_after is None
    assert not NomosError("Odd").is_transient


@pytest.mark.parametrize(
    ("data", "code", "request_id"),
    [
        pytest.param(
            {"object": "error", "type": "notFound", "message": "Nothing here"},
            "notFound",
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
            REQUEST_ID,
            id="generation C",
        ),
        pytest.param(
            {"error": "invalid_request", "error_description": "Nothing here"},
            "invalid_request",
            None,
            id="RFC 6749",
        ),
        pytest.param(
            {"error": "invalid_request"},
            "invalid_request",
            None,
            id="bare",
        ),
        pytest.param({}, None, None, id="empty object"),
        pytest.param([], None, None, id="list"),
        pytest.param(None, None, None, id="null"),
        pytest.param(
            {"code": 7, "message": ["x"], "requestId": {}, "errors": "x"},
            None,
            None,
            id="mistyped",
        ),
        pytest.param(
            {"code": "<b>", "message": "<p>Oops</p>", "requestId": "a\nb"},
            None,
            None,
            id="markup",
        ),
        pytest.param(
            {"message": " \n "},
            None,
            None,
            id="blank",
        ),
    ],
)
def test_every_envelope(data: object, code: str | None, request_id: str | None) -> None:
    """Every version of the envelope is understood; its free text is left out."""
    error = _parse(data)
    assert (error.code, error.request_id) == (code, request_id)
    assert str(error) == "Nomos answered with status 400"


def test_faults_of_single_fields() -> None:
    """Since version curie, a response lists the wrong fields and what is wrong with them."""
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


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe\x00", b"[" * 100_000, b"{", b"9" * 5000, b"<!DOCTYPE html><p>Hi</p>"],
)
def test_bodies_that_are_not_json(body: bytes) -> None:
    """A gateway may send any body."""
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
def test_only_codes_of_a_response_are_kept(secret: str) -> None:
    """Possible secrets and personal data are dropped, even in the fields of the code or the request id."""
    error = _parse(
        {
            "code": secret,
            "message": f"Cannot use {secret}",
            "requestId": secret,
            "errors": [{"code": secret, "message": secret}],
        }
    )
    assert isinstance(error, NomosRequestError)
    assert (error.code, error.request_id, error.field_codes) == (None, None, ())
    assert str(error) == "Nomos answered with status 400"
    assert secret not in repr(error)


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
    """The wait is taken from the headers first, then from the message."""
    error = _parse({"code": "TOO_MANY_REQUESTS", "message": message}, 429, headers)
    assert isinstance(error, NomosRateLimitError)
    assert error.retry_after == (
        None if expected is None else timedelta(seconds=expected)
    )


def test_server_errors_may_have_a_wait() -> None:
    """A 503 often has the same header."""
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
def test_any_response_becomes_an_error(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    """Every response becomes an error whose text can be logged."""
    error = parse_error(status, headers, body)
    assert error.status == status
    assert str(error) == f"Nomos answered with status {status}"
