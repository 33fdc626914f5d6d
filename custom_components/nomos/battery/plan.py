"""The plan of a home battery as it is shown: what to tell the inverter, until when, and what that earns."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property

from ..planner import Run
from ..planner.battery import BatteryMode, BatteryPlan, Quarter, Step, plan_battery
from ..planner.expected import Expected
from .model import PlannedRuns
from .settings import BatterySettings


@dataclass(frozen=True)
class HomePlan:
    """A plan that was made at an instant, with the charge level (kWh) of then."""

    made_at: datetime
    level: float
    plan: BatteryPlan

    @property
    def until(self) -> datetime:
        """Return where it ends."""
        quarters = self.plan.quarters
        return quarters[-1].end if quarters else self.made_at

    @cached_property
    def runs(self) -> PlannedRuns:
        """Return what the battery charges as runs of a load with their power in kW, negative for what it delivers."""
        steps = zip(self.plan.quarters, self.plan.steps, strict=True)
        return tuple(
            (Run(start=quarter.start, end=quarter.end), moved / quarter.hours)
            for quarter, step in steps
            if (moved := step.grid - quarter.need)
        )

    def rest(self, now: datetime) -> Iterator[tuple[Quarter, Step]]:
        """Yield what is left of it, from the quarter-hour of now on."""
        index = self._index(now)
        if index is not None:
            rest = zip(self.plan.quarters, self.plan.steps, strict=True)
            yield from list(rest)[index:]

    def step(self, now: datetime) -> Step | None:
        """Return what is told now; None before and after the plan."""
        index = self._index(now)
        return None if index is None else self.plan.steps[index]

    def next_change(self, now: datetime) -> datetime | None:
        """Return when another mode follows; None if none does."""
        told = self.step(now)
        return next(
            (
                quarter.start
                for quarter, step in self.rest(now)
                if told is not None and step.mode is not told.mode
            ),
            None,
        )

    def level_at(self, now: datetime) -> float | None:
        """Return the charge level that is expected at an instant, in kWh; None outside of the plan."""
        index = self._index(now)
        if index is None:
            return None
        quarter, after = self.plan.quarters[index], self.plan.steps[index].level
        before = self.plan.steps[index - 1].level if index else self.level
        share = (now - quarter.start) / (quarter.end - quarter.start)
        return before + (after - before) * share

    def _index(self, now: datetime) -> int | None:
        index = bisect_right(self._starts, now) - 1
        return index if index >= 0 and now < self.until else None

    @cached_property
    def _starts(self) -> list[datetime]:
        return [quarter.start for quarter in self.plan.quarters]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a plan is made from; ``level`` is the charge in kWh, ``mode`` what the inverter is told now."""

    settings: BatterySettings
    level: float
    mode: BatteryMode
    expected: Expected
    now: datetime
    zone: tzinfo


def make_plan(situation: Situation) -> HomePlan:
    """Return the best plan until known prices end; an empty one if none is known."""
    expected, now = situation.expected, situation.now
    quarters, beyond = expected.to_plan(now, expected.prices.horizon or now)
    plan = plan_battery(
        situation.settings.battery,
        situation.level,
        quarters,
        beyond,
        target=situation.settings.target(now, situation.zone),
        mode=situation.mode,
    )
    return HomePlan(now, situation.level, plan)
