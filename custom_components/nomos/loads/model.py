"""What a customer wants of a load, and what is planned: settings and plans, as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from homeassistant.util import dt as dt_util

from ..codec import read_instant, read_number
from ..planner import PlanRequest, Prefer, Run

_ZERO: Final = timedelta()
_DAY: Final = timedelta(days=1)
_LONGEST_WINDOW: Final = timedelta(hours=26)
"""No day by the wall clock is longer, whatever is done to the clock."""


class LoadStatus(StrEnum):
    """How much of what a load needs is planned; keys of the translations."""

    PLANNED = "planned"
    PROVISIONAL = "provisional"
    SHORT = "short"
    FALLBACK = "fallback"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """What the customer wants of a load. Times are wall-clock times of the hub; power in kW, the cap in EUR/kWh.

    Raises:
        ValueError: with the translation key of what can never be planned.

    """

    duration: timedelta
    start: time
    end: time
    contiguous: bool
    power: float | None
    min_run: timedelta
    min_pause: timedelta
    max_runs: int | None
    price_cap: float | None
    prefer: Prefer
    fallback: time | None
    subscription_id: str | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read the data of a subentry, or of the form; ValueError as above."""
        cap, max_runs, fallback = map(data.get, ("price_cap", "max_runs", "fallback"))
        return cls(
            duration=timedelta(**data["duration"]),
            start=_time(data.get("start", "00:00")),
            end=_time(data.get("end", "00:00")),
            contiguous=data.get("contiguous", True),
            power=data.get("power"),
            min_run=timedelta(minutes=data.get("min_run", 0)),
            min_pause=timedelta(minutes=data.get("min_pause", 0)),
            max_runs=int(max_runs) if max_runs else None,
            price_cap=None if cap is None else cap / 100,
            prefer=Prefer(data.get("prefer", Prefer.EARLY)),
            fallback=_time(fallback) if fallback else None,
            subscription_id=data.get("subscription"),
        )

    def __post_init__(self) -> None:
        """Refuse what can never be planned."""
        length = _between(self.start, self.end) or _DAY
        if self.duration <= _ZERO:
            raise ValueError("no_duration")
        if self.duration > length:
            raise ValueError("window_too_short")
        if self.min_run > self.duration:
            raise ValueError("min_run_too_long")
        if self.fallback is not None and _between(self.start, self.fallback) >= length:
            raise ValueError("fallback_outside")

    def request(self, opens: datetime, closes: datetime) -> PlanRequest:
        """Return what the planner is asked for a window."""
        return PlanRequest(
            opens,
            closes,
            self.duration,
            contiguous=self.contiguous,
            power_kw=self.power or 1.0,
            min_run=_ZERO if self.contiguous else self.min_run,
            min_pause=self.min_pause,
            max_runs=self.max_runs,
            price_cap=self.price_cap,
            prefer=self.prefer,
        )

    def left_after(self, done: LoadPlan) -> Self | None:
        """Return what a load still needs in a window in which it ran too short; None if that is nothing.

        Or if it may not run again: it runs in one go, or as often as it may, or the rest is shorter than a run.
        """
        missing = self.duration - done.duration
        runs = None if self.max_runs is None else self.max_runs - len(done.runs)
        if self.contiguous or runs == 0 or missing <= _ZERO or missing < self.min_run:
            return None
        return replace(self, duration=missing, max_runs=runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """When a load runs within one window, and what that costs.

    ``cost`` and ``saving`` (against starting at once) are in EUR, for a load of unknown power per kW of it;
    ``average_price`` is in EUR/kWh. All three are None if prices are unknown.
    """

    opens: datetime
    closes: datetime
    status: LoadStatus
    runs: tuple[Run, ...] = ()
    cost: float | None = None
    average_price: float | None = None
    saving: float | None = None

    @property
    def duration(self) -> timedelta:
        """Return how long the load runs in all."""
        return sum((run.duration for run in self.runs), _ZERO)

    def followed_by(self, more: LoadPlan) -> LoadPlan:
        """Return this plan with what comes after it in the same window."""
        average = _sum(
            self.average_price and self.average_price * (self.duration / _DAY),
            more.average_price and more.average_price * (more.duration / _DAY),
        )
        whole = (self.duration + more.duration) / _DAY
        return replace(
            self,
            status=more.status,
            runs=(*self.runs, *more.runs),
            cost=_sum(self.cost, more.cost),
            average_price=None if average is None else average / whole,
            saving=_sum(self.saving, more.saving),
        )

    def run_at(self, now: datetime) -> Run | None:
        """Return the run that holds an instant."""
        return next((run for run in self.runs if run.start <= now < run.end), None)

    def next_run(self, now: datetime) -> Run | None:
        """Return the run that holds an instant, or else the first one after it."""
        return next((run for run in self.runs if now < run.end), None)

    def has_missed(self, now: datetime, begun: LoadPlan | None) -> bool:
        """Return whether a run is over that is not of the plan that began."""
        seen = begun.runs if begun else ()
        return any(run.end <= now and run not in seen for run in self.runs)

    def next_change(self, now: datetime) -> datetime | None:
        """Return when a run starts or ends next, or the window closes."""
        return next((at for at in (*self._edges, self.closes) if at > now), None)

    @property
    def _edges(self) -> list[datetime]:
        return [at for run in self.runs for at in (run.start, run.end)]

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads as the same plan."""
        return {
            "window": [self.opens.isoformat(), self.closes.isoformat()],
            "status": self.status.value,
            "runs": [[run.start.isoformat(), run.end.isoformat()] for run in self.runs],
            "figures": [self.cost, self.average_price, self.saving],
        }

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Read a stored plan that has begun; LookupError, TypeError or ValueError if it is none."""
        opens, closes = map(read_instant, stored["window"])
        runs = [
            Run(start=read_instant(start), end=read_instant(end))
            for start, end in stored["runs"]
        ]
        cost, average_price, saving = (
            None if figure is None else read_number(figure)
            for figure in stored["figures"]
        )
        plan = cls(
            opens=opens,
            closes=closes,
            status=LoadStatus(stored["status"]),
            runs=tuple(runs),
            cost=cost,
            average_price=average_price,
            saving=saving,
        )
        moments = [opens, *plan._edges, closes]
        if not runs or moments != sorted(moments) or closes - opens > _LONGEST_WINDOW:
            raise ValueError("not in order")
        return plan


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _between(earlier: time, later: time) -> timedelta:
    """Return how long after one wall-clock time the next other one comes: less than a day."""
    start, end = (datetime.combine(datetime.min, wall) for wall in (earlier, later))
    return (end - start) % _DAY


def _time(text: str) -> time:
    # As Home Assistant's own check of forms reads it, which takes 7:00, too.
    if (wall := dt_util.parse_time(text)) is None:
        raise ValueError("not a time")
    return wall
