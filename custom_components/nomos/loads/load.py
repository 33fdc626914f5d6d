"""A load: something to run at the cheapest time. Each is a config subentry."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..entity import signal_changed
from ..planner import PlannedRuns
from ..prices.coordinator import PriceCoordinator
from ..prices.subentry import PlannedSubentry
from .control import Control
from .meter import Meter
from .plan import LoadMemory, LoadPlan, LoadState, LoadStatus, Task
from .plan_maker import PlanMaker
from .saved import SavedStatistic
from .sensors import LoadSensors
from .settings import LoadSettings
from .tasks import (
    SensorEvent,
    is_over,
    moved_to_window,
    next_task,
    started_by_hand,
    task_to_start,
)

_LOGGER = logging.getLogger(__name__)

SUBENTRY_TYPE: Final = "load"

_ZERO: Final = timedelta()
_PRESSED_TWICE: Final = timedelta(seconds=10)
"""A second press of *Skip* within this time is ignored as a mistake."""


class Load(PlannedSubentry):
    """One load: plans its task as prices arrive, and moves on to the next task after it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        subentry: ConfigSubentry,
        memory: LoadMemory,
        *,
        number: int,
    ) -> None:
        """Set up the load; its prices are set later.

        ``memory`` was stored before a restart. ``number`` replaces the name in the log: a name may be personal.
        """
        super().__init__(hass, entry, subentry)
        self.number = number
        self.settings = LoadSettings.of(subentry.data)
        self.task, self.off = memory.task, memory.off
        self.override_count = 0
        """How often it was switched on or started by hand; each time, its devices go back to the load."""
        self._enabled_since = memory.since
        self.previous_task: Task | None = None
        """The previous task."""
        self._previous_left = _ZERO
        self.plan: LoadPlan | None = None
        """The plan to show: while a new one is made, the previous one."""
        self.sensors = LoadSensors(hass, self, memory.readings, self._update)
        self.unreachable = False
        """Whether one of its devices does not obey."""
        self.meter = Meter(
            hass, self.settings, memory.ledger, memory.task, self._update
        )
        self.plan_maker = PlanMaker(hass, self)
        self.control = Control(hass, self, memory.devices)
        self._saved = SavedStatistic(hass, entry, self.id)
        self._skipped_at: datetime | None = None
        self._logged = ""
        self._shown: tuple[object, ...] | None = None

    @property
    def memory(self) -> LoadMemory:
        """Return the state to restore after a restart.

        If the task has neither begun nor been asked for, the previous one is stored; it then finishes once more.
        """
        task = self.task
        if task is None or not (task.runs or self.settings.on_demand):
            task = self.previous_task
        return LoadMemory(
            task=task,
            off=self.off,
            since=self._enabled_since,
            readings=self.sensors.readings,
            devices=self.control.memory,
            ledger=self.meter.stored_ledger,
        )

    @property
    def is_on(self) -> bool:
        """Return whether the load is switched on: asked for, or planned every day."""
        return self.task is not None if self.settings.on_demand else not self.off

    def planned_runs(self, now: datetime) -> PlannedRuns:
        """Return the runs that go on or are planned, with the power in kW; none if that is unknown."""
        power = self.settings.power
        if self.task is None or power is None:
            return ()
        planned = self.plan.runs if self.plan else ()
        runs = {run.start: run for run in (*planned, *self.task.runs)}
        return tuple((run, power) for run in runs.values() if run.end > now)

    def running(self, now: datetime) -> bool:
        """Return whether the load should run at an instant."""
        return self.task is not None and self.task.run_at(now) is not None

    def state(self, now: datetime) -> LoadState:
        """Return the state of the load at an instant."""
        if self.task is None:
            return LoadState.IDLE
        if self.running(now):
            return LoadState.RUNNING
        return LoadState.PLANNED if self.plan_maker.is_valid else LoadState.WAITING

    def left(self, now: datetime) -> timedelta:
        """Return how long the load still has to run for its task."""
        return self.sensors.left(now)

    def status(self, now: datetime) -> LoadStatus:
        """Return what the load does at an instant, or why it does nothing."""
        last = self.previous_task
        if self.unreachable:
            return LoadStatus.UNREACHABLE
        if self.coordinator is None:
            return LoadStatus.NO_CONTRACT
        if self.running(now):
            return LoadStatus.RUNNING
        if self.sensors.unplugged:
            return LoadStatus.NOT_PLUGGED_IN
        waits = self.task is not None and self.settings.on_demand
        if last and last.runs and last.closes > now and not waits:
            return LoadStatus.PARTIAL if self._previous_left else LoadStatus.DONE
        if self.task is None:
            full = self.sensors.is_full(now)
            return LoadStatus.DONE if full else LoadStatus.NOT_ASKED
        return self.plan.status if self.plan else LoadStatus.WAITING_FOR_WINDOW

    @callback
    @override
    def async_configure(
        self, subentry: ConfigSubentry, coordinator: PriceCoordinator | None
    ) -> None:
        """Apply name, settings and prices. What has run so far counts under new settings, too."""
        self.subentry, settings = subentry, LoadSettings.of(subentry.data)
        if coordinator is not self.coordinator:
            self.plan_maker.drop()
            self._follow_prices(coordinator, self._update_soon)
        self.sensors.async_follow(settings)
        if settings != self.settings:
            self.settings = settings
            self._follow_window()
        self.meter.async_follow(self.settings)
        self._update()

    @callback
    @override
    def async_rename(self, data: Mapping[str, Any], old: str, new: str) -> None:
        """Apply the new id as a name only: what was measured and switched still counts."""
        self.settings = settings = LoadSettings.of(data)
        self.sensors.async_follow(settings, renamed=True)
        self.meter.async_follow(settings, renamed=True)
        self.control.async_rename(old, new)

    @callback
    def async_switch(self, *, on: bool) -> None:
        """Switch planning on or off: from now on for a daily load, once for one on demand."""
        now = dt_util.utcnow()
        if on == self.is_on:
            return
        self.off = not on and not self.settings.on_demand
        if on:
            self.override_count, self._enabled_since = self.override_count + 1, now
            last = self.previous_task
            if last and last.skipped and not last.runs and last.opens <= now:
                # It was switched off or skipped before it had run: the window is open again.
                self.previous_task = None
        if on and self.settings.on_demand:
            self.task, self._skipped_at = self._next_task(now), None
        elif self.off and self.task and self.task.opens > now and not self.task.runs:
            # The window is still to come, so nothing is skipped, and the previous task still counts.
            self.task = None
        elif not on:
            self._skip(now)
        self.plan_maker.drop()
        self._update()

    @callback
    def async_start_now(self) -> None:
        """Run now for as long as needed, whatever the price; this counts as the run of the current or next window."""
        now = dt_util.utcnow()
        task = task_to_start(self.task or self._next_task(now), self.previous_task, now)
        current = task.run_at(now)
        left = self.left(now)
        if not left:
            return
        self.override_count += 1
        if current is None or not task.by_hand:
            self.task, self._skipped_at = started_by_hand(task, now, left), None
            self.plan_maker.drop()
        self._update()

    @callback
    def async_skip(self) -> None:
        """End the current run and skip the rest of its task, or skip the next task."""
        now = dt_util.utcnow()
        twice = self._skipped_at and _ZERO <= now - self._skipped_at < _PRESSED_TWICE
        if self.task is None or twice:
            return
        self._skipped_at = now
        self._skip(now)
        self._update()

    @callback
    def async_report_devices(self, *, obey: bool, idle: bool | None) -> None:
        """Note whether the devices obey. While one is ``idle``, no usage is calculated; None if that is unknown."""
        if idle is not None:
            self.meter.set_idle(dt_util.utcnow(), idle=idle)
        if self.unreachable == obey:
            self.unreachable = not obey
            self._update()

    @callback
    def async_replan(self) -> None:
        """Plan again after the clock or the time zone has changed."""
        self._follow_window()
        self._update()

    @callback
    @override
    def async_stop(self) -> None:
        """Stop planning."""
        super().async_stop()
        self.plan_maker.cancel()
        self.control.async_stop()
        self.sensors.async_stop()
        self.meter.async_stop()
        self._saved.async_stop()

    def _next_task(self, now: datetime) -> Task:
        """Return the task of the current or next window that has none yet."""
        return next_task(
            self.settings,
            now,
            dt_util.get_default_time_zone(),
            self.left(now),
            last=self.previous_task,
            since=self._enabled_since,
        )

    def _follow_window(self) -> None:
        """Move the task to the window that follows from the current settings and clock."""
        self.plan_maker.drop()
        now = dt_util.utcnow()
        if self.previous_task and self.previous_task.opens > now:
            # It ended by a clock that was ahead.
            self.previous_task = None
        if (task := self.task) is None:
            return
        begun = any(run.start <= now for run in task.runs)
        # The current window, as long as what is left fits into it.
        coming = self._next_task(now)
        if (within := self.settings.within) is not None:
            # It counts from the request, but what is left must fit.
            closes = max(min(task.opens, now) + within, now + self.left(now))
            coming = replace(coming, closes=closes)
        self.task = None
        if begun or self.settings.on_demand:
            self.task = moved_to_window(task, coming, now)

    def _finish(self, now: datetime) -> None:
        """End the task, and discard its plan."""
        self.plan_maker.drop()
        if self.task is not None:
            self.sensors.add_charged(now)
            self.previous_task, self._previous_left = (
                self.task.ended(now),
                self.left(now),
            )
            self.meter.finish(now, self.previous_task)
        self.task = None

    def _skip(self, now: datetime) -> None:
        """End the task before it is finished."""
        if self.task is not None:
            self.task = replace(self.task, skipped=True)
        self._finish(now)

    @callback
    def _update_soon(self) -> None:
        """Update in a separate callback: many loads at once would block the event loop for too long."""
        self._cancel_timer()
        self._cancel_timer = self._hass.loop.call_soon(self._update).cancel

    @callback
    def _update(self, _now: datetime | None = None) -> None:
        """Follow time and prices, schedule the next update, and signal changes."""
        now = dt_util.utcnow()
        self._advance(now)
        table = self.coordinator.data if self.coordinator else None
        self.meter.update(now, self.task, table)
        self._saved.async_follow(self.meter, self.name)
        self.async_plan_if_due()
        self._set_timer(now)
        self._log_plan()
        shown = (
            self.name,
            self.settings,
            self.memory,
            self.plan,
            self.status(now),
            self.running(now),
            self.meter.month(now),
            self.override_count,
            self.plan and self.plan.next_run(now),
        )
        if shown != self._shown:
            self._shown = shown
            for key in (self.id, self.entry.entry_id):
                async_dispatcher_send(self._hass, signal_changed(key))
            self.control.async_follow()

    @callback
    def async_save(self) -> None:
        """Let what is remembered be stored, though nothing else has changed."""
        async_dispatcher_send(self._hass, signal_changed(self.entry.entry_id))

    def _advance(self, now: datetime) -> None:
        """Advance to the state that follows from time and sensors."""
        events = self.sensors.read(now)
        if self.task and SensorEvent.STOPPED in events:
            self.task = self.task.ended(now)
            self.plan_maker.drop()
        if self.task and is_over(self.task, self.settings, self.left(now), now):
            self._finish(now)
        self._follow_requests(events, now)
        if self.task is None and self.is_on:
            self.task = self._next_task(now)
        task, plan = self.task, self.plan
        if not task or not plan or self.state(now) is not LoadState.PLANNED:
            return
        if run := plan.run_at(now):
            self.task = task.with_run(run)
            if self.plan_maker.planning_task:
                # A plan that is being made without it is discarded.
                self.plan_maker.drop()
        elif plan.has_missed(now, task.runs):
            self.plan_maker.drop()

    def _follow_requests(self, events: list[SensorEvent], now: datetime) -> None:
        """Create or skip the task of an on-demand load if its sensors ask for it, or no longer do."""
        if not self.settings.on_demand:
            return
        if self.task is None:
            last = self.previous_task
            waits = last and last.closes > now and (last.skipped or self._previous_left)
            again = self.sensors.asks_again(now) and not waits
            if SensorEvent.REQUESTED in events or again:
                self.task = self._next_task(now)
                self.plan_maker.drop()
        elif SensorEvent.WITHDRAWN in events:
            # Half a dishwasher's run is no use.
            if not (self.settings.contiguous and self.running(now)):
                self._skip(now)

    @callback
    def async_plan_if_due(self) -> None:
        """Plan in the executor if prices, need, task or sun changed; until then the previous plan is shown."""
        table = self.coordinator.data if self.coordinator else None
        if table is None or self.task is None or self.sensors.unplugged:
            self.plan_maker.drop()
            self.plan = None
        else:
            self.plan_maker.follow(table, self.task, dt_util.utcnow())

    @callback
    def async_set_plan(self, plan: LoadPlan, task: Task) -> None:
        """Adopt a plan that was made for the task."""
        self.plan, self.task = plan, task
        self._update()

    def _set_timer(self, now: datetime) -> None:
        """Schedule an update for the next start or end of a run or window, or the next planning."""
        self._cancel_timer()
        times = [self.plan_maker.replan_at, self.meter.next_change(now)]
        if self.plan is not None:
            times.append(self.plan.next_change(now))
        if self.task is not None:
            times += [self.task.closes, *(run.end for run in self.task.runs)]
        if self.previous_task is not None:
            times.append(self.previous_task.closes)
        if coming := [at for at in times if at is not None and at > now]:
            self._cancel_timer = async_track_point_in_utc_time(
                self._hass, self._update, min(coming)
            )

    def _log_plan(self) -> None:
        """Log what is planned, or why nothing is, if that has changed."""
        now = dt_util.utcnow()
        plan, status = self.plan, self.status(now)
        if plan is None and status is LoadStatus.WAITING_FOR_WINDOW:
            return
        text = status.value.replace("_", " ") + self.sensors.note
        if plan is not None:
            text += f", {plan}"
        if text != self._logged:
            self._logged = text
            _LOGGER.debug("Load %s: %s", self.number, text)
