"""What the planner is asked and what it answers; windows in local time."""

from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from math import ceil, fsum, isfinite, isnan

from ..pricing.table import NO_COMPONENTS, Components
from .optimum import blocks

type Stretch = tuple[datetime, datetime]
type Profile = tuple[tuple[timedelta, float], ...]

_ZERO = timedelta(0)
_SECOND = timedelta(seconds=1)


class Prefer(StrEnum):
    """Which of several equally cheap plans to take."""

    EARLY = "early"
    LATE = "late"


class Objective(StrEnum):
    """What makes a plan the best: to pay the least for what is used, or to be paid the most for what is fed in."""

    LOWEST = "lowest"
    HIGHEST = "highest"


class PlanStatus(StrEnum):
    """How much of what was asked could be planned: all, a part, nothing."""

    COMPLETE = "complete"
    SHORT = "short"
    INFEASIBLE = "infeasible"


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A load that needs electricity for a while between two instants, or a source that feeds it in.

    With the objective ``HIGHEST`` prices are payouts, and the plan is the one that earns the most; all else means the
    same. A load without a known power takes 1 kW: its cost then is the cost per kW.

    ``profile`` is the power over the course of a run, step by step; it stands in the place of ``power_kw``, has to
    be as long as ``duration`` and goes with contiguous runs only. ``min_run``, ``min_pause`` and ``max_runs``
    shape interruptible runs; a contiguous load that has to be cut short is cut to no less than ``min_run``.
    Of interruptible loads ``duration``, ``min_run`` and ``min_pause`` are rounded up to five minutes, and runs start and
    end at five-minute marks (counted from the opening of the window if every minute of it is needed). The plan is the
    optimum of those.
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

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        require_aware(self.earliest, "The earliest start")
        require_aware(self.latest, "The latest end")
        # Compared in UTC: two times of one zone compare by their wall clock, which runs twice in autumn.
        if self.earliest.astimezone(UTC) > self.latest.astimezone(UTC):
            raise ValueError("The earliest start lies after the latest end")
        for name, value in (
            ("duration", self.duration),
            ("minimum run", self.min_run),
            ("minimum pause", self.min_pause),
        ):
            if value < _ZERO:
                raise ValueError(f"The {name} is negative")
        if self.min_run > self.duration:
            raise ValueError("The minimum run is longer than the duration")
        if self.max_runs is not None and self.max_runs < 1:
            raise ValueError("The maximum number of runs is less than one")
        if not (isfinite(self.power_kw) and self.power_kw > 0):
            raise ValueError("The power is not a positive number")
        for name, price in (("cap", self.price_cap), ("floor", self.price_floor)):
            if price is not None and isnan(price):
                raise ValueError(f"The price {name} is not a number")
        if self.profile is not None:
            self._check_profile(self.profile)

    def _check_profile(self, profile: Profile) -> None:
        if not self.contiguous:
            raise ValueError("A power profile needs a contiguous run")
        if not profile:
            raise ValueError("The power profile is empty")
        if any(length <= _ZERO for length, _ in profile):
            raise ValueError("A step of the power profile has no length")
        if not all(isfinite(power) and power >= 0 for _, power in profile):
            raise ValueError("A step of the power profile has no valid power")
        if sum((length for length, _ in profile), _ZERO) != self.duration:
            raise ValueError("The power profile is not as long as the duration")

    @property
    def steps(self) -> Profile:
        """Return the power over the course of the load, step by step."""
        return self.profile or ((self.duration, self.power_kw),)


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

    Money is in EUR, energy in kWh, instants in UTC. What it would cost otherwise is said for the energy that is
    planned, which is less than asked when the plan is short:

    - ``cost_if_now``: starting at once (or at the earliest start) and in one go, whatever price cap and floor say;
      ``None`` when nothing is planned or a price in the way is unknown;
    - ``cost_at_average``: at the mean over time of the known prices in what is left of the window; ``None`` when
      nothing is planned.

    ``component_cost`` has ``None`` for a part that is unknown somewhere in the plan. ``unknown`` are the stretches
    of what is left of the window whose price is not known. ``provisional`` says that prices are known up to some
    point before the latest end only, so that a better plan may come.
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
    unknown: tuple[Stretch, ...] = ()

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
        """Return what the plan saves or earns more against starting at once; negative when that is better."""
        return self._gain(self.cost_if_now)

    @property
    def saving_vs_average(self) -> float | None:
        """Return what the plan saves or earns more against the window's average price."""
        return self._gain(self.cost_at_average)

    def _gain(self, cost: float | None) -> float | None:
        if cost is None:
            return None
        return (
            self.cost - cost
            if self.objective is Objective.HIGHEST
            else cost - self.cost
        )


