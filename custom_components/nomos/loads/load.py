"""Flexible loads: what the customer wants to run at the cheapest time, each a config subentry."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
import logging
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..planner import Run
from ..prices.coordinator import PriceCoordinator
from ..pricing import EMPTY_TABLE, PriceTable
from ..scheduled_coordinator import said
from .model import LoadPlan, LoadSettings
from .planning import is_above_cap, plan_load

_LOGGER = logging.getLogger(__name__)

SUBENTRY_TYPE: Final = "load"


class FlexibleLoad:
    """One load: plans while prices come, keeps to a plan that has begun, and moves on to the next window after it."""

    def __init__(
        self,
        hass: HomeAssistant,
        subentry: ConfigSubentry,
        begun: LoadPlan | None,
        on_begun: Callable[[], None],
        *,
        number: int,
    ) -> None:
        """Take a subentry, and the plan that had begun before Home Assistant stopped.

        Args:
            hass: Home Assistant.
            subentry: the settings.
            begun: the last plan that began; also one that is done tells that its window needs no other.
            on_begun: called when ``begun`` has changed and has to be stored.
            number: what the log calls the load, whose name may be personal.

        """
        self.id = subentry.subentry_id
        self.shown_as = subentry.title, subentry.data
        self.settings = LoadSettings.of(subentry.data)
        self.plan: LoadPlan | None = None
        self.begun = begun
        self._on_begun = on_begun
        self._hass = hass
        self._coordinator: PriceCoordinator | None = None
        self._planned_from: PriceTable | None = None
        self._planning: asyncio.Task[None] | None = None
        self.number = number
        self._logged = ""
        self._said: tuple[LoadPlan, Run | None, Run | None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._unsub_prices: CALLBACK_TYPE | None = None
        self._unsub_event: CALLBACK_TYPE | None = None

    @property
    def name(self) -> str:
        """Return what the customer calls the load."""
        return self.shown_as[0]

    @property
    def coordinator(self) -> PriceCoordinator | None:
        """Return whose prices the load is planned with; None while there is no such contract."""
        return self._coordinator

    def running(self, now: datetime) -> bool:
        """Return whether the load should run at an instant."""
        return self.plan is not None and self.plan.run_at(now) is not None

    @callback
    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call a listener whenever the plan or what it says of now may have changed; return how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_follow(self, coordinator: PriceCoordinator | None) -> None:
        """Plan with these prices from now on."""
        if coordinator is not self._coordinator:
            self.async_stop()
            self._coordinator = coordinator
            if coordinator is not None:
                self._unsub_prices = coordinator.async_add_listener(self._review)
        self._review(tell=True)

    @callback
    def async_stop(self) -> None:
        """Stop planning."""
        if self._planning is not None:
            self._planning.cancel()
            self._planning = None
        if self._unsub_prices is not None:
            self._unsub_prices()
            self._unsub_prices = None
        self._cancel_event()

    @callback
    def async_change(self, subentry: ConfigSubentry) -> None:
        """Take new settings. A plan that has begun is given up for them."""
        if subentry.data != self.shown_as[1]:
            self.settings = LoadSettings.of(subentry.data)
            self._planned_from = None
            if self.begun is not None:
                self.begun = None
                self._on_begun()
        self.shown_as = subentry.title, subentry.data
        self._review(tell=True)

    @callback
    def async_replan(self) -> None:
        """Plan again, for windows by a clock that shows another time now."""
        self._planned_from = None
        self._review(tell=True)

    @callback
    def _review(self, _now: datetime | None = None, *, tell: bool = False) -> None:
        """Bring the plan up to prices and time, and wake again when the time changes something.

        Listeners are told where that changed anything, or when asked to.
        """
        now = dt_util.utcnow()
        self._advance(now)
        self._log_plan()
        self._cancel_event()
        if (at := self._next_event(now)) is not None:
            self._unsub_event = async_track_point_in_utc_time(
                self._hass, self._review, at
            )
        says = None
        if (plan := self.plan) is not None:
            says = plan, plan.run_at(now), plan.next_run(now)
        if tell or says != self._said:
            self._said = says
            call_all(self._listeners)

    def _advance(self, now: datetime) -> None:
        """Keep to the plan that has begun, keep the one that still holds, or make one."""
        if self.begun is not None and self.begun.runs[0].start > now:
            # It began by a clock that was ahead.
            self.begun = self.plan = None
            self._on_begun()
        self._begin(now)
        if self.begun is not None and self.begun.next_run(now) is not None:
            self.plan = self.begun
            return
        if self._coordinator is None:
            self.plan = None
            return
        if not self._holds(now):
            self._plan_soon()

    def _holds(self, now: datetime) -> bool:
        """Return whether the plan is for the prices that are known, and for a window that is not over."""
        return (
            self.plan is not None
            and self.plan is not self.begun
            and self._coordinator is not None
            and self._planned_from is self._coordinator.data
            and now < self.plan.closes
        )

    @callback
    def _plan_soon(self) -> None:
        """Plan in the executor; what is planned now goes on until that is done."""
        if self._planning is None:
            self._planning = self._hass.async_create_task(
                self._async_plan(), f"{DOMAIN} plan of a load", eager_start=False
            )

    async def _async_plan(self) -> None:
        """Make a plan, again if what it is made of has changed meanwhile."""
        try:
            while (coordinator := self._coordinator) is not None:
                table, settings, begun = coordinator.data, self.settings, self.begun
                zone = dt_util.get_default_time_zone()
                made = await self._hass.async_add_executor_job(
                    plan_load, settings, begun, table, dt_util.utcnow(), zone
                )
                if (
                    table is coordinator.data
                    and settings is self.settings
                    and begun is self.begun
                    and zone is dt_util.get_default_time_zone()
                ):
                    self.plan, self._planned_from = made, table
                    break
        finally:
            if self._planning is asyncio.current_task():
                self._planning = None
        self._review()

    async def async_planned(self) -> None:
        """Wait until the plan is made."""
        while self._planning is not None:
            await asyncio.wait([self._planning])

    def _log_plan(self) -> None:
        """Say in the log what is planned or why nothing is, once as long as it stays the same."""
        if (plan := self.plan) is None:
            if self._planning is not None:
                return
            text = "no contract to plan with"
        else:
            begun = ", has begun" if plan is self.begun else ""
            why = "; ".join(
                f"{said(run.start)} to {said(run.end)}" for run in plan.runs
            ) or self._why_not(plan)
            window = f"{said(plan.opens)} to {said(plan.closes)}"
            text = f"{plan.status}{begun} in the window {window}: {why}"
        if text != self._logged:
            self._logged = text
            _LOGGER.debug("Load %s: %s", self.number, text)

    def _why_not(self, waiting: LoadPlan) -> str:
        """Return why a window has no run."""
        table = self._coordinator.data if self._coordinator else EMPTY_TABLE
        opens, closes = waiting.opens, waiting.closes
        if not table.knows(opens, closes):
            return "its prices are not all known yet"
        if is_above_cap(self.settings, table, opens, closes):
            return "too little of it is below the highest price allowed"
        return "it is too short now"

    def _begin(self, now: datetime) -> None:
        """Take note when the plan begins: from then on it is kept to, unless it was made for other settings.

        A plan with a run that nobody was awake to see is given up, and there may be time yet for another.
        """
        if self.plan is None or self.plan is self.begun or self._planned_from is None:
            return
        if self.plan.run_at(now) is not None:
            self.begun = self.plan
            self._on_begun()
            return
        seen = self.begun.runs if self.begun else ()
        if any(run.end <= now and run not in seen for run in self.plan.runs):
            self.plan = None

    def _next_event(self, now: datetime) -> datetime | None:
        """Return when a run starts or ends next, or the window closes."""
        if self.plan is None:
            return None
        moments = [moment for run in self.plan.runs for moment in (run.start, run.end)]
        later = (moment for moment in (*moments, self.plan.closes) if moment > now)
        return min(later, default=None)

    def _cancel_event(self) -> None:
        if self._unsub_event is not None:
            self._unsub_event()
            self._unsub_event = None


@callback
def call_all(listeners: Iterable[Callable[[], None]]) -> None:
    """Call listeners; one that fails does not keep the news from the others."""
    for listener in list(listeners):
        try:
            listener()
        except Exception:
            _LOGGER.exception("A listener to a plan failed")
