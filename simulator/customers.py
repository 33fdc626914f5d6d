"""The fictional customers of the simulated Nomos and their contracts."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from . import noise
from .berlin import DAY, HOUR, QUARTER, add_months, local_date, midnight

type Status = Literal["pending", "active", "ended"]
type Resolution = Literal["15min", "hourly"]
type Direction = Literal["consumption", "feed_in"]
type MeterType = Literal["smart", "analog"]

# Changeable values of a contract, and their attributes.
_CHANGEABLE = {
    "status": "fixed_status",
    "start_at": "start_at",
    "end_at": "end_at",
    "terminated_at": "terminated_at",
    "resolution": "resolution",
    "number": "number",
}


def normalised(email: str) -> str:
    """Return an e-mail address in the normalised form that identifies a customer."""
    return email.strip().lower()


@dataclass(frozen=True, slots=True)
class Plan:
    """A product. `price` is the monthly base fee in EUR with VAT, without grid and metering fees."""

    id: str
    name: str
    slug: str
    description: str
    price: float
    type: Direction
    created_at: datetime


@dataclass(slots=True)
class Subscription:
    """A contract. It changes only through `World`; instants are UTC, `end_at` is exclusive."""

    id: str
    email: str
    type: Direction
    meter_type: MeterType
    resolution: Resolution
    plan: str
    number: str | None
    estimated_usage: float
    created_at: datetime
    updated_at: datetime
    start_at: datetime | None
    end_at: datetime | None = None
    terminated_at: datetime | None = None
    fixed_status: Status | None = None
    decimals: int = 4
    # Corrected totals in ct/kWh by the interval's start.
    corrections: dict[datetime, float] = field(default_factory=dict)

    @property
    def feeds_in(self) -> bool:
        """Whether the customer sells electricity rather than buying it."""
        return self.type == "feed_in"

    @property
    def step(self) -> timedelta:
        """The length of a price interval."""
        return HOUR if self.resolution == "hourly" else QUARTER

    def status(self, now: datetime) -> Status:
        """Return the contract's status at an instant: the one that a test has set, else by start and end."""
        if self.fixed_status is not None:
            return self.fixed_status
        if self.start_at is None or now < self.start_at:
            return "pending"
        return "ended" if self.end_at is not None and self.end_at <= now else "active"

    def covers(self, instant: datetime) -> bool:
        """Whether an instant is within the period of supply."""
        return (
            self.start_at is not None
            and self.start_at <= instant
            and (self.end_at is None or instant < self.end_at)
        )


@dataclass(frozen=True, slots=True)
class Customer:
    """A person with contracts, all fictional."""

    id: str
    email: str
    first_name: str
    last_name: str
    created_at: datetime
    subscriptions: list[Subscription] = field(default_factory=list)


