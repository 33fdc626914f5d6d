"""The read endpoints that a customer's token meets."""

from collections.abc import Awaitable, Callable
import re
from typing import TYPE_CHECKING, Any

from .berlin import wire
from .books import Books
from .call import Call, Reply
from .customers import Subscription
from .errors import ApiError, FieldError
from .lists import filtered, page
from .objects import customer_object, plan_object, subscription_object
from .records import kind_of
from .settings import CURIE, VERSIONS

if TYPE_CHECKING:
    from .simulator import Simulator

type Handler = Callable[[Call, str], Awaitable[Reply]]

_BATMAN_AND_BEFORE = VERSIONS[:2]
# Old routes and what curie calls them.
_MOVED = (
    (re.compile(r"/subscriptions/([^/]+)/consumption"), "/subscriptions/{}/usage"),
    (
        re.compile(r"/subscriptions/([^/]+)/invoices"),
        "/invoices?filter[subscription][eq]={}",
    ),
    (
        re.compile(r"/subscriptions/([^/]+)/meter_readings"),
        "/meter-readings?filter[subscription][eq]={}",
    ),
    (re.compile(r"/suppliers(/search)?()"), "/market-partners"),
)
# New routes that older versions do not have, and their old names.
_NEW = (
    (re.compile(r"/subscriptions/([^/]+)/usage"), "/subscriptions/{}/consumption"),
    (re.compile(r"/invoices()"), "/subscriptions/<id>/invoices"),
    (re.compile(r"/meter-readings()"), "/subscriptions/<id>/meter_readings"),
)


