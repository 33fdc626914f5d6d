"""A hub: what it knows, and when it sends requests by the real schedule."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
import random
from typing import Final, Protocol

from custom_components.nomos import schedule
from custom_components.nomos.pricing import local_date
from custom_components.nomos.schedule import PriceRequestReason

from .api import MIDNIGHT, NOON, Answer, Api, RequestKind

_BEGIN: Final = NOON.astimezone(UTC)
_SECOND: Final = timedelta(seconds=1)
_YESTERDAY: Final = NOON.date() - timedelta(days=1)

TOKEN_LIFE: Final = 3600
_TOKEN_MARGIN: Final = 20
"""How many seconds before its end a token counts as expired in Home Assistant."""

NEVER: Final = float("inf")


def instant(at: float) -> datetime:
    """Convert a second of the simulation to an aware instant."""
    return _BEGIN + timedelta(seconds=at)


def second(at: datetime) -> float:
    """Convert an instant to a second of the simulation."""
    return (at - _BEGIN) / _SECOND


class Poller(Protocol):
    """Requests of one kind, with their own timer."""

    def begin(self, hub: Hub, at: float) -> datetime:
        """Return the time of the first request after a start."""

    def run(self, hub: Hub, at: float, api: Api) -> datetime:
        """Send a request, process the response, and return the time of the next request."""


@dataclass(slots=True, eq=False)
class Hub:
    """A hub's state.

    Attributes:
        through: The last day whose prices it has: 0 for the first day, 1 for the next one.
        due: When each poller runs next, in the order of the fleet's pollers.
        requests: How many requests it sent.
        usage_synced_on: The last day on which it requested usage.

    """

    phase: float
    rng: random.Random
    due: list[float]
    through: int = 0
    token_until: float = -1.0
    paused_until: float = -1.0
    requests: int = 0
    reason: PriceRequestReason = PriceRequestReason.REST
    misses: int = 0
    subscription_misses: int = 0
    usage_misses: int = 0
    usage_synced_on: date = _YESTERDAY

    def chance(self) -> float:
        """Return a random number for the schedule."""
        return self.rng.uniform(-1, 1)

    def price_request_reason(self, at: float) -> PriceRequestReason:
        """Return the reason for the next request for prices."""
        today = int(at >= MIDNIGHT)
        return schedule.price_request_reason(
            instant(at),
            self.phase,
            now_known=self.through >= today,
            today_complete=self.through >= today,
            tomorrow_complete=self.through > today,
        )

    def ask(self, at: float, kind: RequestKind, api: Api) -> Answer:
        """Send a request with a valid access token, unless Nomos has asked for a pause."""
        if self.paused_until > at:
            return Answer.NOT_SENT
        if self.token_until <= at + _TOKEN_MARGIN:
            answer = self._send(at, RequestKind.TOKEN, api)
            if answer is not Answer.SUCCESS:
                return answer
            self.token_until = at + TOKEN_LIFE
        return self._send(at, kind, api)

    def _send(self, at: float, kind: RequestKind, api: Api) -> Answer:
        answer, wait = api.ask(at, kind)
        self.requests += 1
        if answer is Answer.CUT:
            # aiohttp repeats the request once.
            self.requests += 1
        if answer is Answer.TOO_MANY:
            until = schedule.pause_until(instant(at), timedelta(seconds=wait))
            self.paused_until = second(until)
        return answer

    def wakes(self, at: float, planned: datetime) -> float:
        """Return when a timer fires that is due at an instant."""
        if self.paused_until > at:
            planned = schedule.after_pause(
                instant(at), planned, instant(self.paused_until), self.phase
            )
        # Home Assistant counts from the last full second, the integration adds one, and each coordinator adds its own
        # fraction of a second.
        return second(planned) + self.rng.uniform(0.05, 1.5)


class Subscriptions:
    """The list of contracts (``NomosAccount``)."""

    def begin(self, hub: Hub, at: float) -> datetime:
        """Return the next daily request."""
        hub.subscription_misses = 0
        return self._next(hub, at)

    def run(self, hub: Hub, at: float, api: Api) -> datetime:
        """Request the list."""
        if hub.ask(at, RequestKind.SUBSCRIPTIONS, api) is Answer.SUCCESS:
            hub.subscription_misses = 0
        else:
            hub.subscription_misses += 1
        return self._next(hub, at)

    @staticmethod
    def _next(hub: Hub, at: float) -> datetime:
        return schedule.next_contract_request(
            instant(at),
            (),
            overdue=False,
            phase=hub.phase,
            misses=hub.subscription_misses,
            chance=hub.chance(),
        )


class Prices:
    """The prices of today and tomorrow (``PriceCoordinator``)."""

    def begin(self, hub: Hub, at: float) -> datetime:
        """Request at once if the current price is not stored; otherwise schedule a request for missing prices."""
        hub.reason, hub.misses = PriceRequestReason.REST, 0
        reason = hub.price_request_reason(at)
        if reason is PriceRequestReason.CURRENT:
            return instant(at)
        return schedule.next_price_request(
            instant(at), reason, phase=hub.phase, misses=0, chance=hub.chance()
        )

    def run(self, hub: Hub, at: float, api: Api) -> datetime:
        """Request prices, and store those that arrive."""
        before = hub.through
        if hub.ask(at, RequestKind.PRICES, api) is Answer.SUCCESS:
            hub.through = max(before, int(api.has_tomorrow(at)))
        now = instant(at)
        news = hub.through > before
        hub.misses = schedule.misses_after(hub.misses, hub.reason, news=news)
        hub.reason = hub.price_request_reason(at)
        return schedule.next_price_request(
            now, hub.reason, phase=hub.phase, misses=hub.misses, chance=hub.chance()
        )


class Usage:
    """Yesterday's usage (``UsageCoordinator``) on an ordinary day: available in time, no month to settle."""

    def begin(self, hub: Hub, at: float) -> datetime:
        """Return the next daily request, or an early time if one was missed."""
        hub.usage_misses = 0
        return schedule.next_usage_request_after_start(
            instant(at), hub.usage_synced_on, phase=hub.phase, chance=hub.chance()
        )

    def run(self, hub: Hub, at: float, api: Api) -> datetime:
        """Request the usage."""
        now = instant(at)
        if hub.ask(at, RequestKind.USAGE, api) is Answer.SUCCESS:
            hub.usage_misses = 0
            hub.usage_synced_on = local_date(now)
        else:
            hub.usage_misses += 1
        return schedule.next_usage_request(
            now,
            late=False,
            phase=hub.phase,
            misses=hub.usage_misses,
            chance=hub.chance(),
        )


POLLERS: Final[tuple[Poller, ...]] = (Subscriptions(), Prices(), Usage())
"""A hub's pollers."""