class World:
    """All customers, contracts and plans; the same for the same seed."""

    def __init__(self, seed: int, now: datetime) -> None:
        """Create the world as of an instant; contracts begin and end relative to it."""
        self.seed = seed
        self.today = local_date(now)
        self.customers: dict[str, Customer] = {}
        self.plans: dict[str, Plan] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._populate()

    # --- Lookups -----------------------------------------------------------------------------------------------

    def subscription(self, subscription_id: str) -> Subscription:
        """Return a contract; KeyError if there is none."""
        return self._subscriptions[subscription_id]

    def customer(self, email: str) -> Customer:
        """Return the customer with an e-mail address in any case; KeyError if there is none."""
        return self.customers[normalised(email)]

    def owned(self, email: str, subscription_id: str) -> Subscription | None:
        """Return a contract of this customer; None if there is none or it belongs to another customer."""
        found = self._subscriptions.get(subscription_id)
        return found if found is not None and found.email == email else None

    # --- Changes -----------------------------------------------------------------------------------------------

    def add_customer(
        self, email: str, first_name: str = "Kim", last_name: str = "Beispiel"
    ) -> Customer:
        """Add a customer without a contract."""
        email = normalised(email)
        if email in self.customers:
            raise ValueError("this customer exists already")
        customer = Customer(
            noise.identifier("cus", self.seed, email),
            email,
            first_name,
            last_name,
            self._before(months=21),
        )
        self.customers[email] = customer
        return customer

    def add_subscription(
        self,
        email: str,
        *,
        type: Direction = "consumption",
        meter_type: MeterType = "smart",
        resolution: Resolution = "15min",
        start_at: datetime | Literal["default"] | None = "default",
        end_at: datetime | None = None,
        created_at: datetime | None = None,
        number: str | None = None,
        estimated_usage: float = 3200.0,
    ) -> Subscription:
        """Add a contract; by default it began 20 months before the simulator."""
        customer = self.customer(email)
        serial = len(self._subscriptions)
        name = f"{customer.email}:{len(customer.subscriptions)}:{serial}"
        start = self._before(months=20) if start_at == "default" else start_at
        created = created_at or (start or midnight(self.today)) - 25 * DAY + timedelta(
            hours=9, minutes=serial
        )
        slug = ("feed-in" if type == "feed_in" else "dynamic") + (
            "-hourly" if resolution == "hourly" else ""
        )
        subscription = Subscription(
            id=noise.identifier("sub", self.seed, name),
            email=customer.email,
            type=type,
            meter_type=meter_type,
            resolution=resolution,
            plan=self._plan_id(slug),
            number=number
            or noise.word(
                self.seed, f"number:{name}", 8, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
            ),
            estimated_usage=estimated_usage,
            created_at=created,
            updated_at=created,
            start_at=start,
            end_at=end_at,
            terminated_at=None if end_at is None else end_at - 30 * DAY,
            decimals=2 if resolution == "hourly" else 4,
        )
        self._subscriptions[subscription.id] = subscription
        customer.subscriptions.append(subscription)
        return subscription

    def change_subscription(
        self, subscription_id: str, now: datetime, **changes: Any
    ) -> Subscription:
        """Change a contract; with a `status` of None, it follows start and end again."""
        subscription = self.subscription(subscription_id)
        if unknown := changes.keys() - _CHANGEABLE.keys():
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            if isinstance(value, datetime) and value.tzinfo is None:
                raise ValueError(f"{name} must be aware")
            setattr(subscription, _CHANGEABLE[name], value)
        subscription.updated_at = now
        return subscription

    def remove_subscription(self, subscription_id: str) -> None:
        """Remove a contract as if it had never existed."""
        subscription = self._subscriptions.pop(subscription_id)
        self.customers[subscription.email].subscriptions.remove(subscription)

    # --- Start -------------------------------------------------------------------------------------------------

    def _before(self, *, months: int) -> datetime:
        return midnight(add_months(self.today, -months))

    def _plan_id(self, slug: str) -> str:
        return noise.identifier("pln", self.seed, slug)

    def _populate(self) -> None:
        plans: tuple[tuple[str, str, float, Direction], ...] = (
            ("dynamic", "Simulated Dynamic", 10.99, "consumption"),
            ("dynamic-hourly", "Simulated Dynamic Hourly", 8.99, "consumption"),
            ("feed-in", "Simulated Feed-in", 3.49, "feed_in"),
            ("feed-in-hourly", "Simulated Feed-in Hourly", 2.99, "feed_in"),
        )
        for slug, name, price, direction in plans:
            plan = Plan(
                self._plan_id(slug),
                name,
                slug,
                f"{name}: a plan of the simulator, not an offer.",
                price,
                direction,
                midnight(date(2024, 1, 1)),
            )
            self.plans[plan.id] = plan
        for local_part, first_name, last_name in (
            ("smart", "Mina", "Musterfrau"),
            ("analog", "Arno", "Ableser"),
            ("solar", "Sina", "Sonnental"),
            ("pending", "Paul", "Bald"),
            ("ended", "Elsa", "Ehemals"),
            ("many", "Hanna", "Hausverwaltung"),
            ("nobody", "Nele", "Niemand"),
        ):
            self.add_customer(f"{local_part}@example.com", first_name, last_name)
        self.add_subscription("smart@example.com", number="4X44EMKX")
        self.add_subscription(
            "analog@example.com",
            meter_type="analog",
            resolution="hourly",
            estimated_usage=2400.0,
        )
        self.add_subscription("solar@example.com", estimated_usage=4100.0)
        self.add_subscription(
            "solar@example.com", type="feed_in", estimated_usage=7600.0
        )
        self.add_subscription(
            "pending@example.com", start_at=midnight(self.today + 10 * DAY)
        )
        self.add_subscription(
            "ended@example.com", end_at=midnight(self.today - 30 * DAY)
        )
        for index in range(13):
            self.add_subscription(
                "many@example.com",
                type="feed_in" if index == 4 else "consumption",
                resolution="hourly" if index % 5 == 3 else "15min",
                start_at=midnight(self.today + 20 * DAY)
                if index == 12
                else self._before(months=20 - index),
                end_at=self._before(months=1) if index == 0 else None,
                estimated_usage=1800.0 + 150 * index,
            )
