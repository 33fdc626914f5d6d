"""Flexible loads: what the customer wants to run at the cheapest time, each a config subentry."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
import logging
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from .coordinator import PriceCoordinator
from .pricing import PlanRequest, PlanStatus, Prefer, PriceTable, Run, plan, window

_LOGGER = logging.getLogger(__name__)

SUBENTRY_TYPE: Final = "load"

_MIDNIGHT: Final = time(0)


class LoadStatus(StrEnum):
    """What a load waits for or does; keys of the translations."""

    PLANNED = "planned"
    PROVISIONAL = "provisional"
    SHORT = "short"
    FALLBACK = "fallback"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """What the customer said of a load. Times are wall-clock times of the hub; power in kW, the cap in EUR/kWh."""

    duration: timedelta
    start: time = _MIDNIGHT
    end: time = _MIDNIGHT
    contiguous: bool = True
    power: float | None = None
    min_run: timedelta = timedelta()
    min_pause: timedelta = timedelta()
    max_runs: int | None = None
    price_cap: float | None = None
    prefer: Prefer = Prefer.EARLY
    fallback: time | None = None
    subscription_id: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read the data of a subentry, or what the form gives.

        Raises:
            ValueError: the settings contradict each other.

        """
        settings = cls(
            duration=timedelta(**data["duration"]),
            start=_time(data.get("start")) or _MIDNIGHT,
            end=_time(data.get("end")) or _MIDNIGHT,
            contiguous=data.get("contiguous", True),
            power=data.get("power"),
            min_run=timedelta(minutes=data.get("min_run", 0)),
            min_pause=timedelta(minutes=data.get("min_pause", 0)),
            max_runs=int(data["max_runs"]) if data.get("max_runs") else None,
            price_cap=None
            if data.get("price_cap") is None
            else data["price_cap"] / 100,
            prefer=Prefer(data.get("prefer", Prefer.EARLY)),
            fallback=_time(data.get("fallback")),
            subscription_id=data.get("subscription"),
        )
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what can never be planned.

        Raises:
            ValueError: with the key of the sentence that says why.

        """
        span = (
            datetime.combine(datetime.min, self.end)
            - datetime.combine(datetime.min, self.start)
        ) % timedelta(days=1) or timedelta(days=1)
        if self.duration <= timedelta():
            raise ValueError("no_duration")
        if self.duration > span:
            raise ValueError("window_too_short")
        if self.min_run > self.duration:
            raise ValueError("min_run_too_long")
        if self.fallback is not None and self._offset(self.fallback) >= span:
            raise ValueError("fallback_outside")

    def _offset(self, wall: time) -> timedelta:
        """Return how far a wall-clock time lies behind the opening of the window."""
        return (
            datetime.combine(datetime.min, wall)
            - datetime.combine(datetime.min, self.start)
        ) % timedelta(days=1)

    def request(self, opens: datetime, closes: datetime) -> PlanRequest:
        """Return what the planner is asked for a window."""
        common = PlanRequest(
            opens,
            closes,
            self.duration,
            contiguous=self.contiguous,
            power_kw=self.power or 1.0,
            price_cap=self.price_cap,
            prefer=self.prefer,
        )
        if self.contiguous:
            return common
        return replace(
            common,
            min_run=self.min_run,
            min_pause=self.min_pause,
            max_runs=self.max_runs,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """When a load runs within one window, and what that costs.

    ``cost`` and ``saving`` (against starting at once) are in EUR, for a load of unknown power per kW of it;
    ``average_price`` is in EUR/kWh. All three are None where prices are unknown.
    """

    opens: datetime
    closes: datetime
    status: LoadStatus
    runs: tuple[Run, ...] = ()
    cost: float | None = None
    average_price: float | None = None
    saving: float | None = None

    def run_at(self, now: datetime) -> Run | None:
        """Return the run that holds an instant."""
        return next((run for run in self.runs if run.start <= now < run.end), None)

    def next_run(self, now: datetime) -> Run | None:
        """Return the run that holds an instant, or else the first one after it."""
        return next((run for run in self.runs if now < run.end), None)

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` makes the same plan of."""
        return {
            "window": [self.opens.isoformat(), self.closes.isoformat()],
            "status": self.status.value,
            "runs": [[run.start.isoformat(), run.end.isoformat()] for run in self.runs],
            "figures": [self.cost, self.average_price, self.saving],
        }

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Read a stored plan; LookupError, TypeError or ValueError where it is none."""
        opens, closes = map(_instant, stored["window"])
        cost, average_price, saving = stored["figures"]
        return cls(
            opens=opens,
            closes=closes,
            status=LoadStatus(stored["status"]),
            runs=tuple(
                Run(start=_instant(start), end=_instant(end))
                for start, end in stored["runs"]
            ),
            cost=cost,
            average_price=average_price,
            saving=saving,
        )


class FlexibleLoad:
    """One load: plans while prices come, keeps to a plan that has begun, and moves on to the next window after it."""

    def __init__(
        self,
        hass: HomeAssistant,
        subentry: ConfigSubentry,
        begun: LoadPlan | None,
        on_begun: Callable[[], None],
    ) -> None:
        """Take a subentry, and the plan that had begun before Home Assistant stopped.

        Args:
            hass: Home Assistant.
            subentry: the settings.
            begun: the last plan that began; also one that is done tells that its window needs no other.
            on_begun: called when ``begun`` has changed and has to be stored.

        """
        self.id = subentry.subentry_id
        self.shown_as = subentry.title, subentry.data
        self.settings = LoadSettings.of(subentry.data)
        self.plan: LoadPlan | None = None
        self.begun = begun
        self._on_begun = on_begun
        self._hass = hass
        self._coordinator: PriceCoordinator | None = None
        self._planned_from: PriceTable | None = None
        self._said: tuple[LoadPlan, Run | None, Run | None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._unsub_prices: CALLBACK_TYPE | None = None
        self._unsub_event: CALLBACK_TYPE | None = None

    @property
    def name(self) -> str:
        """Return what the customer calls the load."""
        return self.shown_as[0]

    @property
    def coordinator(self) -> PriceCoordinator | None:
        """Return whose prices the load is planned with; None while there is no such contract."""
        return self._coordinator

    def running(self, now: datetime) -> bool:
        """Return whether the load should run at an instant."""
        return self.plan is not None and self.plan.run_at(now) is not None

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call a listener whenever the plan or what it says of now may have changed; return how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_follow(self, coordinator: PriceCoordinator | None) -> None:
        """Plan with these prices from now on."""
        if coordinator is not self._coordinator:
            self.async_stop()
            self._coordinator = coordinator
            if coordinator is not None:
                self._unsub_prices = coordinator.async_add_listener(self._review)
        self._review(tell=True)

    @callback
    def async_stop(self) -> None:
        """Stop planning."""
        if self._unsub_prices is not None:
            self._unsub_prices()
            self._unsub_prices = None
        self._cancel_event()

    @callback
    def async_change(self, subentry: ConfigSubentry) -> None:
        """Take new settings. A plan that has begun is given up for them."""
        if subentry.data != self.shown_as[1]:
            self.settings = LoadSettings.of(subentry.data)
            self.plan = self._planned_from = None
            if self.begun is not None:
                self.begun = None
                self._on_begun()
        self.shown_as = subentry.title, subentry.data
        self._review(tell=True)

    @callback
    def _review(self, _now: datetime | None = None, *, tell: bool = False) -> None:
        """Bring the plan up to prices and time, and wake again when the time changes something.

        Listeners are told where that changed anything, or when asked to.
        """
        now = dt_util.utcnow()
        self._advance(now)
        self._cancel_event()
        if (at := self._next_event(now)) is not None:
            self._unsub_event = async_track_point_in_utc_time(
                self._hass, self._review, at
            )
        says = None
        if (plan := self.plan) is not None:
            says = plan, plan.run_at(now), plan.next_run(now)
        if tell or says != self._said:
            self._said = says
            call_all(self._listeners)

    def _advance(self, now: datetime) -> None:
        """Keep to the plan that has begun, keep the one that still holds, or make one."""
        self._begin(now)
        if self.begun is not None and self.begun.next_run(now) is not None:
            self.plan = self.begun
            return
        if self._coordinator is None:
            self.plan = None
            return
        table = self._coordinator.data
        holds = (
            self.plan is not None
            and self.plan is not self.begun
            and self._planned_from is table
            and now < self.plan.closes
        )
        if not holds:
            # A load that has run is done with its window.
            done_until = self.begun.closes if self.begun else now
            self.plan = self._make(table, now, max(now, done_until))
            self._planned_from = table
            self._begin(now)

    def _begin(self, now: datetime) -> None:
        """Take note when the plan begins: from then on it is kept to."""
        if (
            self.plan is not None
            and self.plan is not self.begun
            and self.plan.runs
            and self.plan.runs[0].start <= now
        ):
            self.begun = self.plan
            self._on_begun()

    def _make(self, table: PriceTable, now: datetime, after: datetime) -> LoadPlan:
        """Return the plan for the window that is open at an instant, or for the next one."""
        settings = self.settings
        opens, closes = window(after, settings.start, settings.end, _zone())
        # From a full minute on the planner has fewer instants to think of.
        opens = max(opens, _full_minute(after))
        made = plan(table, settings.request(opens, closes), now)
        usable = made.status is PlanStatus.COMPLETE or (
            # Half a dishwasher's run helps nobody; half a car's charge does.
            made.status is PlanStatus.SHORT and not settings.contiguous
        )
        if not usable:
            return self._without_prices(opens, closes)
        status = LoadStatus.PLANNED
        if made.provisional:
            status = LoadStatus.PROVISIONAL
        elif made.status is PlanStatus.SHORT:
            status = LoadStatus.SHORT
        return LoadPlan(
            opens=opens,
            closes=closes,
            status=status,
            runs=made.runs,
            cost=made.cost,
            average_price=made.average_price,
            saving=made.saving_vs_now,
        )

    def _without_prices(self, opens: datetime, closes: datetime) -> LoadPlan:
        """Return the plan where prices do not allow one: at the customer's own time, if there is one."""
        waiting = LoadPlan(opens=opens, closes=closes, status=LoadStatus.WAITING)
        if (fallback := self.settings.fallback) is None:
            return waiting
        last, following = window(opens, fallback, fallback, _zone())
        start = last if last >= opens else following
        end = min(start + self.settings.duration, closes)
        if start >= end:
            return waiting
        return replace(
            waiting, status=LoadStatus.FALLBACK, runs=(Run(start=start, end=end),)
        )

    def _next_event(self, now: datetime) -> datetime | None:
        """Return when a run starts or ends next, or the window closes."""
        if self.plan is None:
            return None
        moments = [moment for run in self.plan.runs for moment in (run.start, run.end)]
        later = (moment for moment in (*moments, self.plan.closes) if moment > now)
        return min(later, default=None)

    def _cancel_event(self) -> None:
        if self._unsub_event is not None:
            self._unsub_event()
            self._unsub_event = None


@callback
def call_all(listeners: Iterable[Callable[[], None]]) -> None:
    """Call listeners; one that fails does not keep the news from the others."""
    for listener in list(listeners):
        try:
            listener()
        except Exception:
            _LOGGER.exception("A listener to a plan failed")


def _full_minute(instant: datetime) -> datetime:
    """Return an instant, moved up to a full minute."""
    floor = instant.replace(second=0, microsecond=0)
    return floor if floor == instant else floor + timedelta(minutes=1)


def _zone() -> tzinfo:
    """Return the zone of the hub: a customer sets windows by the clock on the wall."""
    return dt_util.get_default_time_zone()


def _time(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)
