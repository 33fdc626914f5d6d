"""A proxy between hub and Nomos that records requests, and which responses really arrived."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
import json
import math
from typing import Any

from aiohttp import web

from simulator import Simulator
from simulator.records import kind_of

MOST = 10_000
"""In ct/kWh; an amount beyond that, positive or negative, is no valid price."""

LONGEST_WAIT = timedelta(hours=2)
"""The longest wait that is honoured."""


@dataclass(slots=True)
class Delivered:
    """A valid price that reached the hub, in ct/kWh as last sent."""

    amount: float
    at: datetime
    before: float | None = None
    certain: bool = True
    """Whether the hub must still have it; not if the power failed in the moment of its arrival."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and the status that the hub received."""

    at: datetime
    kind: str
    path: str
    status: int


@dataclass(slots=True)
class Proxy:
    """Intercepts the requests of a simulator. Install it before the simulator starts."""

    sim: Simulator
    requests: list[Request] = field(default_factory=list)
    prices: dict[str, dict[datetime, Delivered]] = field(default_factory=dict)
    waits: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """When Nomos asked to wait, and until when, by path."""
    rotations: int = 0
    newest: str = ""
    """The latest refresh token that the hub received."""
    last_good: datetime | None = None
    """When the hub last received a response that requires a valid grant."""
    held: int = 0
    on_wait: Callable[[str, datetime], None] = lambda _path, _until: None
    on_impatience: Callable[[str, datetime], None] = lambda _path, _until: None
    on_rotation: Callable[[], None] = lambda: None
    on_loss: Callable[[], None] = lambda: None
    on_refusal: Callable[[str, int], None] = lambda _kind, _status: None

    def install(self) -> None:
        """Intercept every request."""
        server: Any = self.sim._server
        handle, delay, refresh = server.handle, server._delay, self.sim.tokens.refresh
        issued: ContextVar[list[str] | None] = ContextVar("issued", default=None)

        async def tapped(request: web.Request) -> web.StreamResponse:
            box: list[str] = []
            issued.set(box)
            begun = self.sim.clock.now()
            self._check_wait(request.path, begun)
            response: web.StreamResponse | None = None
            try:
                response = await handle(request)
            finally:
                # Also if the hub closed the connection.
                self._note(request, begun, response, box)
            return response

        async def held(faults: Any, *, after_work: bool) -> None:
            self.held += 1
            try:
                await delay(faults, after_work=after_work)
            finally:
                self.held -= 1

        def refreshed(*arguments: Any) -> dict[str, Any]:
            answer = refresh(*arguments)
            if (box := issued.get()) is not None and "refresh_token" in answer:
                box.append(answer["refresh_token"])
            return answer

        server.handle, server._delay = tapped, held
        self.sim.tokens.refresh = refreshed  # type: ignore[method-assign, assignment]

    def _check_wait(self, path: str, now: datetime) -> None:
        if (wait := self.waits.get(path)) and wait[0] < now < wait[1]:
            self.on_impatience(path, wait[1])

    def _note(
        self,
        request: web.Request,
        begun: datetime,
        response: web.StreamResponse | None,
        issued: list[str],
    ) -> None:
        gone = (
            response is None
            or request.transport is None
            or request.transport.is_closing()
        )
        status = 0 if gone or response is None else response.status
        kind = kind_of(request.path)
        self.requests.append(Request(begun, kind, request.path, status))
        body = b""
        if not gone and isinstance(response, web.Response):
            body = bytes(response.body or b"")  # type: ignore[arg-type]
        payload = _payload(body)
        if issued:
            if status == 200 and payload.get("refresh_token") == issued[-1]:
                self.rotations += 1
                self.newest = issued[-1]
                self.on_rotation()
            else:
                self.on_loss()
        # If a response is cut off in its body, its headers have arrived.
        if response is not None and (
            status == 429 or (gone and response.prepared and response.status == 429)
        ):
            self._note_wait(request.path, response.headers.get("Retry-After"))
        if status in {400, 401, 403}:
            self.on_refusal(kind, status)
        if status == 200 and kind == "prices":
            self._note_prices(request.path.split("/")[2], payload)

    def _note_wait(self, path: str, text: str | None) -> None:
        now = self.sim.clock.now()
        if text is None:
            return
        try:
            wait = timedelta(seconds=float(text))
        except ValueError, OverflowError:
            try:
                wait = parsedate_to_datetime(text) - now
            except ValueError:
                return
        until = now + min(max(wait, timedelta()), LONGEST_WAIT)
        # A tolerance of one second, since headers have whole seconds.
        self.waits[path] = now, until - timedelta(seconds=1)
        self.on_wait(path, until)

    def _note_prices(self, subscription_id: str, payload: dict[str, Any]) -> None:
        if payload.get("unit") != "ct/kWh" or payload.get("currency") != "EUR":
            return
        known = self.prices.setdefault(subscription_id, {})
        now = self.sim.clock.now()
        items = payload.get("items") or ()
        # A hub may reject the whole response or only this item.
        certain = all(_moment(item) for item in items)
        if certain:
            self.last_good = now
        for item in items:
            amount, start = item.get("amount"), _moment(item)
            if (
                start is None
                or isinstance(amount, bool)
                or not isinstance(amount, int | float)
                or not math.isfinite(amount)
                or abs(amount) > MOST
            ):
                continue
            earlier = known.get(start)
            if earlier is None:
                known[start] = Delivered(amount, now, certain=certain)
                continue
            if earlier.amount != amount:
                earlier.before = earlier.amount
                earlier.certain &= certain
            if not earlier.certain or earlier.amount != amount:
                earlier.at = now
            earlier.amount, earlier.certain = amount, earlier.certain or certain

    def power_failed(self, since: datetime) -> None:
        """Record that data which arrived after an instant may be lost."""
        for known in self.prices.values():
            for delivered in known.values():
                if delivered.at >= since:
                    delivered.certain = False

    def forget_before(self, instant: datetime) -> None:
        """Drop past data, so that memory does not grow in a long run."""
        self.requests = [one for one in self.requests if one.at >= instant]
        for known in self.prices.values():
            for start in [start for start in known if start < instant]:
                del known[start]
        self.sim.requests.clear()


def _moment(item: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(item["timestamp"])
    except ValueError:
        return None


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except ValueError, RecursionError:
        return {}
    return payload if isinstance(payload, dict) else {}
