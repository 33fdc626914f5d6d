"""Tests of what the log says about a failed request."""

from unittest.mock import Mock
import warnings

from yarl import URL

from custom_components.nomos.api import NomosServerError
from custom_components.nomos.errors import in_log
from homeassistant.exceptions import OAuth2TokenRequestTransientError


def test_error_in_the_log() -> None:
    """It contains class, status, code and request id, but no text from the response."""
    err = NomosServerError("the text", status=500, code="X", request_id="7")
    assert in_log(err) == "NomosServerError status=500 code=X request_id=7"
    refused = OAuth2TokenRequestTransientError(
        domain="nomos",
        request_info=Mock(real_url=URL("https://example.com/?secret")),
        status=503,
        message="the text",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert in_log(refused) == "OAuth2TokenRequestTransientError status=503"
