"""The task of a load and its plan, as frozen data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from typing import Final, Self, override

from ..api import harmless_text
from ..planner import Run
from ..scheduled_coordinator import log_time
from .ledger import EMPTY_LEDGER, Ledger
from .need import Readings

_ZERO: Final = timedelta()
_LONGEST: Final = timedelta(days=10)
"""No task takes longer, even if the clock is changed."""


class LoadStatus(StrEnum):
    """What a load does, or why it does nothing; translation keys."""

    NOT_ASKED = "not_asked"
    WAITING_FOR_WINDOW = "waiting_for_window"
    WAITING_FOR_PRICES = "waiting_for_prices"
    PLANNED = "planned"
    PROVISIONAL = "provisional"
    FALLBACK = "fallback"
    ABOVE_CAP = "above_cap"
    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    NOT_PLUGGED_IN = "not_plugged_in"
    NO_CONTRACT = "no_contract"
    UNREACHABLE = "unreachable"


class LoadState(Enum):
    """What a load does."""

    IDLE = auto()
    """It has no task: it is not asked for, or switched off."""
    WAITING = auto()
    """It has a task but no valid plan: one is being made, or it has no contract or is not plugged in."""
    PLANNED = auto()
    """It has a plan, valid until prices or needs change; nothing runs now."""
    RUNNING = auto()
    """A run of its task is in progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One occasion on which a load gets what it needs: its window, and its runs so far.

    The end of a run in progress is the planned one. ``by_hand``: it was started by hand, and ignores prices.
    ``skipped``: the rest of it must not run.
    """

    opens: datetime
    closes: datetime
    runs: tuple[Run, ...] = ()
    by_hand: bool = False
    skipped: bool = False

    def __post_init__(self) -> None:
        """Refuse a task whose times are not in order; ValueError.

        A run may begin before the window if a car is below its lowest charge, and continue after it if it was
        started by hand, or if the duration was changed during the window.
        """
        edges = [at for run in self.runs for at in (run.start, run.end)]
        span = sorted([self.opens, self.closes, *edges])
        if (
            self.opens > self.closes
            or edges != sorted(edges)
            or span[-1] - span[0] > _LONGEST
        ):
            raise ValueError("not in order")

    def run_at(self, now: datetime) -> Run | None:
        """Return the run that holds an instant."""
        return run_at(self.runs, now)

    def time_run(self, now: datetime, since: datetime | None = None) -> timedelta:
        """Return how long the load has run up to ``now``, counting from ``since`` if given."""
        return sum(
            (
                max(min(run.end, now) - max(run.start, since or run.start), _ZERO)
                for run in self.runs
            ),
            _ZERO,
        )

    def with_run(self, run: Run) -> Self:
        """Return the task with a run that begins, or that has a new end."""
        others = (one for one in self.runs if one.start != run.start)
        return replace(self, runs=(*others, run))

    def ended(self, now: datetime) -> Self:
        """Return the task with nothing running after ``now``."""
        runs = (
            replace(run, end=min(run.end, now)) for run in self.runs if run.start < now
        )
        return replace(self, runs=tuple(runs))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMemory:
    """State of a switched device to restore after a restart.

    Attributes:
        run: the start of the run for which it was switched on; None if it was switched off, or never on.
        by_hand: it was switched by hand since then.
        preset: the one to restore after the run.
    """

    run: datetime | None = None
    by_hand: bool = False
    preset: str | None = None

    def __post_init__(self) -> None:
        """Refuse a text that cannot be stored; ValueError."""
        if self.preset is not None and harmless_text(self.preset) != self.preset:
            raise ValueError("no preset")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMemory:
    """State of a load to restore after a restart.

    Attributes:
        task: the last one that was asked for or has begun.
        off: the load is switched off.
        devices: the state of those that it switches, by entity id.
        readings: what was last read from its sensors.
        ledger: what it used, cost and saved.
        since: when it was added, or switched on again.
    """

    task: Task | None = None
    off: bool = False
    since: datetime | None = None
    readings: Readings = field(default_factory=Readings)
    devices: Mapping[str, DeviceMemory] = field(default_factory=dict)
    ledger: Ledger = EMPTY_LEDGER

    def __post_init__(self) -> None:
        """Refuse a text that cannot be stored; ValueError."""
        if any(harmless_text(key) != key for key in self.devices):
            raise ValueError("no entity")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """When a load runs within one window, its runs so far included, and what that costs.

    Money is in EUR (per kW, for a load of unknown power), ``average_price`` in EUR/kWh; both are None unless all
    prices of the runs are known. ``saving`` is against starting as the window opens, ``saving_vs_average`` against
    the mean of the window's known prices. For a load that uses own solar power, prices are a mix of import prices
    and payouts.
    """

    opens: datetime
    closes: datetime
    status: LoadStatus
    runs: tuple[Run, ...] = ()
    share: float = 0.0
    """The share of the need that is planned, from 0 to 1."""
    cost: float | None = None
    average_price: float | None = None
    saving: float | None = None
    saving_vs_average: float | None = None
    solar_share: float | None = None
    """The share of the runs' energy expected from own solar power, from 0 to 1; None if the load does not use it."""

    @override
    def __str__(self) -> str:
        """Return the window and the runs, for the log."""
        window = f"{log_time(self.opens)} to {log_time(self.closes)}"
        runs = (f"{log_time(run.start)} to {log_time(run.end)}" for run in self.runs)
        return f"in the window {window}: {'; '.join(runs) or 'no run'}"

    def run_at(self, now: datetime) -> Run | None:
        """Return the run that holds an instant."""
        return run_at(self.runs, now)

    def next_run(self, now: datetime) -> Run | None:
        """Return the run that holds an instant, or else the first one after it."""
        return next((run for run in self.runs if now < run.end), None)

    def has_missed(self, now: datetime, begun: Sequence[Run]) -> bool:
        """Return whether a planned run is over that never began."""
        return any(run.end <= now and run not in begun for run in self.runs)

    def next_change(self, now: datetime) -> datetime | None:
        """Return when a run starts or ends next, or the window opens or closes."""
        edges = (at for run in self.runs for at in (run.start, run.end))
        coming = (at for at in (self.opens, self.closes, *edges) if at > now)
        return min(coming, default=None)


def run_at(runs: Sequence[Run], now: datetime) -> Run | None:
    """Return the run that holds an instant."""
    return next((run for run in runs if run.start <= now < run.end), None)
