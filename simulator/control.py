"""The control room: the simulator's handles over HTTP, for tests of another process and for people."""

from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .berlin import local_date, wire
from .customers import Subscription
from .faults import Fault
from .tariff import PricePoint

if TYPE_CHECKING:
    from .simulator import Simulator

_INSTANTS = {"start_at", "end_at", "terminated_at", "created_at"}

type Answer = dict[str, Any]


class Control:
    """Answers for `/control/…`."""

    def __init__(self, simulator: Simulator) -> None:
        """Work for a simulator."""
        self._simulator = simulator
        self._routes: dict[tuple[str, str], Callable[[Answer, web.Request], Answer]] = {
            ("GET", "state"): self._state,
            ("POST", "clock"): self._clock,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "revoke"): self._revoke,
            ("POST", "expire_access_tokens"): self._expire,
            ("POST", "subscriptions"): self._subscriptions,
            ("GET", "settings"): self._show_settings,
            ("POST", "settings"): self._settings,
            ("DELETE", "settings"): self._reset_settings,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget_requests,
            ("GET", "mailbox"): self._mailbox,
            ("GET", "prices"): self._prices,
            ("POST", "prices"): self._correct,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a control request; what cannot be understood is 400 with a sentence."""
        name = request.match_info["tail"].strip("/")
        handler = self._routes.get((request.method, name))
        if handler is None:
            return web.json_response({"error": "no such control"}, status=404)
        try:
            return web.json_response(handler(_object(await request.text()), request))
        except KeyError as err:
            return web.json_response(
                {"error": f"unknown or missing: {err.args[0]}"}, status=400
            )
        except (ValueError, TypeError, RuntimeError) as err:
            return web.json_response({"error": str(err)}, status=400)

    # --- State -------------------------------------------------------------------------------------------------

    def _state(self, _body: Answer, _request: web.Request) -> Answer:
        simulator = self._simulator
        return {
            "clock": self._clock_state(),
            "customers": {
                email: {
                    "id": customer.id,
                    "subscriptions": [
                        self._told(item) for item in customer.subscriptions
                    ],
                }
                for email, customer in simulator.customers.items()
            },
            "requests": dict(Counter(record.kind for record in simulator.requests)),
            "faults": len(simulator.faults.pending),
        }

    def _clock_state(self) -> Answer:
        now = self._simulator.clock.now()
        moment = self._simulator.publication(local_date(now) + timedelta(days=1))
        return {
            "now": wire(now, millis=True),
            "frozen": self._simulator.clock.frozen,
            "tomorrow_published_at": None if moment is None else wire(moment),
        }

    def _told(self, subscription: Subscription) -> Answer:
        return {
            "id": subscription.id,
            "number": subscription.number,
            "type": subscription.type,
            "meter_type": subscription.meter_type,
            "resolution": subscription.resolution,
            "status": subscription.status(self._simulator.clock.now()),
            "start_at": subscription.start_at and wire(subscription.start_at),
            "end_at": subscription.end_at and wire(subscription.end_at),
            "terminated_at": subscription.terminated_at
            and wire(subscription.terminated_at),
        }

    def _clock(self, body: Answer, _request: web.Request) -> Answer:
        _only(body, {"set", "advance_seconds", "freeze", "run"})
        clock = self._simulator.clock
        if body.get("freeze"):
            clock.freeze()
        if "set" in body:
            clock.set(datetime.fromisoformat(body["set"]))
        if "advance_seconds" in body:
            clock.advance(timedelta(seconds=body["advance_seconds"]))
        if body.get("run"):
            clock.run()
        return self._clock_state()

    # --- Faults and settings -----------------------------------------------------------------------------------

    def _list_faults(self, _body: Answer, _request: web.Request) -> Answer:
        return {
            "faults": [_told_fault(fault) for fault in self._simulator.faults.pending]
        }

    def _add_fault(self, body: Answer, _request: web.Request) -> Answer:
        if body.get("kind") == "mutate":
            raise ValueError("mutate takes a Python callable: in-process only")
        if between := body.pop("between", None):
            begin, end = between
            body["between"] = _instant(begin), _instant(end)
        return _told_fault(
            self._simulator.faults.add(
                body.pop("kind"), body.pop("match", None), **body
            )
        )

    def _clear_faults(self, _body: Answer, _request: web.Request) -> Answer:
        self._simulator.faults.clear()
        return {"faults": []}

    def _show_settings(self, _body: Answer, _request: web.Request) -> Answer:
        settings = self._simulator.settings
        return {
            item.name: _plain(getattr(settings, item.name)) for item in fields(settings)
        }

    def _settings(self, body: Answer, request: web.Request) -> Answer:
        self._simulator.configure(**body)
        return self._show_settings(body, request)

    def _reset_settings(self, body: Answer, request: web.Request) -> Answer:
        self._simulator.settings = type(self._simulator.settings)()
        return self._show_settings(body, request)

    # --- Customers ---------------------------------------------------------------------------------------------

    def _revoke(self, body: Answer, _request: web.Request) -> Answer:
        _only(body, {"email", "immediate"})
        self._simulator.revoke(body["email"], immediate=body.get("immediate", True))
        return {"revoked": True}

    def _expire(self, body: Answer, _request: web.Request) -> Answer:
        _only(body, {"email"})
        self._simulator.expire_access_tokens(body.get("email"))
        return {"expired": True}

    def _subscriptions(self, body: Answer, _request: web.Request) -> Answer:
        """Add, change or remove a contract: `{"action": …, "id" or "email": …, values}`."""
        simulator = self._simulator
        values: Answer = {
            key: _instant(value) if key in _INSTANTS and value is not None else value
            for key, value in body.items()
        }
        match values.pop("action", None):
            case "add":
                email = values.pop("email")
                if (
                    values.pop("create_customer", False)
                    and simulator.world.customer(email) is None
                ):
                    simulator.add_customer(email)
                return self._told(simulator.add_subscription(email, **values))
            case "change":
                return self._told(
                    simulator.set_subscription(values.pop("id"), **values)
                )
            case "remove":
                simulator.remove_subscription(values.pop("id"))
                return {"removed": True}
            case _:
                raise ValueError("action must be add, change or remove")

    def _mailbox(self, _body: Answer, request: web.Request) -> Answer:
        return {"code": self._simulator.oauth.mailbox(request.query["email"])}

    # --- Requests and prices -----------------------------------------------------------------------------------

    def _requests(self, _body: Answer, _request: web.Request) -> Answer:
        return {"requests": [record.as_dict() for record in self._simulator.requests]}

    def _forget_requests(self, _body: Answer, _request: web.Request) -> Answer:
        self._simulator.requests.clear()
        return {"requests": []}

    def _prices(self, _body: Answer, request: web.Request) -> Answer:
        """The truth about a local day, whether or not it is published."""
        day, subscription_id = (
            date.fromisoformat(request.query["date"]),
            request.query["subscription"],
        )
        moment = self._simulator.publication(day)
        return {
            "subscription": subscription_id,
            "date": day.isoformat(),
            "unit": "ct/kWh",
            "resolution": self._simulator.subscription(subscription_id).resolution,
            "published_at": None if moment is None else wire(moment),
            "published_until": wire(self._simulator.published_until(subscription_id)),
            "items": [
                _told_point(point)
                for point in self._simulator.day_prices(subscription_id, day)
            ],
        }

    def _correct(self, body: Answer, _request: web.Request) -> Answer:
        """Correct a published price: `{"subscription": …, "start": …, "amount": …}`."""
        _only(body, {"subscription", "start", "amount"})
        start = _instant(body["start"])
        self._simulator.correct_price(
            body["subscription"], start, float(body["amount"])
        )
        point = self._simulator.price(body["subscription"], start)
        return {} if point is None else _told_point(point)


def _object(text: str) -> Answer:
    body = json.loads(text or "{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body


def _only(body: Answer, names: set[str]) -> None:
    if unknown := body.keys() - names:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")


def _instant(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(f"{text} needs an offset")
    return value.astimezone(UTC)


def _told_fault(fault: Fault) -> Answer:
    return {
        "kind": fault.kind,
        "match": fault.match,
        "method": fault.method,
        "times": fault.times,
        "between": fault.between and [wire(instant) for instant in fault.between],
        "skip": fault.skip,
        "params": {key: _plain(value) for key, value in fault.params.items()},
    }


def _told_point(point: PricePoint) -> Answer:
    return {
        "start": wire(point.start),
        "amount": point.amount,
        "electricity": point.electricity,
        "grid": point.grid,
        "levies": point.levies,
    }


def _plain(value: Any) -> Any:
    """Bring a value into what JSON can say."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return wire(value)
    return (
        value.isoformat()
        if isinstance(value, date | time)
        else value
        if _is_json(value)
        else repr(value)
    )


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)
