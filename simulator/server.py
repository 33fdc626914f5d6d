"""Turns a request into a response: faults, authentication, API version, rate limit and record."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
import functools
import json
import time

from aiohttp import web

from .api import Api
from .clock import Clock
from .customers import World
from .errors import ApiError, bad_field
from .faults import Fault, FaultPlan
from .http import Request, Response
from .oauth import OAuth
from .records import RecordedRequest, harmless_query, kind_of
from .responses import alter, refusal, replacement, too_many_requests, with_extra_fields
from .settings import API_VERSION, Configuration
from .tokens import TokenStore

_VERSION_HEADER = "X-API-Version"

# Bound at import and hidden from tools that freeze time, so that the rate limit never blocks a test.
_real_time = functools.partial(time.monotonic)


class Server:
    """Handles every request except those below `/control/`."""

    def __init__(
        self,
        clock: Clock,
        configuration: Configuration,
        faults: FaultPlan,
        world: World,
        tokens: TokenStore,
        oauth: OAuth,
        api: Api,
        requests: list[RecordedRequest],
    ) -> None:
        """Serve the OAuth endpoints and the API; every request is appended to `requests`."""
        self._clock = clock
        self._configuration = configuration
        self._faults = faults
        self._world = world
        self._tokens = tokens
        self._api = api
        self._requests = requests
        self._recent: dict[str, deque[tuple[datetime, float]]] = {}
        self._public: dict[
            tuple[str, str], Callable[[Request], Awaitable[Response]]
        ] = {
            ("GET", "/.well-known/oauth-authorization-server"): oauth.metadata,
            ("GET", "/oauth/authorize"): oauth.authorize,
            ("POST", "/oauth/authorize/email"): oauth.email,
            ("POST", "/oauth/authorize/code"): oauth.code,
            ("POST", "/oauth/authorize/consent"): oauth.consent,
            ("POST", "/oauth/token"): oauth.token,
            ("GET", "/health"): self._health,
        }
        self._public_paths = {path for _, path in self._public}
        self.stopping = asyncio.Event()
        """When set, cuts the connections of requests that a fault keeps waiting."""

    async def handle(self, raw: web.Request) -> web.StreamResponse:
        """Answer a request."""
        now = self._clock.now()
        method = "GET" if raw.method == "HEAD" else raw.method
        faults = self._faults.take(method, raw.path, now)
        settings = self._configuration.settings
        for fault in faults:
            if fault.kind == "settings":
                settings = settings.changed(fault.params)
        request = Request(raw, raw.path, dict(raw.query), settings)
        response: Response | None = None
        try:
            await self._delay(faults, after_work=False)
            response = await self._respond(request, method, faults)
            await self._delay(faults, after_work=True)
        finally:
            # Record it even if the client has disconnected meanwhile, with or without a response.
            self._requests.append(self._record(request, now, response))
        if response is None:
            return _cut(raw)
        return await self._write(raw, response, faults)

    # --- The response ------------------------------------------------------------------------------------------

    async def _respond(
        self, request: Request, method: str, faults: list[Fault]
    ) -> Response | None:
        """Return the response with all faults applied; None cuts the connection."""
        replacing = next((fault for fault in faults if fault.replaces), None)
        response: Response | None = None
        if (
            replacing is None
            or replacing.kind == "reset_after"
            or replacing.params.get("after_work")
        ):
            try:
                response = await self._work(request, method)
            except ApiError as err:
                response = refusal(request, err)
        if replacing is not None:
            response = replacement(request, replacing)
        if response is not None:
            for fault in faults:
                alter(response, fault)
        return response

    async def _work(self, request: Request, method: str) -> Response:
        if handler := self._public.get((method, request.path)):
            return await handler(request)
        if request.path in self._public_paths:
            raise ApiError(405)
        self._authenticate(request)
        headers, exceeded = self._count(request)
        try:
            if exceeded:
                raise too_many_requests(request)
            if request.raw.headers.get(_VERSION_HEADER, API_VERSION) != API_VERSION:
                raise bad_field("invalid_value", _VERSION_HEADER, "Unknown version")
            response = self._api.answer(request)
        except ApiError as err:
            err.headers = headers | err.headers
            raise
        response.headers = headers | response.headers
        if request.settings.extra_fields:
            response.payload = with_extra_fields(response.payload)
        return response

    async def _health(self, _request: Request) -> Response:
        return Response(200, "OK")

    def _authenticate(self, request: Request) -> None:
        scheme, _, token = request.raw.headers.get("Authorization", "").partition(" ")
        email = self._tokens.authenticate(token) if scheme.lower() == "bearer" else None
        if email not in self._world.customers:
            raise ApiError(401)
        request.email = email

    def _count(self, request: Request) -> tuple[dict[str, str], bool]:
        """Count a request against the customer's limit; return its headers, and whether the limit is exceeded."""
        limit = request.settings.rate_limit
        if limit is None:
            return {}, False
        now = self._clock.now(), _real_time()
        recent = self._recent.setdefault(request.email or "", deque())
        # A second has passed once it has on either clock, so that neither a jump of a day nor a frozen time exceeds the
        # limit.
        while recent and (
            abs((now[0] - recent[0][0]).total_seconds()) >= 1
            or now[1] - recent[0][1] >= 1
        ):
            recent.popleft()
        exceeded = len(recent) >= limit
        if not exceeded:
            recent.append(now)
        if not request.settings.rate_limit_headers:
            return {}, exceeded
        return {
            "ratelimit-limit": str(limit),
            "ratelimit-remaining": str(limit - len(recent)),
            "ratelimit-reset": "1",
        }, exceeded

    async def _delay(self, faults: list[Fault], *, after_work: bool) -> None:
        for fault in faults:
            if fault.kind == "delay":
                if bool(fault.params.get("after_work")) == after_work:
                    await self._pause(fault.params.get("seconds", 30))

    async def _pause(self, seconds: float) -> None:
        """Wait; cut the connection if the simulator stops meanwhile, even in frozen time."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return
        raise asyncio.CancelledError

    # --- Writing -----------------------------------------------------------------------------------------------

    def _record(
        self, request: Request, now: datetime, response: Response | None
    ) -> RecordedRequest:
        customer = self._world.customers.get(request.email or "")
        return RecordedRequest(
            time=now,
            method=request.raw.method,
            path=request.path,
            query=harmless_query(request.query),
            status=0 if response is None else response.status,
            kind=kind_of(request.path),
            body_keys=request.body_keys,
            basic_auth=request.basic_auth,
            grant_type=request.grant_type,
            content_type=request.raw.headers.get("Content-Type"),
            cookies=tuple(request.raw.cookies),
            api_version=request.raw.headers.get(_VERSION_HEADER),
            customer=None if customer is None else customer.id,
        )

    async def _write(
        self, raw: web.Request, response: Response, faults: list[Fault]
    ) -> web.StreamResponse:
        if isinstance(response.payload, str):
            body, content_type = response.payload.encode(), response.content_type
        else:
            text = json.dumps(response.payload, ensure_ascii=False)
            # A lone surrogate is escaped, as in JSON.
            body = text.encode(errors="backslashreplace")
            content_type = "application/json"
        headers = {
            _VERSION_HEADER: API_VERSION,
            "Content-Type": f"{content_type}; charset=utf-8",
        } | response.headers
        for fault in faults:
            params = fault.params
            if fault.kind == "truncate":
                length = len(body)
                body = body[: int(length * params.get("keep", 0.5))]
                if params.get("cut_connection"):
                    stream = await _begin(raw, response.status, headers, length)
                    await stream.write(body)
                    return _cut(raw)
            if fault.kind == "drip":
                stream = await _begin(raw, response.status, headers, len(body))
                size = params.get("chunk", 64)
                for start in range(0, len(body), size):
                    await stream.write(body[start : start + size])
                    if pause := params.get("seconds", 1):
                        await self._pause(pause)
                await stream.write_eof()
                return stream
        return web.Response(status=response.status, body=body, headers=headers)


async def _begin(
    raw: web.Request, status: int, headers: dict[str, str], length: int
) -> web.StreamResponse:
    stream = web.StreamResponse(status=status, headers=headers)
    stream.content_length = length
    await stream.prepare(raw)
    return stream


def _cut(raw: web.Request) -> web.StreamResponse:
    if raw.transport is not None:
        raw.transport.abort()
    return web.Response()
