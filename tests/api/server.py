"""A small real HTTP server whose responses the test defines."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
import json
from typing import Any, Self

from aiohttp import web
from multidict import CIMultiDict

from custom_components.nomos.api import API_VERSION

TOKEN = "access-token-of-the-test"

type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Tokens:
    """A token source that can be made to fail."""

    token: str = TOKEN
    error: BaseException | None = None

    async def __call__(self) -> str:
        """Return the token."""
        if self.error is not None:
            raise self.error
        return self.token


@dataclass(frozen=True)
class Recorded:
    """A request as the server received it."""

    method: str
    raw_path: str
    path: str
    query: dict[str, str]
    headers: CIMultiDict[str]


@dataclass
class ScriptedServer:
    """Records requests and sends responses in the order of the script; the last response is repeated."""

    requests: list[Recorded] = field(default_factory=list)
    _script: list[Answer] = field(default_factory=list)
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", self._handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release waiting responses and stop."""
        self._released.set()
        await self._runner.cleanup()

    def then(self, answer: Answer) -> Self:
        """Add a response that writes to the connection itself."""
        self._script.append(answer)
        return self

    def reply(
        self, data: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Add a JSON response like those of Nomos."""
        return self.raw(json.dumps(data).encode(), status, headers, "application/json")

    def raw(
        self,
        body: bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str = "text/html",
    ) -> Self:
        """Add a response of any kind."""

        async def answer(_: web.Request) -> web.Response:
            sent = {"X-API-Version": API_VERSION} | dict(headers or {})
            return web.Response(
                body=body, status=status, headers=sent, content_type=content_type
            )

        return self.then(answer)

    def abort(self) -> Self:
        """Add a reset of the connection instead of a response."""

        async def answer(request: web.Request) -> web.Response:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        return self.then(answer)

    def truncate(self, begun: bytes = b'{"items": [', status: int = 200) -> Self:
        """Add a response that ends before its Content-Length."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(
                status=status, headers={"Content-Length": str(len(begun) + 100)}
            )
            await response.prepare(request)
            await response.write(begun)
            assert request.transport is not None
            request.transport.close()
            return response

        return self.then(answer)

    def hang(self, begun: bytes | None = None, status: int = 200) -> Self:
        """Add a response that never starts, or starts and never ends."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(
                status=status, headers={"Content-Length": "1000"}
            )
            if begun is not None:
                await response.prepare(request)
                await response.write(begun)
            await self._released.wait()
            return response

        return self.then(answer)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(
            Recorded(
                request.method,
                request.raw_path,
                request.path,
                dict(request.query),
                CIMultiDict(request.headers),
            )
        )
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        return await answer(request)
