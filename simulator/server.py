"""From a request to its answer: faults, versions, authentication, limits, and the record of it all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
import functools
import json
import time
from typing import TYPE_CHECKING, Any
import uuid

from aiohttp import web

from .call import Call, Reply
from .errors import ApiError, bad_field, error_body, gateway_page
from .faults import Fault
from .records import RecordedRequest, harmless_query, kind_of
from .settings import VERSIONS, ErrorShape

if TYPE_CHECKING:
    from .simulator import Simulator

# Bound at import and hidden from tools that freeze the time module: a rate limit must not block a frozen test.
_real_time = functools.partial(time.monotonic)


class Server:
    """Handles every request except those of the control room."""

    def __init__(self, simulator: Simulator) -> None:
        """Work for a simulator."""
        self._simulator = simulator
        self._recent: dict[str, deque[tuple[datetime, float]]] = {}
        oauth = simulator.oauth
        self._public: dict[tuple[str, str], Callable[[Call], Awaitable[Reply]]] = {
            ("GET", "/.well-known/oauth-authorization-server"): oauth.metadata,
            ("GET", "/oauth/authorize"): oauth.authorize,
            ("POST", "/oauth/authorize/email"): oauth.email,
            ("POST", "/oauth/authorize/code"): oauth.code,
            ("POST", "/oauth/authorize/consent"): oauth.consent,
            ("POST", "/oauth/token"): oauth.token,
            ("GET", "/health"): self._health,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        simulator, now = self._simulator, self._simulator.clock.now()
        method = "GET" if request.method == "HEAD" else request.method
        faults = simulator.faults.take(method, request.path, now)
        settings = simulator.settings
        for fault in faults:
            if fault.kind == "settings":
                settings = settings.changed(fault.params)
        requested = request.headers.get("X-API-Version")
        known = requested in VERSIONS and not settings.ignore_version_header
        call = Call(
            request,
            request.path,
            dict(request.query),
            settings,
            requested if known and requested is not None else settings.default_version,
            requested,
        )
        reply: Reply | None = None
        try:
            with simulator.using(settings):
                await self._delay(faults, after_work=False)
                reply = await self._reply(call, method, faults)
                await self._delay(faults, after_work=True)
        finally:
            # Also when the client went away in the meantime: then there is no reply, or nobody to get it.
            simulator.requests.append(self._record(call, now, reply))
        if reply is None:
            return self._cut(request)
        return await self._write(call, reply, faults)

    # --- The reply ---------------------------------------------------------------------------------------------

    async def _reply(
        self, call: Call, method: str, faults: list[Fault]
    ) -> Reply | None:
        """Return the reply with all faults applied; None cuts the connection."""
        deciding = next((fault for fault in faults if fault.decides), None)
        after_work = deciding is not None and (
            deciding.kind == "reset_after" or deciding.params.get("after_work")
        )
        reply: Reply | None = None
        if deciding is None or after_work:
            try:
                reply = await self._work(call, method)
            except ApiError as err:
                reply = self._refusal(call, err)
        if deciding is not None:
            reply = self._decided(call, deciding)
        if reply is not None:
            for fault in faults:
                self._alter(reply, fault)
        return reply

    async def _work(self, call: Call, method: str) -> Reply:
        if handler := self._public.get((method, call.path)):
            return await handler(call)
        if any(path == call.path for _, path in self._public):
            raise ApiError(405)
        self._authenticate(call)
        limits = self._count(call)
        try:
            if limits.pop("retry-after", None):
                raise self._too_many(call)
            if (
                call.settings.unknown_version == "error"
                and call.requested_version not in {None, *VERSIONS}
            ):
                raise bad_field("invalid_value", "X-API-Version", "Unknown version")
            reply = await self._simulator.api.answer(call)
        except ApiError as err:
            err.headers = limits | err.headers
            raise
        reply.headers = limits | reply.headers
        if call.settings.extra_fields:
            reply.payload = _with_extras(reply.payload)
        return reply

    async def _health(self, _call: Call) -> Reply:
        return Reply(200, "OK")

    def _authenticate(self, call: Call) -> None:
        scheme, _, token = call.request.headers.get("Authorization", "").partition(" ")
        found = (
            self._simulator.tokens.authenticate(token)
            if scheme.lower() == "bearer"
            else None
        )
        if found is None or found[0] not in self._simulator.customers:
            raise ApiError(401)
        call.email = found[0]
        if call.requested_version is None and not call.settings.ignore_version_header:
            call.version = found[1]

    def _count(self, call: Call) -> dict[str, str]:
        """Count a call against the customer's limit and return its headers, `retry-after` when it is exceeded."""
        limit = call.settings.rate_limit
        if limit is None:
            return {}
        now = self._simulator.clock.now(), _real_time()
        recent = self._recent.setdefault(call.email or "", deque())
        # Either clock may pass the second: a test that jumps a day is not flooding, nor is one whose time is frozen.
        while recent and (
            abs((now[0] - recent[0][0]).total_seconds()) >= 1
            or now[1] - recent[0][1] >= 1
        ):
            recent.popleft()
        exceeded = len(recent) >= limit
        if not exceeded:
            recent.append(now)
        headers: dict[str, str] = {}
        if call.settings.rate_limit_headers:
            headers = {
                "ratelimit-limit": str(limit),
                "ratelimit-remaining": str(limit - len(recent)),
                "ratelimit-reset": "1",
            }
        return headers | ({"retry-after": "1"} if exceeded else {})

    @staticmethod
    def _too_many(call: Call) -> ApiError:
        seconds = call.settings.retry_after
        headers = (
            {"retry-after": str(seconds)} if call.settings.rate_limit_headers else {}
        )
        return ApiError(
            429, f"Wait {seconds} seconds before retrying.", headers=headers
        )

    def _refusal(
        self, call: Call, err: ApiError, shape: ErrorShape | None = None
    ) -> Reply:
        if shape is None:
            shape = call.settings.error_shape
            if (
                call.path == "/oauth/token"
                and call.settings.token_error_shape != "version"
            ):
                shape = call.settings.token_error_shape
        status = err.status
        if shape == "rfc" and err.rfc == "invalid_grant":
            status = 400
        body = error_body(
            status,
            err.message,
            shape=shape,
            version=call.version,
            request_id=str(uuid.uuid4()),
            errors=err.errors,
            rfc=err.rfc,
        )
        kind = "text/html" if isinstance(body, str) else "application/json"
        return Reply(status, body, kind, dict(err.headers))

    # --- Faults ------------------------------------------------------------------------------------------------

    async def _delay(self, faults: list[Fault], *, after_work: bool) -> None:
        for fault in faults:
            if fault.kind == "delay":
                if bool(fault.params.get("after_work")) == after_work:
                    await self._pause(fault.params.get("seconds", 30))

    async def _pause(self, seconds: float) -> None:
        """Wait. A simulator that stops meanwhile cuts the connection, also where a test has frozen the time."""
        try:
            await asyncio.wait_for(self._simulator.stopping.wait(), seconds)
        except TimeoutError:
            return
        raise asyncio.CancelledError

    def _decided(self, call: Call, fault: Fault) -> Reply | None:
        params = fault.params
        match fault.kind:
            case "status":
                return self._status(call, fault)
            case "rate_limit":
                headers = dict(params.get("headers", {}))
                wait = params.get("retry_after")
                if wait is not None:
                    headers["retry-after"] = str(wait)
                message = params.get(
                    "message",
                    f"Wait {30 if wait is None else wait} seconds before retrying.",
                )
                return self._refusal(
                    call, ApiError(429, message, headers=headers), params.get("shape")
                )
            case "empty":
                return Reply(params.get("status", 200), "", "application/json")
            case "html":
                status = params.get("status", 200)
                return Reply(status, gateway_page(status), "text/html")
            case "list":
                return Reply(200, [])
            case _:
                return None

    def _status(self, call: Call, fault: Fault) -> Reply:
        params = fault.params
        status = params.get("status", 500)
        # These come from a gateway in front of the service, which knows no envelope.
        of_gateway = status in {408, 502, 503, 504} and "shape" not in params
        body = params.get("body", "html" if of_gateway else "envelope")
        headers = dict(params.get("headers", {}))
        if body == "html":
            return Reply(status, gateway_page(status), "text/html", headers)
        if body == "empty":
            return Reply(status, "", headers=headers)
        if isinstance(body, dict | list):
            return Reply(status, body, headers=headers)
        if body != "envelope":
            return Reply(status, str(body), headers=headers)
        err = ApiError(
            status,
            params.get("message", ""),
            tuple(params.get("errors", ())),
            headers=headers,
        )
        reply = self._refusal(call, err, params.get("shape"))
        # The planned status stands, whatever a shape would make of it.
        reply.status = status
        if "code" in params and isinstance(reply.payload, dict):
            inner = reply.payload.get("error", reply.payload)
            if isinstance(inner, dict):
                inner["code"] = params["code"]
            else:
                reply.payload["error"] = params["code"]
        return reply

    @staticmethod
    def _alter(reply: Reply, fault: Fault) -> None:
        if fault.kind == "headers":
            reply.headers |= fault.params.get("headers", {})
        if fault.kind == "mutate":
            reply.payload = fault.params["change"](reply.payload)
        if not isinstance(reply.payload, dict):
            return
        if fault.kind == "drop_fields":
            for name in fault.params["fields"]:
                reply.payload.pop(name, None)
        elif fault.kind == "set_fields":
            reply.payload |= fault.params["values"]
        elif fault.kind == "missing_refresh_token":
            reply.payload.pop("refresh_token", None)
        elif fault.kind == "expires_in_text" and "expires_in" in reply.payload:
            reply.payload["expires_in"] = str(reply.payload["expires_in"])

    # --- Writing -----------------------------------------------------------------------------------------------

    def _record(
        self, call: Call, now: datetime, reply: Reply | None
    ) -> RecordedRequest:
        customer = (
            None if call.email is None else self._simulator.customers.get(call.email)
        )
        return RecordedRequest(
            time=now,
            method=call.request.method,
            path=call.path,
            query=harmless_query(call.query),
            status=0 if reply is None else reply.status,
            kind=kind_of(call.path),
            body_keys=call.body_keys,
            basic_auth=call.basic_auth,
            grant_type=call.grant_type,
            content_type=call.request.headers.get("Content-Type"),
            cookies=tuple(call.request.cookies),
            api_version=call.requested_version,
            customer=None if customer is None else customer.id,
        )

    async def _write(
        self, call: Call, reply: Reply, faults: list[Fault]
    ) -> web.StreamResponse:
        if isinstance(reply.payload, str):
            body, kind = reply.payload.encode(), reply.content_type
        else:
            body, kind = (
                json.dumps(reply.payload, ensure_ascii=False).encode(
                    errors="backslashreplace"  # half a character is escaped, as JSON has it
                ),
                "application/json",
            )
        headers = {
            "X-API-Version": call.version,
            "Content-Type": f"{kind}; charset=utf-8",
        } | reply.headers
        for fault in faults:
            if fault.kind == "truncate":
                kept = body[: int(len(body) * fault.params.get("keep", 0.5))]
                if fault.params.get("cut_connection"):
                    return await self._stream(
                        call.request, reply.status, headers, kept, len(body), cut=True
                    )
                body = kept
            if fault.kind == "drip":
                chunk, pause = (
                    fault.params.get("chunk", 64),
                    fault.params.get("seconds", 1),
                )
                return await self._stream(
                    call.request,
                    reply.status,
                    headers,
                    body,
                    len(body),
                    chunk=chunk,
                    pause=pause,
                )
        return web.Response(status=reply.status, body=body, headers=headers)

    async def _stream(
        self,
        request: web.Request,
        status: int,
        headers: dict[str, str],
        body: bytes,
        length: int,
        *,
        chunk: int = 65536,
        pause: float = 0,
        cut: bool = False,
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = length
        await response.prepare(request)
        for start in range(0, len(body), chunk):
            await response.write(body[start : start + chunk])
            if pause:
                await self._pause(pause)
        if cut:
            self._cut(request)
        else:
            await response.write_eof()
        return response

    @staticmethod
    def _cut(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


def _with_extras(value: Any) -> Any:
    """Return JSON with an unknown field in every object."""
    if isinstance(value, dict):
        return {key: _with_extras(item) for key, item in value.items()} | {
            "x_simulated": {"since": "tomorrow"}
        }
    return [_with_extras(item) for item in value] if isinstance(value, list) else value
