"""The simulator itself: a running stand-in of Nomos with handles for tests."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
import ipaddress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from aiohttp import web

from .api import Api
from .berlin import day_intervals, local_date
from .clock import Clock
from .control import Control
from .customers import Customer, Resolution, Status, Subscription, World
from .faults import FaultPlan
from .market import Market, ReplayMarket, SyntheticMarket
from .oauth import OAuth
from .prices import PriceDesk, publication, true_price
from .records import RecordedRequest
from .server import Server
from .settings import Settings
from .tariff import PricePoint
from .tokens import Client, TokenStore
from .usage import MeterDesk

DEFAULT_CLIENT_ID = "nomos-home"
DEFAULT_CLIENT_SECRET = "nomos-home-secret"
DEFAULT_REDIRECT_URIS = (
    "https://my.home-assistant.io/redirect/oauth",
    "http://localhost:8123",
    "http://127.0.0.1:8123",
    "http://homeassistant.local:8123",
)

_override: ContextVar[Settings | None] = ContextVar("simulator_settings", default=None)
_KEEP = cast("Any", object())


class Simulator:
    """A stand-in of Nomos: OAuth server, API, market, meters and faults on a loopback port."""

    def __init__(
        self,
        seed: int = 1,
        now: datetime | Callable[[], datetime] | None = None,
        market_file: Path | str | None = None,
        client_id: str = DEFAULT_CLIENT_ID,
        client_secret: str = DEFAULT_CLIENT_SECRET,
        redirect_uris: Sequence[str] = DEFAULT_REDIRECT_URIS,
    ) -> None:
        """Build the world of a seed as it is at the clock's present instant.

        Args:
            seed: Fixes ids, prices, publication times and usage.
            now: Where the clock starts (an aware datetime) or what tells the time (a callable); None: the system's.
            market_file: A CSV file with the real prices to replay; None: synthetic prices.
            client_id: The OAuth client that Nomos would have registered.
            client_secret: Its secret.
            redirect_uris: Its redirect URIs; any path on their origins is accepted.
        """
        self.seed = seed
        self.clock = Clock(now)
        self.settings = Settings()
        self.secrets: set[str] = set()
        self.requests: list[RecordedRequest] = []
        self.faults = FaultPlan(lambda params: self.settings.changed(params))
        self.world = World(seed, self.clock.now())
        self.market: Market = (
            SyntheticMarket(seed)
            if market_file is None
            else ReplayMarket(Path(market_file), local_date(self.clock.now()))
        )
        self.meters = MeterDesk(seed)
        self.price_desk = PriceDesk(self.market, seed)
        self.tokens = TokenStore(
            self.clock, lambda: self.current_settings, self.keep_secret
        )
        self.oauth = OAuth(self)
        self.api = Api(self)
        self._server = Server(self)
        self._control = Control(self)
        self._runner: web.AppRunner | None = None
        self._url: str | None = None
        self.add_client(client_id, client_secret, redirect_uris)
        self.stopping = asyncio.Event()
        """Set while it stops: whoever is kept waiting need not wait any longer."""

    # --- Life --------------------------------------------------------------------------------------------------

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen on a loopback address; port 0 means any free one. Any other address is refused."""
        if not _is_loopback(host):
            raise ValueError("the simulator listens on loopback addresses only")
        if self._runner is not None:
            raise RuntimeError("the simulator is running already")
        app = web.Application()
        app.router.add_route("*", "/control/{tail:.*}", self._control.handle)
        app.router.add_route("*", "/{tail:.*}", self._server.handle)
        self.stopping = asyncio.Event()
        # No access log: its lines would hold the codes and states of redirects.
        # A handler ends with its connection: one that works on a fault must not outlive the simulator.
        runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=0.1,
            handler_cancellation=True,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        shown = f"[{host}]" if ":" in host else host
        self._url = f"http://{shown}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close all connections and stop listening; what it knows stays."""
        if self._runner is not None:
            runner, self._runner, self._url = self._runner, None, None
            self.stopping.set()
            await runner.cleanup()

    @property
    def url(self) -> str:
        """The base URL while it runs, without a slash at the end."""
        if self._url is None:
            raise RuntimeError("the simulator is not running")
        return self._url

    # --- Settings and secrets ----------------------------------------------------------------------------------

    @property
    def current_settings(self) -> Settings:
        """The settings that hold for the request being answered, or the general ones."""
        return _override.get() or self.settings

    @contextmanager
    def using(self, settings: Settings) -> Iterator[None]:
        """Let settings hold within the block."""
        token = _override.set(settings)
        try:
            yield
        finally:
            _override.reset(token)

    def configure(self, **changes: Any) -> None:
        """Change settings for good; see `simulator.settings.Settings` for the names."""
        self.settings = self.settings.changed(changes)

    def keep_secret(self, value: str) -> None:
        """Remember a value that must never show up in a log."""
        self.secrets.add(value)

    def add_client(
        self, client_id: str, client_secret: str, redirect_uris: Sequence[str]
    ) -> None:
        """Register an OAuth client."""
        self.keep_secret(client_secret)
        self.oauth.clients[client_id] = Client(
            client_id, client_secret, tuple(redirect_uris)
        )

    # --- Customers ---------------------------------------------------------------------------------------------

    @property
    def customers(self) -> Mapping[str, Customer]:
        """The customers by e-mail address."""
        return MappingProxyType(self.world.customers)

    def add_customer(
        self, email: str, first_name: str = "Kim", last_name: str = "Beispiel"
    ) -> Customer:
        """Add a customer without a contract."""
        return self.world.add_customer(email, first_name, last_name)

    def subscription(self, subscription_id: str) -> Subscription:
        """Return a contract; KeyError when there is none."""
        return self.world.subscription(subscription_id)

    def add_subscription(self, email: str, **values: Any) -> Subscription:
        """Add a contract; see `World.add_subscription` for the values."""
        return self.world.add_subscription(email, **values)

    def remove_subscription(self, subscription_id: str) -> None:
        """Take a contract away as if it had never been."""
        self.world.remove_subscription(subscription_id)

    def set_subscription(
        self,
        subscription_id: str,
        *,
        status: Status | None = _KEEP,
        start_at: datetime | None = _KEEP,
        end_at: datetime | None = _KEEP,
        terminated_at: datetime | None = _KEEP,
        resolution: Resolution = _KEEP,
        number: str | None = _KEEP,
    ) -> Subscription:
        """Change a contract. A status of None follows start and end again."""
        subscription = self.world.subscription(subscription_id)
        for name, value in (
            ("fixed_status", status),
            ("start_at", start_at),
            ("end_at", end_at),
            ("terminated_at", terminated_at),
            ("resolution", resolution),
            ("number", number),
        ):
            if value is not _KEEP:
                if isinstance(value, datetime) and value.tzinfo is None:
                    raise ValueError(f"{name} must be aware")
                setattr(subscription, name, value)
        subscription.updated_at = self.clock.now()
        return subscription

    # --- Tokens ------------------------------------------------------------------------------------------------

    def issue_tokens(self, email: str, client_id: str | None = None) -> dict[str, Any]:
        """Return the token endpoint's answer for a fresh consent of a customer, without walking the pages."""
        customer = self.customers[email.strip().lower()]
        client = client_id or next(iter(self.oauth.clients))
        return self.tokens.issue(client, customer.email, self.settings.default_version)

    def revoke(self, email: str, immediate: bool = True) -> None:
        """End all consents of a customer; `immediate`: access tokens die as well, else they live to their end."""
        self.tokens.revoke(
            self.customers[email.strip().lower()].email, immediate=immediate
        )

    def expire_access_tokens(self, email: str | None = None) -> None:
        """Kill the access tokens of a customer, or of all; refresh tokens live on."""
        self.tokens.kill_access(
            None if email is None else self.customers[email.strip().lower()].email
        )

    # --- Prices ------------------------------------------------------------------------------------------------

    def price(self, subscription_id: str, start: datetime) -> PricePoint | None:
        """Return the true price of the interval that contains an instant, published or not, in ct/kWh.

        None outside the time of supply, and where the market has no prices.
        """
        return true_price(self.market, self.subscription(subscription_id), start)

    def correct_price(
        self, subscription_id: str, start: datetime, amount: float
    ) -> None:
        """Correct the total of the interval that contains an instant, in ct/kWh, from now on."""
        subscription = self.subscription(subscription_id)
        point = true_price(self.market, subscription, start)
        if point is None:
            raise ValueError("there is no price at this instant")
        subscription.corrections[point.start] = amount

    def metered(
        self, subscription_id: str, first: date, end: date
    ) -> list[tuple[datetime, float, bool]]:
        """Return start, kWh and finality of the quarter-hours that a meter has told so far.

        Args:
            subscription_id: whose meter it is.
            first: the first local day.
            end: the day after the last one.

        """
        return list(
            self.meters.quarters(
                self.settings,
                self.subscription(subscription_id),
                first,
                end,
                self.clock.now(),
            )
        )

    def correct_usage(self, subscription_id: str, start: datetime, kwh: float) -> None:
        """Say from now on that the quarter-hour that starts at an instant had another energy."""
        self.meters.correct(self.subscription(subscription_id), start, kwh)

    def day_prices(self, subscription_id: str, day: date) -> list[PricePoint]:
        """Return the true prices of a local day, published or not."""
        starts = day_intervals(day, self.subscription(subscription_id).step)
        return [
            point
            for start in starts
            if (point := self.price(subscription_id, start)) is not None
        ]

    def publication(self, day: date) -> datetime | None:
        """Return the instant (UTC) at which the prices of a delivery day come out; None: never."""
        return publication(day, self.seed, self.settings)

    def publish_at(self, day: date, at: time | Literal["never"]) -> None:
        """Plan when a delivery day comes out: a local time on the day before, or never."""
        self.configure(publications={**self.settings.publications, day: at})

    def published_until(self, subscription_id: str) -> datetime:
        """Return the end (UTC) of what is published without a gap from the present interval on."""
        return self.price_desk.published_until(
            self.subscription(subscription_id), self.clock.now(), self.settings
        )

    def count(self, kind: str | None = None, since: timedelta | None = None) -> int:
        """Return how many requests of a kind (or all) were answered, in all or within a time up to now."""
        begin = None if since is None else self.clock.now() - since
        return sum(
            (kind is None or record.kind == kind)
            and (begin is None or record.time > begin)
            for record in self.requests
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