def component_sum(slices: tuple[Slice, ...]) -> Components:
    """Return what each component costs in EUR; ``None`` for one that is unknown in any slice."""

    def total(name: str) -> float | None:
        parts = [
            None if (part := getattr(piece.components, name)) is None else part * energy
            for piece in slices
            if (energy := piece.energy_kwh)
        ]
        known = [part for part in parts if part is not None]
        return fsum(known) if known and len(known) == len(parts) else None

    return Components(total("electricity"), total("grid"), total("levies"))


def duration_for(energy_kwh: float, power_kw: float) -> timedelta:
    """Return how long a power takes for an amount of energy, rounded up to whole seconds.

    Raises:
        ValueError: the energy is negative, the power is not positive, or one is not a number.

    """
    if not (isfinite(energy_kwh) and energy_kwh >= 0):
        raise ValueError("The energy is not a number of zero or more")
    if not (isfinite(power_kw) and power_kw > 0):
        raise ValueError("The power is not a positive number")
    # The millionth keeps 0.1 kWh at 0.3 kW from becoming 1201 seconds by the error of floats.
    return timedelta(seconds=ceil(round(energy_kwh / power_kw * 3600, 6)))


def window(
    now: datetime, start: time | None, end: time | None, zone: tzinfo
) -> Stretch:
    """Return the window between two local times that is open at ``now``, or the next one, in UTC.

    An end at or before the start is one of the next day; an end equal to the start makes a day by the wall clock,
    which lasts 23 to 25 hours. Without a start the window opens now, without an end it closes a day by the wall
    clock after its start.

    A local time means the first instant at which the clock shows it or a later one: of an hour that comes twice
    the first, and the moment of the jump for a time that is jumped over. A window that vanishes in the jump is
    skipped.

    Raises:
        ValueError: ``now`` is naive.

    """
    require_aware(now, "Now")
    local = now.astimezone(zone)
    instant = now.astimezone(UTC)
    if start is None:
        if end is None:
            return instant, _instant(local, local.time(), 1, zone)
        ends = (_instant(local, end, days, zone) for days in range(3))
        return instant, next(moment for moment in ends if moment > instant)
    span = 0 if end is not None and end > start else 1
    candidates = (
        (
            _instant(local, start, days, zone),
            _instant(local, start if end is None else end, days + span, zone),
        )
        for days in range(-1, 4)
    )
    return next(
        (opens, closes) for opens, closes in candidates if opens < closes > instant
    )


def require_aware(moment: datetime, name: str) -> None:
    """Refuse a datetime without a zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"{name} has no time zone")


def _instant(local: datetime, wall: time, days: int, zone: tzinfo) -> datetime:
    """Return the first instant, days from a local date, at which the clock shows a time or a later one."""
    day = local.date() + timedelta(days=days)
    naive = datetime.combine(day, wall.replace(tzinfo=None, fold=0))
    found = naive.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None, fold=0) == naive:
        return found
    # The clock jumps over this time. With the offset from after the jump we land before it, with the other behind.
    before = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    low, high = 0, ceil((found - before) / _SECOND)
    before = before.replace(microsecond=0)
    while high - low > 1:
        middle = (low + high) // 2
        shown = (before + middle * _SECOND).astimezone(zone).replace(tzinfo=None)
        low, high = (middle, high) if shown < naive else (low, middle)
    return before + high * _SECOND


def merged(stretches: list[Stretch]) -> tuple[Stretch, ...]:
    """Return sorted stretches with those that touch joined into one."""
    return tuple((group[0][0], group[-1][1]) for group in blocks(stretches))
