"""A proxy between the hub and Nomos that records how much of a token request has passed, and when."""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import dataclass, field
from hashlib import sha256
import json
import time
from typing import Self


def fingerprint(token: str) -> str:
    """Return a hash that identifies a token without revealing it."""
    return sha256(token.encode()).hexdigest()[:16]


@dataclass(slots=True, eq=False)
class Exchange:
    """A token request and its answer. Times are those of the monotonic clock."""

    asked: float
    delivered: float | None = None  # when the last byte was written to the hub's socket
    delivered_wall: float = 0  # the same time in seconds since 1970
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    _answer: bytearray = field(default_factory=bytearray, repr=False)

    def take(self, data: bytes) -> bytes | None:
        """Add bytes that were sent to the hub; return the body once it is complete."""
        self._answer += data
        head, separator, body = bytes(self._answer).partition(b"\r\n\r\n")
        if not separator:
            return None
        for line in head.lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"content-length" and len(body) < int(value):
                return None
        return body


class TokenProxy:
    """Forwards connections to Nomos byte by byte. An async context manager.

    If one end closes its connection, the other one is closed, too.
    """

    def __init__(self) -> None:
        """Create the proxy; open() starts it."""
        self.url = ""
        self.newest = ""  # the fingerprint of the refresh token that was delivered last
        self.exchanges: list[Exchange] = []
        self._asked = asyncio.Event()
        self._nomos_port = 0

    async def open(self, nomos_port: int) -> str:
        """Listen on a free port and forward to Nomos's port; return the URL."""
        self._nomos_port = nomos_port
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self.url

    async def __aenter__(self) -> Self:
        """Return the proxy, which open() starts once Nomos's port is known."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        if self.url:
            self._server.close()
            self._server.close_clients()
            await self._server.wait_closed()

    def forget(self) -> None:
        """Forget the token requests so far."""
        self.exchanges = []
        self._asked.clear()

    async def next_exchange(self) -> Exchange:
        """Wait for the first token request since forget()."""
        await self._asked.wait()
        return self.exchanges[0]

    async def _connected(
        self, hub_reader: asyncio.StreamReader, hub_writer: asyncio.StreamWriter
    ) -> None:
        exchange: Exchange | None = None

        def received(data: bytes) -> None:
            # A request begins with a new segment, since no client here sends the next one before the answer.
            nonlocal exchange
            if data.startswith(b"POST /oauth/token "):
                exchange = Exchange(time.monotonic())
                self.exchanges.append(exchange)
                self._asked.set()

        def delivered(data: bytes) -> None:
            nonlocal exchange
            if exchange is None or (body := exchange.take(data)) is None:
                return
            if hub_writer.transport.get_write_buffer_size() > 0:
                return  # still in this process's buffer, so the hub is gone
            exchange.delivered, exchange.delivered_wall = time.monotonic(), time.time()
            with contextlib.suppress(ValueError, KeyError):
                self.newest = fingerprint(json.loads(body)["refresh_token"])
            exchange.answered.set()
            exchange = None

        try:
            nomos_reader, nomos_writer = await asyncio.open_connection(
                "127.0.0.1", self._nomos_port
            )
        except OSError:
            hub_writer.close()
            return
        ways = (
            asyncio.create_task(_pass_on(hub_reader, nomos_writer, received)),
            asyncio.create_task(_pass_on(nomos_reader, hub_writer, delivered)),
        )
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            hub_writer.close()
            nomos_writer.close()


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    watch: Callable[[bytes], None],
) -> None:
    """Forward until one end closes its connection."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            watch(data)
            await writer.drain()
