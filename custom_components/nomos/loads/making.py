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


class PlanMaking:
    """Makes the plan of one load, and remembers what the last one was based on."""

    def __init__(self, hass: HomeAssistant, load: Load) -> None:
        """Set up; nothing is planned yet."""
        self.again_at: datetime | None = None
        """When to plan again even if no price has changed."""
        self.sun: SharedSun | None = None
        """The load's share of own solar power, if it uses any; None until forecasts are available."""
        self.holds = False
        """Whether the plan is valid, so that its runs may begin."""
        self.made = 0
        """How many plans were made, for support."""
        self._hass, self._load = hass, load
        self._takes_sun = False
        self._taken: OwnSun | None = None
        self._made_from: PriceTable | None = None
        self._making: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> asyncio.Task[None] | None:
        """Return the asyncio task that is making a plan; None if there is none."""
        making = self._making
        return None if making is None or making.done() else making

    async def async_wait(self) -> None:
        """Wait until no plan is being made."""
        while (making := self.under_way) is not None:
            await asyncio.wait([making])

    def cancel(self) -> None:
        """Cancel the plan that is being made."""
        if self._making is not None:
            self._making.cancel()
            self._making, self._takes_sun = None, False

    def drop(self) -> None:
        """Discard the last plan, and the one that is being made."""
        self.cancel()
        self._made_from, self.holds = None, False

    def follow(self, table: PriceTable, task: Task, now: datetime) -> None:
        """Make a plan if prices, need, task or own solar power have changed."""
        uses_sun = self._load.settings.own_sun
        if uses_sun and not (self.sun and self.sun.ready):
            return
        again = self.again_at is not None and now >= self.again_at
        if self._making is None and self._made_from is not None:
            again = again or not self._load.sensors.is_planned(now)
        if uses_sun and self.sun and not self._takes_sun:
            again = again or self.sun.has_changed(self._load, self._taken)
        if table == self._made_from and not again:
            return
        self.cancel()
        self._load.sensors.planned(now)
        self._made_from, self.again_at = table, None
        self._takes_sun = uses_sun
        self._making = self._hass.async_create_task(
            self._async_make(table, task),
            f"{DOMAIN} plan of a load",
            eager_start=False,
        )

    async def _async_make(self, table: PriceTable, task: Task) -> None:
        load, sun = self._load, None
        if self._takes_sun and self.sun:
            self._taken = sun = await self.sun.async_take(load)
            self._takes_sun = False
        now = dt_util.utcnow()
        self.made += 1
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
        self._making, self.holds = None, True
        begun = tuple(run for run in plan.runs if run.start <= now)
        task = replace(task, runs=begun)
        self.again_at = next_planning(load.settings, table, task, now)
        load.async_take(plan, task)
