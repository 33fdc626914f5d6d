"""The endpoints that a customer's token may read."""

from collections.abc import Callable
import re
from typing import Any

from .berlin import api_time
from .billing import BillingService
from .clock import Clock
from .customers import Customer, Subscription, World
from .errors import ApiError
from .http import Request, Response
from .lists import filtered, page
from .objects import customer_object, plan_object, subscription_object
from .prices import PriceService
from .records import kind_of
from .usage import UsageService

type Object = dict[str, Any]
type Handler = Callable[[Request, str], Object | Response]


class Api:
    """Answers all requests that need a bearer token."""

    def __init__(
        self,
        clock: Clock,
        world: World,
        prices: PriceService,
        usage: UsageService,
        billing: BillingService,
    ) -> None:
        """Use the world's contracts and their services."""
        self._clock = clock
        self._world = world
        self._prices = prices
        self._usage = usage
        self._billing = billing
        routes: dict[str, Handler] = {
            r"/subscriptions()": self._list_subscriptions,
            r"/subscriptions/([^/]+)": self._get_subscription,
            r"/subscriptions/([^/]+)/prices": self._get_prices,
            r"/subscriptions/([^/]+)/usage": self._get_usage,
            r"/plans()": self._list_plans,
            r"/plans/([^/]+)": self._get_plan,
            r"/invoices()": self._list_invoices,
            r"/invoices/([^/]+)": self._get_invoice,
            r"/invoices/([^/]+)/file": self._get_invoice_file,
            r"/meter-readings()": self._list_readings,
            r"/grid-fee-reductions()": self._list_reductions,
            r"/grid-fee-reductions/([^/]+)": self._get_reduction,
            r"/customers()": self._list_customers,
            r"/customers/([^/]+)": self._get_customer,
        }
        self._routes = [
            (re.compile(pattern), handler) for pattern, handler in routes.items()
        ]

    def answer(self, request: Request) -> Response:
        """Answer an authenticated request."""
        method = request.raw.method
        if method in {"POST", "PATCH", "PUT", "DELETE"}:
            raise ApiError(403, "This token has no write:* scope")
        if method not in {"GET", "HEAD"}:
            raise ApiError(405)
        kind = kind_of(request.path)
        closed = kind in {"organisation", "quote", "customers"}
        match request.settings.access.get(kind, "forbidden" if closed else "allow"):
            case "forbidden":
                raise ApiError(403)
            case "not_found":
                raise ApiError(404)
        for pattern, handler in self._routes:
            if found := pattern.fullmatch(request.path):
                result = handler(request, found[1])
                return result if isinstance(result, Response) else Response(200, result)
        raise ApiError(404)

    def _customer(self, request: Request) -> Customer:
        return self._world.customers[request.email or ""]

    # --- Subscriptions -----------------------------------------------------------------------------------------

    def _subscription(self, request: Request, subscription_id: str) -> Subscription:
        found = self._world.owned(request.email or "", subscription_id)
        if found is None:
            raise ApiError(404)
        return found

    def _list_subscriptions(self, request: Request, _: str) -> Object:
        now = self._clock.now()
        items = [
            subscription_object(self._world, item, now, embed=False)
            for item in self._customer(request).subscriptions
        ]
        fields = {"status", "customer", "plan", "created_at", "updated_at"}
        return page(request, filtered(request.query, items, fields))

    def _get_subscription(self, request: Request, subscription_id: str) -> Object:
        found = self._subscription(request, subscription_id)
        return subscription_object(self._world, found, self._clock.now(), embed=True)

    def _get_prices(self, request: Request, subscription_id: str) -> Object:
        found = self._subscription(request, subscription_id)
        return self._prices.answer(request, found, self._clock.now())

    def _get_usage(self, request: Request, subscription_id: str) -> Object:
        found = self._subscription(request, subscription_id)
        return self._usage.answer(request, found, self._clock.now())

    # --- Plans -------------------------------------------------------------------------------------------------

    def _list_plans(self, request: Request, _: str) -> Object:
        return page(request, [plan_object(plan) for plan in self._world.plans.values()])

    def _get_plan(self, _request: Request, plan_id: str) -> Object:
        if (plan := self._world.plans.get(plan_id)) is None:
            raise ApiError(404)
        return plan_object(plan)

    # --- Billing -----------------------------------------------------------------------------------------------

    def _invoices(self, request: Request) -> list[Object]:
        now = self._clock.now()
        return [
            invoice
            for item in self._customer(request).subscriptions
            for invoice in self._billing.invoices(item, now)
        ]

    def _list_invoices(self, request: Request, _: str) -> Object:
        fields = {"status", "period_start", "period_end", "type", "subscription"}
        items = filtered(request.query, self._invoices(request), fields)
        return page(request, items, order="issued_at")

    def _get_invoice(self, request: Request, invoice_id: str) -> Object:
        return _find(self._invoices(request), invoice_id)

    def _get_invoice_file(self, request: Request, invoice_id: str) -> Response:
        """Redirect to the PDF on another host, which needs no bearer token."""
        _find(self._invoices(request), invoice_id)
        issued = api_time(self._clock.now().replace(microsecond=0))
        location = f"https://files.example.com/{invoice_id}.pdf?issued={issued}"
        return Response(302, "", headers={"Location": location})

    def _list_readings(self, request: Request, _: str) -> Object:
        now = self._clock.now()
        items = [
            reading
            for item in self._customer(request).subscriptions
            for reading in self._billing.readings(item, now)
        ]
        fields = {"type", "subscription", "created_at"}
        return page(request, filtered(request.query, items, fields))

    def _reductions(self, request: Request) -> list[Object]:
        return [
            reduction
            for item in self._customer(request).subscriptions
            for reduction in self._billing.reductions(item)
        ]

    def _list_reductions(self, request: Request, _: str) -> Object:
        fields = {"status", "customer", "subscription", "created_at", "updated_at"}
        return page(request, filtered(request.query, self._reductions(request), fields))

    def _get_reduction(self, request: Request, reduction_id: str) -> Object:
        return _find(self._reductions(request), reduction_id)

    # --- The customer (403 for a customer's token unless the setting `access` allows it) ------------------------

    def _list_customers(self, request: Request, _: str) -> Object:
        return page(request, [customer_object(self._customer(request))])

    def _get_customer(self, request: Request, customer_id: str) -> Object:
        return _find([customer_object(self._customer(request))], customer_id)


def _find(items: list[Object], item_id: str) -> Object:
    for item in items:
        if item["id"] == item_id:
            return item
    raise ApiError(404)