class Api:
    """Answers for everything that needs a bearer token."""

    def __init__(self, simulator: Simulator) -> None:
        """Work for a simulator."""
        self._simulator = simulator
        self._books = Books(simulator.world, simulator.market, simulator.meters)
        self._routes: tuple[tuple[re.Pattern[str], Handler], ...] = tuple(
            (re.compile(pattern), handler)
            for pattern, handler in (
                (r"/subscriptions()", self.subscriptions),
                (r"/subscriptions/([^/]+)", self.subscription),
                (r"/subscriptions/([^/]+)/prices", self.prices),
                (r"/subscriptions/([^/]+)/(?:usage|consumption)", self.usage),
                (r"/subscriptions/([^/]+)/invoices", self.subscription_invoices),
                (r"/subscriptions/([^/]+)/meter_readings", self.subscription_readings),
                (r"/plans()", self.plans),
                (r"/plans/([^/]+)", self.plan),
                (r"/invoices()", self.invoices),
                (r"/invoices/([^/]+)", self.invoice),
                (r"/invoices/([^/]+)/file", self.invoice_file),
                (r"/meter-readings()", self.readings),
                (r"/grid-fee-reductions()", self.reductions),
                (r"/grid-fee-reductions/([^/]+)", self.reduction),
                (r"/customers()", self.customers),
                (r"/customers/([^/]+)", self.customer),
            )
        )

    async def answer(self, call: Call) -> Reply:
        """Find the handler of an authenticated call and let it answer."""
        if call.request.method not in {"GET", "HEAD"}:
            mutating = call.request.method in {"POST", "PATCH", "PUT", "DELETE"}
            raise (
                ApiError(403, "This token has no write:* scope")
                if mutating
                else ApiError(405)
            )
        kind = kind_of(call.path)
        access = call.settings.access.get(kind)
        if access == "forbidden" or (
            access is None and kind in {"organisation", "quote", "customers"}
        ):
            raise ApiError(403)
        if access == "not_found":
            raise ApiError(404)
        self._check_route(call)
        for pattern, handler in self._routes:
            if found := pattern.fullmatch(call.path):
                return await handler(call, found[1])
        raise ApiError(404)

    @staticmethod
    def _check_route(call: Call) -> None:
        for pattern, other in _MOVED if call.version == CURIE else _NEW:
            if found := pattern.fullmatch(call.path):
                raise ApiError(
                    404,
                    f"This route is called {other.format(found[1])} in version {call.version}",
                )
        if call.version in _BATMAN_AND_BEFORE and call.path.startswith(
            "/grid-fee-reductions"
        ):
            raise ApiError(404)

    # --- Subscriptions -----------------------------------------------------------------------------------------

    def _own(self, call: Call) -> list[Subscription]:
        subscriptions = self._simulator.customers[call.email or ""].subscriptions
        return [
            item
            for item in subscriptions
            if call.version == CURIE or item.type == "consumption"
        ]

    def _one(self, call: Call, subscription_id: str) -> Subscription:
        found = self._simulator.world.owned(call.email or "", subscription_id)
        if found is None:
            raise ApiError(404)
        return found

    async def subscriptions(self, call: Call, _: str) -> Reply:
        """The customer's contracts; before curie those of the feed-in kind are not told."""
        now = self._simulator.clock.now()
        items = [
            subscription_object(
                self._simulator.world, item, now, call.version, embed=False
            )
            for item in self._own(call)
        ]
        return Reply(
            200,
            page(
                call,
                filtered(
                    call.query,
                    items,
                    {"status", "customer", "plan", "created_at", "updated_at"},
                ),
            ),
        )

    async def subscription(self, call: Call, subscription_id: str) -> Reply:
        """One contract with what it embeds."""
        found = self._one(call, subscription_id)
        if found.type == "feed_in" and call.version != CURIE:
            raise ApiError(
                400,
                "Feed-in subscriptions need a newer API version",
                (FieldError("upgrade_api_version", "", CURIE),),
            )
        now = self._simulator.clock.now()
        return Reply(
            200,
            subscription_object(
                self._simulator.world, found, now, call.version, embed=True
            ),
        )

    async def prices(self, call: Call, subscription_id: str) -> Reply:
        """Prices of whole local days."""
        found = self._one(call, subscription_id)
        return Reply(
            200,
            self._simulator.price_desk.answer(call, found, self._simulator.clock.now()),
        )

    async def usage(self, call: Call, subscription_id: str) -> Reply:
        """Measured energy."""
        found = self._one(call, subscription_id)
        return Reply(
            200, self._simulator.meters.answer(call, found, self._simulator.clock.now())
        )

    # --- Plans -------------------------------------------------------------------------------------------------

    async def plans(self, call: Call, _: str) -> Reply:
        """The plans."""
        offered = sorted(self._simulator.world.plans.values(), key=lambda plan: plan.id)
        items = [plan_object(plan, CURIE) for plan in offered]
        answer = page(call, items)
        if call.version != CURIE:
            answer["items"] = [
                plan_object(self._simulator.world.plans[item["id"]], call.version)
                for item in answer["items"]
            ]
        return Reply(200, answer)

    async def plan(self, call: Call, plan_id: str) -> Reply:
        """One plan."""
        if (plan := self._simulator.world.plans.get(plan_id)) is None:
            raise ApiError(404)
        return Reply(200, plan_object(plan, call.version))

    # --- Books -------------------------------------------------------------------------------------------------

    def _invoices(self, call: Call) -> list[dict[str, Any]]:
        now = self._simulator.clock.now()
        return [
            invoice
            for item in self._own(call)
            for invoice in self._books.invoices(item, now, call.version)
        ]

    async def invoices(self, call: Call, _: str) -> Reply:
        """All invoices of the customer."""
        fields = {"status", "period_start", "period_end", "type", "subscription"}
        return Reply(
            200,
            page(
                call,
                filtered(call.query, self._invoices(call), fields),
                order="issued_at",
            ),
        )

    async def subscription_invoices(self, call: Call, subscription_id: str) -> Reply:
        """The invoices of one contract, as versions before curie nest them."""
        items = self._books.invoices(
            self._one(call, subscription_id), self._simulator.clock.now(), call.version
        )
        return Reply(200, page(call, items, order="issued_at"))

    async def invoice(self, call: Call, invoice_id: str) -> Reply:
        """One invoice."""
        return Reply(200, self._find(self._invoices(call), invoice_id))

    async def invoice_file(self, call: Call, invoice_id: str) -> Reply:
        """The way to an invoice's PDF: a redirect to a place that wants no bearer token."""
        self._find(self._invoices(call), invoice_id)
        expires = wire(self._simulator.clock.now().replace(microsecond=0))
        return Reply(
            302,
            "",
            headers={
                "Location": f"https://files.example.com/{invoice_id}.pdf?issued={expires}"
            },
        )

    async def readings(self, call: Call, _: str) -> Reply:
        """All meter readings of the customer."""
        now = self._simulator.clock.now()
        items = [
            reading
            for item in self._own(call)
            for reading in self._books.readings(item, now)
        ]
        return Reply(
            200,
            page(
                call,
                filtered(call.query, items, {"type", "subscription", "created_at"}),
            ),
        )

    async def subscription_readings(self, call: Call, subscription_id: str) -> Reply:
        """The readings of one contract, as versions before curie nest them."""
        items = self._books.readings(
            self._one(call, subscription_id), self._simulator.clock.now()
        )
        return Reply(200, page(call, items))

    def _reductions(self, call: Call) -> list[dict[str, Any]]:
        items = [
            reduction
            for item in self._own(call)
            for reduction in self._books.reductions(item)
        ]
        if call.version != CURIE:
            for item in items:
                del item["customer"]
        return items

    async def reductions(self, call: Call, _: str) -> Reply:
        """The customer's grid-fee reductions."""
        fields = {"status", "customer", "subscription", "created_at", "updated_at"}
        return Reply(
            200, page(call, filtered(call.query, self._reductions(call), fields))
        )

    async def reduction(self, call: Call, reduction_id: str) -> Reply:
        """One grid-fee reduction."""
        return Reply(200, self._find(self._reductions(call), reduction_id))

    # --- The customer (not offered to customers' tokens unless the setting `access` allows it) -------------------

    async def customers(self, call: Call, _: str) -> Reply:
        """The customer, alone in a list."""
        return Reply(
            200,
            page(call, [customer_object(self._simulator.customers[call.email or ""])]),
        )

    async def customer(self, call: Call, customer_id: str) -> Reply:
        """The customer."""
        return Reply(
            200,
            self._find(
                [customer_object(self._simulator.customers[call.email or ""])],
                customer_id,
            ),
        )

    @staticmethod
    def _find(items: list[dict[str, Any]], item_id: str) -> dict[str, Any]:
        for item in items:
            if item["id"] == item_id:
                return item
        raise ApiError(404)
