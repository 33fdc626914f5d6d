"""The planner's request and its plan."""

from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil, inf

from ..pricing.table import NO_COMPONENTS, Components

type TimeSpan = tuple[datetime, datetime]
type PlannedRuns = tuple[tuple[Run, float], ...]
"""Planned runs of loads and batteries, with their power in kW; negative while a battery delivers."""
type Profile = tuple[tuple[timedelta, float], ...]

_ZERO = timedelta(0)


class Prefer(StrEnum):
    """Which of several equally cheap plans to take."""

    EARLY = "early"
    LATE = "late"


class Objective(StrEnum):
    """What makes a plan the best: paying the least for what is used, or earning the most with what is fed in."""

    LOWEST = "lowest"
    HIGHEST = "highest"


class PlanStatus(StrEnum):
    """How much of the requested duration could be planned: all, a part, nothing."""

    COMPLETE = "complete"
    SHORT = "short"
    INFEASIBLE = "infeasible"


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A load that needs electricity for a while between two aware instants, or a source that feeds it in.

    With the objective ``HIGHEST`` prices are payouts, and the best plan earns the most; everything else means the
    same. For a load of unknown power, 1 kW is used: its cost is then the cost per kW.

    ``profile`` is the power over the course of a run, step by step, in place of ``power_kw``; it is as long as
    ``duration``, and for contiguous runs only.

    ``min_run``, ``min_pause`` and ``max_runs`` shape interruptible runs; a contiguous load that has to be cut short
    is cut to no less than ``min_run``. For interruptible loads, ``duration``, ``min_run`` and ``min_pause`` are
    rounded up to five minutes, and runs start and end at five-minute marks (counted from the opening of the window if
    every minute of it is needed).

    ``running_since`` is the start of a run in progress: an interruptible load continues it for ``min_run``, and at
    least to the next five-minute mark. It counts as the first of ``max_runs``, and ``duration`` is what is still
    needed.

    The load never runs while the price is above ``price_cap`` or below ``price_floor`` (EUR/kWh).

    Raises:
        ValueError: the request contradicts itself.

    """

    earliest: datetime
    latest: datetime
    duration: timedelta
    _: KW_ONLY
    contiguous: bool = True
    power_kw: float = 1.0
    profile: Profile | None = None
    min_run: timedelta = _ZERO
    min_pause: timedelta = _ZERO
    max_runs: int | None = None
    price_cap: float | None = None
    price_floor: float | None = None
    prefer: Prefer = Prefer.EARLY
    objective: Objective = Objective.LOWEST
    running_since: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a request that contradicts itself."""
        if not (
            # Compared in UTC: times of the same zone compare by wall clock, which repeats an hour in autumn.
            self.earliest.astimezone(UTC) <= self.latest.astimezone(UTC)
            and _ZERO <= self.min_run <= self.duration
            and self.min_pause >= _ZERO
            and (self.max_runs is None or self.max_runs > 0)
            and 0 < self.power_kw < inf
            and (self.profile is None or self._fits(self.profile))
        ):
            raise ValueError("The request contradicts itself")

    def _fits(self, profile: Profile) -> bool:
        return (
            self.contiguous
            and all(length > _ZERO and 0 <= power < inf for length, power in profile)
            and sum((length for length, _ in profile), _ZERO) == self.duration
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The load runs from ``start`` to ``end`` (UTC) without a pause."""

    start: datetime
    end: datetime

    @property
    def duration(self) -> timedelta:
        """Return the length of the run."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of a run with one price and one power.

    ``price`` and ``components`` are in EUR/kWh, as the table has them; ``cost`` is in EUR.
    """

    start: datetime
    end: datetime
    price: float
    power_kw: float
    energy_kwh: float
    cost: float
    components: Components = NO_COMPONENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When a load runs and what that costs; with the objective ``HIGHEST``, what it earns.

    Money is in EUR, energy in kWh, instants in UTC. For comparison, what the planned energy would cost:

    - ``cost_if_now``: starting at once (or at the earliest start) and in one go, whatever price cap and floor say;
      None if nothing is planned or a price in the way is unknown;
    - ``cost_at_average``: at the mean over time of the known prices in what is left of the window; None if nothing
      is planned.

    ``component_cost`` has None for a component that is unknown anywhere in the plan. ``unknown`` are the stretches
    without a known price in what is left of the window. ``provisional``: prices end before the window, so a better
    plan may come.
    """

    status: PlanStatus
    objective: Objective
    asked: timedelta
    planned: timedelta
    runs: tuple[Run, ...] = ()
    slices: tuple[Slice, ...] = ()
    cost: float = 0.0
    energy: float = 0.0
    average_price: float | None = None
    component_cost: Components = NO_COMPONENTS
    cost_if_now: float | None = None
    cost_at_average: float | None = None
    provisional: bool = False
    unknown: tuple[TimeSpan, ...] = ()

    @property
    def start(self) -> datetime | None:
        """Return when the first run starts."""
        return self.runs[0].start if self.runs else None

    @property
    def end(self) -> datetime | None:
        """Return when the last run ends."""
        return self.runs[-1].end if self.runs else None

    @property
    def saving_vs_now(self) -> float | None:
        """Return what the plan saves, or earns in addition, against starting at once; negative if that is better."""
        return self._gain(self.cost_if_now)

    @property
    def saving_vs_average(self) -> float | None:
        """Return what the plan saves, or earns in addition, against the window's average price."""
        return self._gain(self.cost_at_average)

    def _gain(self, cost: float | None) -> float | None:
        if cost is None:
            return None
        gain = cost - self.cost
        return -gain if self.objective is Objective.HIGHEST else gain


def duration_for(energy_kwh: float, power_kw: float) -> timedelta:
    """Return how long an amount of energy takes at a power, rounded up to whole seconds."""
    # Rounding keeps floating-point errors from turning 0.1 kWh at 0.3 kW into 1201 seconds.
    return timedelta(seconds=ceil(round(energy_kwh / power_kw * 3600, 6)))
