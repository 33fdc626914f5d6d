"""Tests of the client when something goes wrong."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
import gzip
import json
import logging
import socket

import aiohttp
from aiohttp import web
import pytest

from custom_components.nomos.api import (
    NomosAuthenticationError,
    NomosClient,
    NomosConnectionError,
    NomosError,
    NomosNotFoundError,
    NomosPermissionError,
    NomosRateLimitError,
    NomosRequestError,
    NomosResponseError,
    NomosServerError,
)
from custom_components.nomos.api.client import MAX_BODY_SIZE
from tests.api.samples import PLAN, PRICE
from tests.api.server import TOKEN, ScriptedServer, Tokens

DAY = date(2026, 10, 1)
REQUEST_ID = "37a04f8f-e791-491c-81e1-86cd304649bb"


async def _fail[E: NomosError](client: NomosClient, kind: type[E]) -> E:
    with pytest.raises(NomosError) as caught:
        await client.prices("sub_1", DAY, DAY)
    assert type(caught.value) is kind
    assert TOKEN not in repr(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, NomosRequestError),
        (401, NomosAuthenticationError),
        (402, NomosPermissionError),
        (403, NomosPermissionError),
        (404, NomosNotFoundError),
        (422, NomosRequestError),
        (429, NomosRateLimitError),
        (500, NomosServerError),
        (503, NomosServerError),
    ],
)
async def test_errors_of_the_api(
    client: NomosClient,
    server: ScriptedServer,
    status: int,
    kind: type[NomosError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The status decides; the debug log has what Nomos's support needs, and no secret."""
    server.reply(
        {
            "code": "SOME_CODE",
            "message": "About eyJhbGciOi.e30.x",
            "requestId": REQUEST_ID,
        },
        status=status,
    )
    error = await _fail(client, kind)
    assert (error.status, error.code, error.request_id) == (
        status,
        "SOME_CODE",
        REQUEST_ID,
    )
    assert "About" not in str(error)
    (line,) = [
        record
        for record in caplog.records
        if record.name.startswith("custom_components.nomos")
    ]
    assert line.levelno == logging.DEBUG
    for part in (
        "GET",
        "subscriptions/prices",
        str(status),
        "SOME_CODE",
        REQUEST_ID,
        kind.__name__,
    ):
        assert part in line.getMessage()
    assert "About" not in line.getMessage()
    assert "sub_1" not in line.getMessage()
    assert TOKEN not in line.getMessage()
    assert len(server.requests) == 1


async def test_rate_limit_headers_are_read(
    client: NomosClient, server: ScriptedServer
) -> None:
    """The error has the wait from the headers."""
    server.reply(
        {"code": "TOO_MANY_REQUESTS", "message": "x"},
        status=429,
        headers={"Retry-After": "7200"},
    )
    assert (await _fail(client, NomosRateLimitError)).retry_after == timedelta(hours=2)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, NomosAuthenticationError),
        (404, NomosNotFoundError),
        (502, NomosServerError),
    ],
)
@pytest.mark.parametrize("fault", ["huge", "long", "truncated", "html", "empty"])
async def test_the_status_counts_even_if_the_body_is_lost(
    client: NomosClient,
    server: ScriptedServer,
    status: int,
    kind: type[NomosError],
    fault: str,
) -> None:
    """The status decides which error it is, even if the body is damaged."""
    match fault:
        case "huge":
            server.raw(b"x" * (MAX_BODY_SIZE + 1), status)
        case "long":
            # It is decoded in one go, hence the limit.
            server.raw(b'{"code": "X", "more": [' + b"{}," * 30_000 + b"{}]}", status)
        case "truncated":
            server.truncate(status=status)
        case "html":
            server.raw(b"<html><h1>Nope</h1></html>", status)
        case _:
            server.raw(b"", status)
    error = await _fail(client, kind)
    assert str(error) == f"Nomos answered with status {status}"
    assert error.code is None


