"""Tests of the URLs to which tokens may be sent."""

import logging

import pytest

from custom_components.nomos.api import API_URL, address, api_url
from custom_components.nomos.api.address import ENVIRONMENT_VARIABLE


@pytest.fixture(autouse=True)
def forget_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test without a stand-in and without warnings."""
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    address._other.cache_clear()


@pytest.mark.parametrize("value", [None, ""])
def test_the_real_address_is_the_default(
    value: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a stand-in there is one URL and no warning."""
    if value is not None:
        monkeypatch.setenv(ENVIRONMENT_VARIABLE, value)
    assert api_url() == API_URL == "https://api.nomos.energy"
    assert not caplog.records


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://127.255.0.3", "https://127.255.0.3"),
        ("http://localhost:1", "http://localhost:1"),
        ("HTTP://LocalHost:1", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://[::1]/", "https://[::1]"),
        ("http://localhost:", "http://localhost"),
        ("https://api.sandbox.nomos.energy", "https://api.sandbox.nomos.energy"),
        ("https://api.sandbox.nomos.energy/", "https://api.sandbox.nomos.energy"),
    ],
)
def test_a_stand_in_on_this_machine_is_used(
    value: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nomos's sandbox and loopback origins are used, without a trailing slash."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, value)
    assert api_url() == expected
    assert not caplog.records


@pytest.mark.parametrize(
    "value",
    [
        "http://api.sandbox.nomos.energy",
        "https://api.sandbox.nomos.energy:8443",
        "https://api.sandbox.nomos.energy.example.com",
        "https://api.sandbox.nomos.energy@example.com",
        "https://api.sandbox.nomos.energy/v1",
        "https://sandbox.nomos.energy",
        "http://192.168.1.10:8080",
        "http://0.0.0.0:8080",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.1",
        "http://2130706433",
        "http://[::ffff:127.0.0.1]",
        "http://[::2]",
        "http://[127.0.0.1]",
        "http://[::1",
        "http://user:geheim@127.0.0.1",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1\\@evil.example",
        "http://evil.example#@127.0.0.1",
        "http://127.0.0.1/path",
        "http://127.0.0.1//",
        "http://127.0.0.1?",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1#",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:port",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "//127.0.0.1",
        "127.0.0.1:8080",
        "localhost",
        "http://",
        "http:///",
        " http://127.0.0.1",
        "http://127.0.0.1\n",
        "http://ⅼocalhost",
    ],
)
def test_anything_else_is_refused_with_one_warning(
    value: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Tokens are sent to Nomos, never to another machine; the refused URL is not logged."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, value)
    assert api_url() == API_URL
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert ENVIRONMENT_VARIABLE in record.getMessage()
    assert "geheim" not in record.getMessage()
    assert "evil" not in record.getMessage()
