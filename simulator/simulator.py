"""The simulator: a running stand-in for Nomos, with methods for tests."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
import ipaddress
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from .api import Api
from .berlin import local_date
from .billing import BillingService
from .clock import Clock
from .control import Control
from .customers import Customer, Subscription, World
from .faults import FaultPlan
from .market import Market, ReplayMarket, SyntheticMarket
from .oauth import OAuth
from .prices import PriceService
from .records import RecordedRequest
from .server import Server
from .settings import Configuration, Settings
from .tariff import PricePoint
from .tokens import Client, TokenStore
from .usage import UsageService

DEFAULT_CLIENT_ID = "nomos-home"
DEFAULT_CLIENT_SECRET = "nomos-home-secret"
DEFAULT_REDIRECT_URIS = (
    "https://my.home-assistant.io/redirect/oauth",
    "http://localhost:8123",
    "http://127.0.0.1:8123",
    "http://homeassistant.local:8123",
)


class Simulator:
    """A stand-in for Nomos: OAuth server, API, market, meters and faults on a loopback port."""

    def __init__(
        self,
        seed: int = 1,
        now: datetime | Callable[[], datetime] | None = None,
        market_file: Path | str | None = None,
        client_id: str = DEFAULT_CLIENT_ID,
        client_secret: str = DEFAULT_CLIENT_SECRET,
        redirect_uris: Sequence[str] = DEFAULT_REDIRECT_URIS,
    ) -> None:
        """Build the world of a seed as of the clock's current instant.

        Args:
            seed: Fixes ids, prices, publication times and usage.
            now: The clock's start (an aware datetime) or source (a callable); None: the system's clock.
            market_file: A CSV file with the real prices to replay; None: synthetic prices.
            client_id: The OAuth client that Nomos would have registered.
            client_secret: Its secret.
            redirect_uris: Its redirect URIs; any path on their origins is accepted.
        """
        self.secrets: set[str] = set()
        self.requests: list[RecordedRequest] = []
        self.clock = Clock(now)
        self.faults = FaultPlan()
        self.world = World(seed, self.clock.now())
        market: Market = (
            SyntheticMarket(seed)
            if market_file is None
            else ReplayMarket(Path(market_file), local_date(self.clock.now()))
        )
        self.prices = PriceService(market, seed)
        self.usage = UsageService(seed)
        self.tokens = TokenStore(self.clock, self.secrets)
        self.oauth = OAuth(self.clock, self.world, self.tokens, self.secrets)
        self._configuration = Configuration()
        self.billing = BillingService(self.world, self.prices, self.usage)
        api = Api(self.clock, self.world, self.prices, self.usage, self.billing)
        self._server = Server(
            self.clock,
            self._configuration,
            self.faults,
            self.world,
            self.tokens,
            self.oauth,
            api,
            self.requests,
        )
        self._control = Control(
            self.clock,
            self._configuration,
            self.faults,
            self.world,
            self.tokens,
            self.oauth,
            self.prices,
            self.requests,
        )
        self._runner: web.AppRunner | None = None
        self._url: str | None = None
        self.add_client(client_id, client_secret, redirect_uris)

    # --- Start and stop ----------------------------------------------------------------------------------------

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen on a loopback address; port 0 means any free one. Any other address is refused."""
        if not _is_loopback(host):
            raise ValueError("the simulator listens on loopback addresses only")
        if self._runner is not None:
            raise RuntimeError("the simulator is running already")
        app = web.Application()
        app.router.add_route("*", "/control/{tail:.*}", self._control.handle)
        app.router.add_route("*", "/{tail:.*}", self._server.handle)
        self._server.stopping = asyncio.Event()
        # No access log: its lines would contain the codes and states of redirects.
        # A handler ends with its connection: one that waits for a fault must not outlive the simulator.
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
        """Close all connections and stop listening; the state is kept."""
        if self._runner is not None:
            runner, self._runner, self._url = self._runner, None, None
            self._server.stopping.set()
            await runner.cleanup()

    @property
    def url(self) -> str:
        """The base URL while it runs, without a slash at the end."""
        if self._url is None:
            raise RuntimeError("the simulator is not running")
        return self._url

    # --- Settings and clients ----------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings that apply to every request."""
        return self._configuration.settings

    def configure(self, **changes: Any) -> None:
        """Change settings; see `simulator.settings.Settings` for the names."""
        self._configuration.change(**changes)

    def add_client(
        self, client_id: str, client_secret: str, redirect_uris: Sequence[str]
    ) -> None:
        """Register an OAuth client."""
        self.secrets.add(client_secret)
        self.oauth.clients[client_id] = Client(
            client_id, client_secret, tuple(redirect_uris)
        )

    # --- Customers ---------------------------------------------------------------------------------------------

    @property
    def customers(self) -> Mapping[str, Customer]:
        """The customers by e-mail address."""
        return self.world.customers

    def add_customer(
        self, email: str, first_name: str = "Kim", last_name: str = "Beispiel"
    ) -> Customer:
        """Add a customer without a contract."""
        return self.world.add_customer(email, first_name, last_name)

    def subscription(self, subscription_id: str) -> Subscription:
        """Return a contract; KeyError if there is none."""
        return self.world.subscription(subscription_id)

    def add_subscription(self, email: str, **values: Any) -> Subscription:
        """Add a contract; see `World.add_subscription` for the values."""
        return self.world.add_subscription(email, **values)

    def set_subscription(self, subscription_id: str, **changes: Any) -> Subscription:
        """Change a contract; see `World.change_subscription`."""
        return self.world.change_subscription(
            subscription_id, self.clock.now(), **changes
        )

    def remove_subscription(self, subscription_id: str) -> None:
        """Remove a contract as if it had never existed."""
        self.world.remove_subscription(subscription_id)

    # --- Tokens ------------------------------------------------------------------------------------------------

    def issue_tokens(self, email: str, client_id: str | None = None) -> dict[str, Any]:
        """Return the token endpoint's response for a new consent of a customer, without the sign-in pages."""
        client = client_id or next(iter(self.oauth.clients))
        return self.tokens.issue(
            self.settings, client, self.world.customer(email).email
        )

    def revoke(self, email: str, immediate: bool = True) -> None:
        """End all consents of a customer; access tokens expire, or are invalidated at once if `immediate`."""
        self.tokens.revoke(self.world.customer(email).email, immediate=immediate)

    def expire_access_tokens(self, email: str | None = None) -> None:
        """Invalidate the access tokens of a customer, or of all; refresh tokens stay valid."""
        self.tokens.invalidate_access(
            None if email is None else self.world.customer(email).email
        )

    # --- Prices ------------------------------------------------------------------------------------------------

    def price(self, subscription_id: str, start: datetime) -> PricePoint | None:
        """Return the true price of the interval that contains an instant, published or not, in ct/kWh.

        None outside the time of supply, or if the market has no price.
        """
        return self.prices.price(self.subscription(subscription_id), start)

    def day_prices(self, subscription_id: str, day: date) -> list[PricePoint]:
        """Return the true prices of a local day, published or not."""
        return self.prices.day_prices(self.subscription(subscription_id), day)

    def correct_price(
        self, subscription_id: str, start: datetime, amount: float
    ) -> None:
        """Change the total of the interval that contains an instant, in ct/kWh, from now on."""
        self.prices.correct(self.subscription(subscription_id), start, amount)

    def publication(self, day: date) -> datetime | None:
        """Return the instant (UTC) at which the prices of a delivery day are published; None: never."""
        return self.prices.publication(day, self.settings)

    def publish_at(self, day: date, at: time | Literal["never"]) -> None:
        """Plan when a delivery day is published: a local time on the day before, or never."""
        self.configure(publications={**self.settings.publications, day: at})

    def published_until(self, subscription_id: str) -> datetime:
        """Return the end (UTC) of published prices without a gap, from the current interval on."""
        return self.prices.published_until(
            self.subscription(subscription_id), self.clock.now(), self.settings
        )

    # --- Usage and requests ------------------------------------------------------------------------------------

    def metered(
        self, subscription_id: str, first: date, end: date
    ) -> list[tuple[datetime, float, bool]]:
        """Return start, kWh and finality of the quarter-hours that a meter has reported so far.

        Args:
            subscription_id: the meter's contract.
            first: the first local day.
            end: the day after the last one.

        """
        subscription = self.subscription(subscription_id)
        now = self.clock.now()
        return list(self.usage.quarters(self.settings, subscription, first, end, now))

    def correct_usage(self, subscription_id: str, start: datetime, kwh: float) -> None:
        """Change the energy of the quarter-hour that starts at an instant from now on."""
        self.usage.correct(self.subscription(subscription_id), start, kwh)

    def count(self, kind: str | None = None, since: timedelta | None = None) -> int:
        """Return the number of answered requests of a kind (or all), in total or within a recent time."""
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
