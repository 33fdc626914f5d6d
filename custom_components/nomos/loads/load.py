"""A load: what the customer wants to run at the cheapest time. Each is a config subentry."""

import asyncio
from datetime import datetime
from enum import Enum, auto
import logging
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..prices.coordinator import PriceCoordinator
from ..pricing import EMPTY_TABLE, PriceTable
from ..scheduled_coordinator import log_time
from .model import LoadPlan, LoadSettings
from .planning import is_above_cap, plan_load

_LOGGER = logging.getLogger(__name__)

SUBENTRY_TYPE: Final = "load"


def signal_changed(key: str) -> str:
    """Return the dispatcher's signal of a change to a load, or to any load of an account; by the id of either."""
    return f"{DOMAIN}_load_changed_{key}"


class LoadState(Enum):
    """What a load does."""

    WAITING = auto()
    """No plan holds: one is being made, or there is no contract to plan with."""
    PLANNED = auto()
    """A plan is made, and made again if prices change, until its first run begins."""
    RUNNING = auto()
    """The plan has begun: it is kept until its last run is over. Then the load waits for the next one."""


class Load:
    """One load: plans while prices come, keeps a plan that has begun, and goes on to the next window after it."""

    def __init__(
        self,
        hass: HomeAssistant,
        account_id: str,
        subentry: ConfigSubentry,
        begun: LoadPlan | None,
        *,
        number: int,
    ) -> None:
        """Wait to be given prices.

        ``begun`` is the last plan that began, perhaps before a restart: if it is over, its window needs no other.
        ``number`` replaces the name in the log: a name may be personal.
        """
        self.id = subentry.subentry_id
        self.name = subentry.title
        self.number = number
        self.settings = LoadSettings.of(subentry.data)
        self.coordinator: PriceCoordinator | None = None
        """The prices that the load is planned with; None if there is no contract."""
        self.state = LoadState.WAITING
        self.plan: LoadPlan | None = None
        """What is shown: while the load waits for a plan, the one before."""
        self.begun = begun
        self._hass = hass
        self._signals = signal_changed(self.id), signal_changed(account_id)
        self._planned_from: PriceTable | None = None
        self._planning: asyncio.Task[None] | None = None
        self._logged = ""
        self._shown: tuple[object, ...] | None = None
        self._unsub_prices: CALLBACK_TYPE | None = None
        self._unsub_timer: CALLBACK_TYPE | None = None

    def running(self, now: datetime) -> bool:
        """Return whether the load should run at an instant."""
        return self.plan is not None and self.plan.run_at(now) is not None

    @callback
    def async_configure(
        self, subentry: ConfigSubentry, coordinator: PriceCoordinator | None
    ) -> None:
        """Take name, settings and prices. New settings end a plan that has begun."""
        self.name, settings = subentry.title, LoadSettings.of(subentry.data)
        if settings != self.settings:
            self.settings, self.begun = settings, None
            self.state, self._planned_from = LoadState.WAITING, None
        if coordinator is not self.coordinator:
            self.async_stop()
            self.coordinator = coordinator
            if coordinator is not None:
                self._unsub_prices = coordinator.async_add_listener(self._update)
        self._update()

    @callback
    def async_replan(self) -> None:
        """Plan again, for windows by a clock that shows another time now."""
        if self.state is LoadState.PLANNED:
            self.state = LoadState.WAITING
        self._planned_from = None
        self._update()

    @callback
    def async_stop(self) -> None:
        """Stop planning."""
        self._cancel_planning()
        self._cancel_timer()
        if self._unsub_prices is not None:
            self._unsub_prices()
            self._unsub_prices = None

    async def async_planned(self) -> None:
        """Wait until the plan is made."""
        while (task := self._planning) is not None and not task.done():
            await asyncio.wait([task])

    @callback
    def _update(self, _now: datetime | None = None) -> None:
        """Follow time and prices, wake again when the time changes something, and report what changed."""
        now = dt_util.utcnow()
        self._advance(now)
        self._plan_if_due()
        self._set_timer(now)
        self._log_plan()
        shown: tuple[object, ...] = self.name, self.begun, self.plan
        if self.plan is not None:
            shown += self.plan.run_at(now), self.plan.next_run(now)
        if shown != self._shown:
            self._shown = shown
            for signal in self._signals:
                async_dispatcher_send(self._hass, signal)

    def _advance(self, now: datetime) -> None:
        """Go to the state that the time brings."""
        begun = self.begun
        if begun is not None and begun.runs[0].start > now:
            # It began by a clock that was ahead.
            self.state, self.plan = LoadState.WAITING, None
            self.begun = begun = self._planned_from = None
        match self.state, self.plan:
            case LoadState.WAITING, _ if begun and begun.next_run(now):
                self.state, self.plan = LoadState.RUNNING, begun
            case LoadState.PLANNED, LoadPlan() as plan if plan.run_at(now):
                self.state, self.begun = LoadState.RUNNING, plan
            case LoadState.PLANNED, LoadPlan() as plan if (
                now >= plan.closes or plan.has_missed(now, begun)
            ):
                self.state = LoadState.WAITING
            case LoadState.RUNNING, LoadPlan() as plan if not plan.next_run(now):
                self.state = LoadState.WAITING

    def _plan_if_due(self) -> None:
        """Plan in the executor unless a plan holds or is being made; until that is done, the plan before is shown."""
        table = self.coordinator.data if self.coordinator else None
        is_planning = self._planning is not None and not self._planning.done()
        if self.state is LoadState.RUNNING:
            self._cancel_planning()
        elif table is None:
            self._cancel_planning()
            self.state, self.plan = LoadState.WAITING, None
        elif table != self._planned_from or not (
            is_planning or self.state is LoadState.PLANNED
        ):
            self._cancel_planning()
            self._planned_from = table
            self._planning = self._hass.async_create_task(
                self._async_plan(table), f"{DOMAIN} plan of a load", eager_start=False
            )

    async def _async_plan(self, table: PriceTable) -> None:
        self.plan = await self._hass.async_add_executor_job(
            plan_load,
            self.settings,
            self.begun,
            table,
            dt_util.utcnow(),
            dt_util.get_default_time_zone(),
        )
        self.state, self._planning = LoadState.PLANNED, None
        self._update()

    def _set_timer(self, now: datetime) -> None:
        """Wake when a run starts or ends next, or the window closes."""
        self._cancel_timer()
        if self.plan is not None and (at := self.plan.next_change(now)) is not None:
            self._unsub_timer = async_track_point_in_utc_time(
                self._hass, self._update, at
            )

    def _cancel_timer(self) -> None:
        if self._unsub_timer is not None:
            self._unsub_timer()
            self._unsub_timer = None

    def _cancel_planning(self) -> None:
        if self._planning is not None:
            self._planning.cancel()
            self._planning = None

    def _log_plan(self) -> None:
        """Log what is planned or why nothing is, once as long as it stays the same."""
        match self.state, self.plan:
            case LoadState.WAITING, _ if self.coordinator is not None:
                return
            case _, LoadPlan() as plan:
                begun = ", has begun" if self.state is LoadState.RUNNING else ""
                why = "; ".join(
                    f"{log_time(run.start)} to {log_time(run.end)}" for run in plan.runs
                ) or self._why_not(plan)
                window = f"{log_time(plan.opens)} to {log_time(plan.closes)}"
                text = f"{plan.status}{begun} in the window {window}: {why}"
            case _:
                text = "no contract to plan with"
        if text != self._logged:
            self._logged = text
            _LOGGER.debug("Load %s: %s", self.number, text)

    def _why_not(self, waiting: LoadPlan) -> str:
        """Return why a window has no run."""
        table = self._planned_from or EMPTY_TABLE
        opens, closes = waiting.opens, waiting.closes
        if not table.knows(opens, closes):
            return "its prices are not all known yet"
        if is_above_cap(self.settings, table, opens, closes):
            return "too little of it is below the highest price allowed"
        return "it is too short now"
