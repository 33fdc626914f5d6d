"""Makes the plan of a load: in the executor, one at a time, again whenever prices or needs have changed."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..pricing import PriceTable
from .plan import Task
from .planning import next_planning, plan_load

if TYPE_CHECKING:
    from ..planner.own_sun import OwnSun
    from .load import Load
    from .own_sun import SharedSun


class PlanMaker:
    """Makes the plan of one load, and remembers what the last one was based on."""

    def __init__(self, hass: HomeAssistant, load: Load) -> None:
        """Set up; nothing is planned yet."""
        self.replan_at: datetime | None = None
        """When to plan again even if no price has changed."""
        self.sun: SharedSun | None = None
        """The load's share of own solar power, if it uses any; None until forecasts are available."""
        self.is_valid = False
        """Whether the plan is valid, so that its runs may begin."""
        self.plan_count = 0
        """How many plans were made, for support."""
        self._hass, self._load = hass, load
        self._awaits_sun = False
        self._used_sun: OwnSun | None = None
        self._planned_table: PriceTable | None = None
        self._planning: asyncio.Task[None] | None = None

    @property
    def planning_task(self) -> asyncio.Task[None] | None:
        """Return the asyncio task that is making a plan; None if there is none."""
        planning = self._planning
        return None if planning is None or planning.done() else planning

    async def async_wait(self) -> None:
        """Wait until no plan is being made."""
        while (planning := self.planning_task) is not None:
            await asyncio.wait([planning])

    def cancel(self) -> None:
        """Cancel the plan that is being made."""
        if self._planning is not None:
            self._planning.cancel()
            self._planning, self._awaits_sun = None, False

    def drop(self) -> None:
        """Discard the last plan, and the one that is being made."""
        self.cancel()
        self._planned_table, self.is_valid = None, False

    def follow(self, table: PriceTable, task: Task, now: datetime) -> None:
        """Make a plan if prices, need, task or own solar power have changed."""
        uses_sun = self._load.settings.own_sun
        if uses_sun and not (self.sun and self.sun.ready):
            return
        again = self.replan_at is not None and now >= self.replan_at
        if self._planning is None and self._planned_table is not None:
            again = again or not self._load.sensors.is_need_unchanged(now)
        if uses_sun and self.sun and not self._awaits_sun:
            again = again or self.sun.has_changed(self._load, self._used_sun)
        if table == self._planned_table and not again:
            return
        self.cancel()
        self._load.sensors.note_planned_need(now)
        self._planned_table, self.replan_at = table, None
        self._awaits_sun = uses_sun
        self._planning = self._hass.async_create_task(
            self._async_make(table, task),
            f"{DOMAIN} plan of a load",
            eager_start=False,
        )

    async def _async_make(self, table: PriceTable, task: Task) -> None:
        load, sun = self._load, None
        if self._awaits_sun and self.sun:
            self._used_sun = sun = await self.sun.async_get_surplus(load)
            self._awaits_sun = False
        now = dt_util.utcnow()
        self.plan_count += 1
        plan = await self._hass.async_add_executor_job(
            plan_load,
            load.settings,
            task,
            load.left(now),
            table,
            now,
            dt_util.get_default_time_zone(),
            load.sensors.urgent(now),
            sun,
        )
        self._planning, self.is_valid = None, True
        begun = tuple(run for run in plan.runs if run.start <= now)
        task = replace(task, runs=begun)
        self.replan_at = next_planning(load.settings, table, task, now)
        load.async_set_plan(plan, task)
