"""The plan of a home battery as it is shown: what to tell the inverter, until when, and what that earns."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from itertools import takewhile

from ..planner import PlannedRuns, Run
from ..planner.battery import BatteryMode, BatteryPlan, Quarter, Step, plan_battery
from ..planner.expected import Expected
from .settings import BatterySettings

type _Told = tuple[Quarter, Step]


@dataclass(frozen=True)
class HomePlan:
    """A plan, when it was made, and the charge level (kWh) at that time."""

    made_at: datetime
    level: float
    plan: BatteryPlan

    @property
    def until(self) -> datetime:
        """Return when it ends."""
        quarters = self.plan.quarters
        return quarters[-1].end if quarters else self.made_at

    @cached_property
    def runs(self) -> PlannedRuns:
        """Return charging as runs of a load with their power in kW, negative while the battery delivers."""
        steps = zip(self.plan.quarters, self.plan.steps, strict=True)
        return tuple(
            (Run(start=quarter.start, end=quarter.end), moved / quarter.hours)
            for quarter, step in steps
            if (moved := step.grid - quarter.need)
        )

    def rest(self, now: datetime) -> list[_Told]:
        """Return what is left of it, from the current quarter-hour on."""
        if (index := self._index(now)) is None:
            return []
        return [*zip(self.plan.quarters, self.plan.steps, strict=True)][index:]

    def ahead(self, now: datetime) -> tuple[list[_Told], list[_Told]]:
        """Return what is left of it: the rest of the current mode, and what follows."""
        rest = self.rest(now)
        same = [*takewhile(lambda one: one[1].mode is rest[0][1].mode, rest)]
        return same, rest[len(same) :]

    def step(self, now: datetime) -> Step | None:
        """Return the current step; None before and after the plan."""
        index = self._index(now)
        return None if index is None else self.plan.steps[index]

    def next_change(self, now: datetime) -> datetime | None:
        """Return when the mode changes next; None if it does not."""
        _, later = self.ahead(now)
        return later[0][0].start if later else None

    def level_at(self, now: datetime) -> float | None:
        """Return the charge level expected at an instant, in kWh; None outside the plan."""
        index = self._index(now)
        if index is None:
            return None
        quarter, after = self.plan.quarters[index], self.plan.steps[index].level
        before = self.plan.steps[index - 1].level if index else self.level
        share = (now - quarter.start) / (quarter.end - quarter.start)
        return before + (after - before) * share

    def _index(self, now: datetime) -> int | None:
        quarters = self.plan.quarters
        index = bisect_right(quarters, now, key=lambda one: one.start) - 1
        return index if index >= 0 and now < self.until else None


def make_plan(
    settings: BatterySettings,
    level: float,
    mode: BatteryMode,
    expected: Expected,
    now: datetime,
    zone: tzinfo,
) -> HomePlan:
    """Return the best plan until known prices end; an empty one if no price is known.

    ``level`` is the charge in kWh, ``mode`` the current one.
    """
    quarters, beyond = expected.split_at_horizon(now, expected.prices.horizon or now)
    target = settings.target(now, zone)
    plan = plan_battery(
        settings.battery, level, quarters, beyond, target=target, mode=mode
    )
    return HomePlan(now, level, plan)
