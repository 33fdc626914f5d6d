"""The simulator's HTTP controls, for tests in another process and for people."""

from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime, time, timedelta
import json
from typing import Any

from aiohttp import web

from .berlin import api_time, local_date, parse_instant
from .clock import Clock
from .customers import Subscription, World, normalised
from .faults import Fault, FaultPlan
from .oauth import OAuth
from .objects import supply_times
from .prices import PriceService
from .records import RecordedRequest
from .settings import Configuration
from .tariff import PricePoint
from .tokens import TokenStore

_INSTANTS = {"start_at", "end_at", "terminated_at", "created_at"}

type Body = dict[str, Any]
type Query = dict[str, str]


class Control:
    """Answers requests to `/control/…`."""

    def __init__(
        self,
        clock: Clock,
        configuration: Configuration,
        faults: FaultPlan,
        world: World,
        tokens: TokenStore,
        oauth: OAuth,
        prices: PriceService,
        requests: list[RecordedRequest],
    ) -> None:
        """Control the parts of a simulator."""
        self._clock = clock
        self._configuration = configuration
        self._faults = faults
        self._world = world
        self._tokens = tokens
        self._oauth = oauth
        self._prices = prices
        self._requests = requests
        self._routes: dict[tuple[str, str], Callable[[Body, Query], Body]] = {
            ("GET", "state"): self._show_state,
            ("POST", "clock"): self._change_clock,
            ("GET", "faults"): self._show_faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "revoke"): self._revoke,
            ("POST", "expire_access_tokens"): self._expire_access_tokens,
            ("POST", "subscriptions"): self._change_subscriptions,
            ("GET", "settings"): self._show_settings,
            ("POST", "settings"): self._change_settings,
            ("DELETE", "settings"): self._reset_settings,
            ("GET", "requests"): self._show_requests,
            ("DELETE", "requests"): self._clear_requests,
            ("GET", "mailbox"): self._show_mailbox,
            ("GET", "prices"): self._show_prices,
            ("POST", "prices"): self._correct_price,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a control request; an invalid one gets a 400 with a sentence."""
        name = request.match_info["tail"].strip("/")
        handler = self._routes.get((request.method, name))
        if handler is None:
            return web.json_response({"error": "no such control"}, status=404)
        try:
            body = _read_object(await request.text())
            return web.json_response(handler(body, dict(request.query)))
        except KeyError as err:
            message = f"unknown or missing: {err.args[0]}"
        except (ValueError, TypeError, RuntimeError) as err:
            message = str(err)
        return web.json_response({"error": message}, status=400)

    # --- State -------------------------------------------------------------------------------------------------

    def _show_state(self, _body: Body, _query: Query) -> Body:
        return {
            "clock": self._clock_state(),
            "customers": {
                email: {
                    "id": customer.id,
                    "subscriptions": [
                        self._subscription_json(item) for item in customer.subscriptions
                    ],
                }
                for email, customer in self._world.customers.items()
            },
            "requests": Counter(record.kind for record in self._requests),
            "faults": len(self._faults.pending),
        }

    def _clock_state(self) -> Body:
        now = self._clock.now()
        tomorrow = local_date(now) + timedelta(days=1)
        return {
            "now": api_time(now, millis=True),
            "frozen": self._clock.frozen,
            "tomorrow_published_at": self._published_at(tomorrow),
        }

    def _published_at(self, day: date) -> str | None:
        instant = self._prices.publication(day, self._configuration.settings)
        return None if instant is None else api_time(instant)

    def _subscription_json(self, subscription: Subscription) -> Body:
        return {
            "id": subscription.id,
            "number": subscription.number,
            "type": subscription.type,
            "meter_type": subscription.meter_type,
            "resolution": subscription.resolution,
            "status": subscription.status(self._clock.now()),
            **supply_times(subscription),
        }

    def _change_clock(self, body: Body, _query: Query) -> Body:
        _check_names(body, {"set", "advance_seconds", "freeze", "run"})
        if body.get("freeze"):
            self._clock.freeze()
        if "set" in body:
            self._clock.set(parse_instant(body["set"]))
        if "advance_seconds" in body:
            self._clock.advance(timedelta(seconds=body["advance_seconds"]))
        if body.get("run"):
            self._clock.run()
        return self._clock_state()

    def _show_requests(self, _body: Body, _query: Query) -> Body:
        return {"requests": [record.as_dict() for record in self._requests]}

    def _clear_requests(self, body: Body, query: Query) -> Body:
        self._requests.clear()
        return self._show_requests(body, query)

    # --- Faults and settings -----------------------------------------------------------------------------------

    def _show_faults(self, _body: Body, _query: Query) -> Body:
        return {"faults": [_fault_json(fault) for fault in self._faults.pending]}

    def _add_fault(self, body: Body, _query: Query) -> Body:
        if body.get("kind") == "mutate":
            raise ValueError("mutate takes a Python callable: in-process only")
        if between := body.pop("between", None):
            begin, end = between
            body["between"] = parse_instant(begin), parse_instant(end)
        fault = self._faults.add(body.pop("kind"), body.pop("match", None), **body)
        return _fault_json(fault)

    def _clear_faults(self, body: Body, query: Query) -> Body:
        self._faults.clear()
        return self._show_faults(body, query)

    def _show_settings(self, _body: Body, _query: Query) -> Body:
        settings = self._configuration.settings
        return {
            item.name: _plain(getattr(settings, item.name)) for item in fields(settings)
        }

    def _change_settings(self, body: Body, query: Query) -> Body:
        self._configuration.change(**body)
        return self._show_settings(body, query)

    def _reset_settings(self, body: Body, query: Query) -> Body:
        self._configuration.reset()
        return self._show_settings(body, query)

    # --- Customers ---------------------------------------------------------------------------------------------

    def _revoke(self, body: Body, _query: Query) -> Body:
        _check_names(body, {"email", "immediate"})
        customer = self._world.customer(body["email"])
        self._tokens.revoke(customer.email, immediate=body.get("immediate", True))
        return {"revoked": True}

    def _expire_access_tokens(self, body: Body, _query: Query) -> Body:
        _check_names(body, {"email"})
        email = body.get("email")
        self._tokens.invalidate_access(
            None if email is None else self._world.customer(email).email
        )
        return {"expired": True}

    def _change_subscriptions(self, body: Body, _query: Query) -> Body:
        """Add, change or remove a contract: `{"action": …, "id" or "email": …, values}`."""
        values: Body = {
            key: parse_instant(value)
            if key in _INSTANTS and value is not None
            else value
            for key, value in body.items()
        }
        match values.pop("action", None):
            case "add":
                email = values.pop("email")
                create = values.pop("create_customer", False)
                if create and normalised(email) not in self._world.customers:
                    self._world.add_customer(email)
                return self._subscription_json(
                    self._world.add_subscription(email, **values)
                )
            case "change":
                return self._subscription_json(
                    self._world.change_subscription(
                        values.pop("id"), self._clock.now(), **values
                    )
                )
            case "remove":
                self._world.remove_subscription(values.pop("id"))
                return {"removed": True}
            case _:
                raise ValueError("action must be add, change or remove")

    def _show_mailbox(self, _body: Body, query: Query) -> Body:
        return {"code": self._oauth.mailbox(query["email"])}

    # --- Prices ------------------------------------------------------------------------------------------------

    def _show_prices(self, _body: Body, query: Query) -> Body:
        """Return the true prices of a local day, published or not."""
        day = date.fromisoformat(query["date"])
        subscription = self._world.subscription(query["subscription"])
        published_until = self._prices.published_until(
            subscription, self._clock.now(), self._configuration.settings
        )
        points = self._prices.day_prices(subscription, day)
        return {
            "subscription": subscription.id,
            "date": day.isoformat(),
            "unit": "ct/kWh",
            "resolution": subscription.resolution,
            "published_at": self._published_at(day),
            "published_until": api_time(published_until),
            "items": [_price_json(point) for point in points],
        }

    def _correct_price(self, body: Body, _query: Query) -> Body:
        """Correct a price: `{"subscription": …, "start": …, "amount": …}`."""
        _check_names(body, {"subscription", "start", "amount"})
        subscription = self._world.subscription(body["subscription"])
        start, amount = parse_instant(body["start"]), float(body["amount"])
        return _price_json(self._prices.correct(subscription, start, amount))


def _read_object(text: str) -> Body:
    body = json.loads(text or "{}")
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body


def _check_names(body: Body, names: set[str]) -> None:
    if unknown := body.keys() - names:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")


def _fault_json(fault: Fault) -> Body:
    return {
        "kind": fault.kind,
        "match": fault.match,
        "method": fault.method,
        "times": fault.times,
        "between": _plain(fault.between),
        "skip": fault.skip,
        "params": _plain(fault.params),
    }


def _price_json(point: PricePoint) -> Body:
    return {
        "start": api_time(point.start),
        "amount": point.amount,
        "electricity": point.electricity,
        "grid": point.grid,
        "levies": point.levies,
    }


def _plain(value: Any) -> Any:
    """Return a value in a form that JSON can hold."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case datetime():
            return api_time(value)
        case date() | time():
            return value.isoformat()
        case None | bool() | int() | float() | str():
            return value
        case _:
            return repr(value)
