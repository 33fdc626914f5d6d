"""How the plan of a load comes about: in the executor, one at a time, again whenever prices or needs have changed."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..pricing import PriceTable
from .plan import LoadPlan, Task
from .planning import next_planning, plan_load
from .sensors import LoadSensors
from .settings import LoadSettings

if TYPE_CHECKING:
    from ..planner.own_sun import OwnSun


class SunShare(Protocol):
    """What a load that uses own solar power goes by."""

    @property
    def ready(self) -> bool:
        """Return whether the sun can be asked for."""

    @property
    def changed(self) -> bool:
        """Return whether something else would be handed out than was last."""

    async def async_take(self) -> OwnSun | None:
        """Return what the load may count on, as soon as the loads that come first are planned."""


class PlannedLoad(Protocol):
    """What making a plan needs of its load."""

    settings: LoadSettings
    sensors: LoadSensors

    def left(self, now: datetime) -> timedelta:
        """Return how long the load still has to run for its task."""

    def async_take(self, plan: LoadPlan, task: Task, now: datetime) -> None:
        """Go on by a plan that was made of a task."""


class PlanMaking:
    """Makes the plan of one load, and knows from what the last one was made."""

    def __init__(self, hass: HomeAssistant, load: PlannedLoad) -> None:
        """Make nothing yet."""
        self.again_at: datetime | None = None
        """When a plan has to be made again though no price has changed."""
        self.sun: SunShare | None = None
        """What the load goes by if it uses own solar power; None until the forecasts are there."""
        self.made = 0
        """How many plans were made, for support."""
        self._hass, self._load = hass, load
        self._takes_sun = False
        self._made_from: PriceTable | None = None
        self._making: asyncio.Task[None] | None = None

    @property
    def goes_on(self) -> bool:
        """Return whether a plan is being made."""
        return self._making is not None and not self._making.done()

    @property
    def under_way(self) -> asyncio.Task[None] | None:
        """Return the task that makes a plan now."""
        return self._making if self.goes_on else None

    async def async_wait(self) -> None:
        """Wait until the plan is made."""
        while (making := self._making) is not None and not making.done():
            await asyncio.wait([making])

    def cancel(self) -> None:
        """Make no plan."""
        if self._making is not None:
            self._making.cancel()
            self._making, self._takes_sun = None, False

    def drop(self) -> None:
        """Let no plan hold, neither the one before nor the one that is being made."""
        self.cancel()
        self._made_from = None

    def follow(self, table: PriceTable, task: Task, now: datetime) -> None:
        """Make a plan if prices, need, task or own solar power have changed."""
        uses_sun = self._load.settings.own_sun
        if uses_sun and not (self.sun and self.sun.ready):
            return
        again = self.again_at is not None and now >= self.again_at
        if self._making is None and self._made_from is not None:
            again = again or not self._load.sensors.is_planned(now)
        if uses_sun and self.sun and not self._takes_sun:
            again = again or self.sun.changed
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
            sun = await self.sun.async_take()
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
        self._making = None
        begun = tuple(run for run in plan.runs if run.start <= now)
        task = task.with_runs(begun)
        self.again_at = next_planning(load.settings, table, task, now)
        load.async_take(plan, task, now)