async def test_the_status_counts_even_if_the_body_never_ends(
    session: aiohttp.ClientSession, server: ScriptedServer
) -> None:
    """A refusal counts even if its body arrives too slowly."""
    server.hang(b"{", status=401)
    # Long enough for the headers to arrive on a busy machine.
    client = NomosClient(session, Tokens(), base_url=server.url, timeout=2)
    await _fail(client, NomosAuthenticationError)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    client: NomosClient, server: ScriptedServer, status: int
) -> None:
    """The token is not sent to another address."""
    server.raw(b"", status, {"Location": f"{server.url}/elsewhere"}).reply(PRICE)
    await _fail(client, NomosServerError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"<html>Login</html>",
        b'{"items": [',
        json.dumps(PRICE).encode()[:-1],
        b"[]",
        json.dumps([PRICE]).encode(),
        b"null",
        b"OK",
        b"\xff\xfe\xfd",
        b"9" * 5000,
        b"[" * 200_000,
        b" " * (MAX_BODY_SIZE + 1),
    ],
    ids=lambda body: f"{body[:12]!r}",
)
@pytest.mark.parametrize("content_type", ["application/json", "text/html"])
async def test_successes_without_prices(
    client: NomosClient,
    server: ScriptedServer,
    body: bytes,
    content_type: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A success whose body is not a price response raises NomosResponseError and is logged."""
    server.raw(body, content_type=content_type)
    error = await _fail(client, NomosResponseError)
    assert (error.field, error.status) == ("body", 200)
    assert "NomosResponseError (status 200" in caplog.text


async def test_json_is_json_whatever_its_type(
    client: NomosClient, server: ScriptedServer
) -> None:
    """The content type and a byte order mark are ignored."""
    server.raw(b"\xef\xbb\xbf" + json.dumps(PRICE).encode(), content_type="text/plain")
    assert (await client.prices("sub_1", DAY, DAY)).items


async def test_no_content_is_an_error(
    client: NomosClient, server: ScriptedServer
) -> None:
    """A 204 has no body and is an error."""
    server.raw(b"", 204)
    error = await _fail(client, NomosResponseError)
    assert (error.field, error.status) == ("body", 204)


async def test_the_largest_body_is_read(
    client: NomosClient, server: ScriptedServer
) -> None:
    """The limit is exact."""
    body = json.dumps(PRICE).encode()
    server.raw(body + b" " * (MAX_BODY_SIZE - len(body)))
    assert (await client.prices("sub_1", DAY, DAY)).items


async def test_a_compressed_bomb_is_not_unpacked(
    client: NomosClient, server: ScriptedServer
) -> None:
    """The limit applies to the decompressed size."""
    server.raw(
        gzip.compress(b" " * (4 * MAX_BODY_SIZE)), headers={"Content-Encoding": "gzip"}
    )
    assert (await _fail(client, NomosResponseError)).field == "body"


async def test_broken_compression(client: NomosClient, server: ScriptedServer) -> None:
    """A damaged body is an error."""
    server.raw(b"this is not gzip", headers={"Content-Encoding": "gzip"})
    await _fail(client, NomosConnectionError)


@pytest.mark.parametrize("begun", [None, b'{"items": ['])
async def test_timeout(
    session: aiohttp.ClientSession, server: ScriptedServer, begun: bytes | None
) -> None:
    """A missing or endless response raises an error after a while."""
    server.hang(begun)
    client = NomosClient(session, Tokens(), base_url=server.url, timeout=0.1)
    error = await _fail(client, NomosConnectionError)
    assert str(error) == "Nomos did not answer in time"
    assert error.status is None


@pytest.mark.parametrize("break_off", [ScriptedServer.abort, ScriptedServer.truncate])
async def test_broken_connections(
    client: NomosClient,
    server: ScriptedServer,
    break_off: Callable[[ScriptedServer], ScriptedServer],
) -> None:
    """A reset, or a response that is cut off at any point, is a connection error."""
    break_off(server)
    assert (await _fail(client, NomosConnectionError)).is_transient


async def test_a_response_that_is_not_http(
    client: NomosClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The HTTP library's error contains the request with its token, so it is not chained."""

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 banana\r\n\r\n")
        request.transport.close()
        return web.Response()

    server.then(answer)
    error = await _fail(client, NomosConnectionError)
    assert error.__cause__ is None
    assert TOKEN not in caplog.text


async def test_connection_refused(session: aiohttp.ClientSession) -> None:
    """A refused connection is a connection error."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = NomosClient(
            session, Tokens(), base_url=f"http://127.0.0.1:{taken.getsockname()[1]}"
        )
        error = await _fail(client, NomosConnectionError)
    assert isinstance(error.__cause__, aiohttp.ClientConnectorError)


async def test_a_closed_session(
    session: aiohttp.ClientSession, server: ScriptedServer
) -> None:
    """At shutdown, the session may be closed before the last request."""
    client = NomosClient(session, Tokens(), base_url=server.url)
    await session.close()
    await _fail(client, NomosConnectionError)


async def test_a_session_that_is_closed_during_a_request(
    session: aiohttp.ClientSession, server: ScriptedServer
) -> None:
    """At shutdown, Home Assistant detaches the session while aiohttp may be repeating a request."""
    client = NomosClient(session, Tokens(), base_url=server.url)

    async def close(request: web.Request) -> web.Response:
        session.detach()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    connector = session.connector
    server.reply(PRICE).then(close)
    assert (await client.prices("sub_1", DAY, DAY)).items
    error = await _fail(client, NomosConnectionError)
    assert isinstance(error.__cause__, AssertionError)
    assert connector is not None
    await connector.close()


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a\x00", "a\nb"])
async def test_a_token_that_is_not_a_valid_header(
    session: aiohttp.ClientSession, server: ScriptedServer, token: str
) -> None:
    """It is neither sent nor shown."""
    client = NomosClient(session, Tokens(token), base_url=server.url)
    error = await _fail(client, NomosAuthenticationError)
    assert str(error) == "The access token is malformed"
    assert not server.requests


@pytest.mark.parametrize(
    "error", [RuntimeError("theirs"), TimeoutError(), aiohttp.ClientError("theirs")]
)
async def test_errors_of_the_token_source_are_passed_on(
    session: aiohttp.ClientSession, server: ScriptedServer, error: Exception
) -> None:
    """Errors of the token source are passed on unchanged."""
    client = NomosClient(session, Tokens(error=error), base_url=server.url)
    with pytest.raises(type(error)) as caught:
        await client.subscriptions()
    assert caught.value is error
    assert not server.requests


async def test_cancellation(client: NomosClient, server: ScriptedServer) -> None:
    """A request can be cancelled at any time."""
    server.hang()
    task = asyncio.create_task(client.tariff("a"))
    while not server.requests:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_client_works_after_a_fault(
    client: NomosClient, server: ScriptedServer
) -> None:
    """A broken request does not affect the next one."""
    # Twice, since aiohttp itself repeats a request whose connection broke before the response.
    server.truncate().abort().abort().raw(b"x" * (MAX_BODY_SIZE + 1)).reply(
        {}, status=500
    ).reply(PLAN)
    for kind in (
        NomosConnectionError,
        NomosConnectionError,
        NomosResponseError,
        NomosServerError,
    ):
        await _fail(client, kind)
    assert (await client.tariff("a")).name == PLAN["name"]
