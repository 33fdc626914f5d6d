"""What a customer says of a flexible load, and what comes of it: settings and plans, as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from homeassistant.util import dt as dt_util

from ..planner import PlanRequest, Prefer, Run
from ..storage import read_instant, read_number

_MIDNIGHT: Final = time(0)
_HOUR: Final = timedelta(hours=1)

_LONGEST_WINDOW: Final = timedelta(hours=26)
"""No day by the clock on the wall is longer, whatever is done to the clock."""


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

    def left_after(self, done: LoadPlan) -> Self | None:
        """Return what a load still needs in a window in which it ran too short; None where that is nothing.

        Or where it may not run again: it runs in one go, or as often as it may, or the rest is shorter than a run.
        """
        missing = self.duration - done.duration
        runs = None if self.max_runs is None else self.max_runs - len(done.runs)
        if (
            self.contiguous
            or missing <= timedelta()
            or missing < self.min_run
            or runs == 0
        ):
            return None
        return replace(self, duration=missing, max_runs=runs)


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

    @property
    def duration(self) -> timedelta:
        """Return how long the load runs in all."""
        return sum((run.duration for run in self.runs), timedelta())

    def followed_by(self, more: LoadPlan) -> LoadPlan:
        """Return this plan with what comes after it in the same window."""
        hours, more_hours = (one.duration / _HOUR for one in (self, more))
        average = None
        if self.average_price is not None and more.average_price is not None:
            average = (self.average_price * hours + more.average_price * more_hours) / (
                hours + more_hours
            )
        return replace(
            self,
            status=more.status,
            runs=(*self.runs, *more.runs),
            cost=_sum(self.cost, more.cost),
            average_price=average,
            saving=_sum(self.saving, more.saving),
        )

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
        """Read a stored plan that has begun; LookupError, TypeError or ValueError where it is none."""
        opens, closes = map(read_instant, stored["window"])
        runs = tuple(
            Run(start=read_instant(start), end=read_instant(end))
            for start, end in stored["runs"]
        )
        moments = [opens, *(at for run in runs for at in (run.start, run.end)), closes]
        if not runs or moments != sorted(moments) or closes - opens > _LONGEST_WINDOW:
            raise ValueError("not in order")
        cost, average_price, saving = (
            None if figure is None else read_number(figure)
            for figure in stored["figures"]
        )
        return cls(
            opens=opens,
            closes=closes,
            status=LoadStatus(stored["status"]),
            runs=runs,
            cost=cost,
            average_price=average_price,
            saving=saving,
        )


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _time(text: str | None) -> time | None:
    if not text:
        return None
    # As Home Assistant's own check of forms reads it, which takes 7:00, too.
    if (wall := dt_util.parse_time(text)) is None:
        raise ValueError("not a time")
    return wall
