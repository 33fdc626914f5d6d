"""A load: what the customer wants to run at the cheapest time. Each is a config subentry."""

from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Final, override

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
from .making import PlanMaking
from .meter import Meter
from .plan import LoadMemory, LoadPlan, LoadState, LoadStatus, Task
from .saved import SavedStatistic
from .sensors import LoadSensors
from .settings import LoadSettings
from .tasks import Sensed, is_over, moved, next_task, started_by_hand, to_start

_LOGGER = logging.getLogger(__name__)

SUBENTRY_TYPE: Final = "load"

_ZERO: Final = timedelta()
_PRESSED_TWICE: Final = timedelta(seconds=10)
"""Within this time a second press of *Skip* is a mistake."""


class Load(PlannedSubentry):
    """One load: plans its task while prices come, and goes on to the next one after it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        subentry: ConfigSubentry,
        memory: LoadMemory,
        *,
        number: int,
    ) -> None:
        """Wait to be given prices.

        ``memory`` is what was known before a restart. ``number`` replaces the name in the log: a name may be personal.
        """
        super().__init__(hass, entry, subentry)
        self.number = number
        self.settings = LoadSettings.of(subentry.data)
        self.task, self.off = memory.task, memory.off
        self.claims = 0
        """How often it was switched on, or started by hand: its devices are then the load's again."""
        self._since = memory.since
        self.last: Task | None = None
        """The task before."""
        self._last_left = _ZERO
        self.plan: LoadPlan | None = None
        """What is shown: while the load waits for a plan, the one before."""
        self.sensors = LoadSensors(hass, self, memory.readings, self._update)
        self.unreachable = False
        """Whether a device of it does not obey."""
        self.meter = Meter(
            hass, self.settings, memory.ledger, memory.task, self._update
        )
        self.making = PlanMaking(hass, self)
        self.control = Control(hass, self, memory.devices)
        self._saved = SavedStatistic(hass, entry, self.id)
        self._skipped_at: datetime | None = None
        self._logged = ""
        self._shown: tuple[object, ...] | None = None

    @property
    def memory(self) -> LoadMemory:
        """Return what has to survive a restart.

        A task that has neither begun nor was asked for need not. One that ended as planned ends so again.
        """
        task = self.task
        if task is None or not (task.runs or self.settings.on_demand):
            task = self.last
        return LoadMemory(
            task=task,
            off=self.off,
            since=self._since,
            readings=self.sensors.readings,
            devices=self.control.memory,
            ledger=self.meter.kept,
        )

    @property
    def is_on(self) -> bool:
        """Return whether the load is to run: it is asked for, or planned every day."""
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
        """Return where the load is with its task at an instant."""
        if self.task is None:
            return LoadState.IDLE
        if self.running(now):
            return LoadState.RUNNING
        return LoadState.PLANNED if self.making.holds else LoadState.WAITING

    def left(self, now: datetime) -> timedelta:
        """Return how long the load still has to run for its task."""
        return self.sensors.left(now)

    def status(self, now: datetime) -> LoadStatus:
        """Return what the load does at an instant, or why it does nothing."""
        last = self.last
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
            return LoadStatus.PARTIAL if self._last_left else LoadStatus.DONE
        if self.task is None:
            full = self.sensors.is_full(now)
            return LoadStatus.DONE if full else LoadStatus.NOT_ASKED
        return self.plan.status if self.plan else LoadStatus.WAITING_FOR_WINDOW

    @callback
    @override
    def async_configure(
        self, subentry: ConfigSubentry, coordinator: PriceCoordinator | None
    ) -> None:
        """Take name, settings and prices. What has run so far counts also by new settings."""
        self.subentry, settings = subentry, LoadSettings.of(subentry.data)
        if coordinator is not self.coordinator:
            self.making.cancel()
            self._follow_prices(coordinator, self._update_soon)
        self.sensors.async_follow(settings)
        if settings != self.settings:
            self.settings = settings
            self._follow_window()
        self.meter.async_follow(self.settings)
        self._update()

    @callback
    def async_rename(self, settings: LoadSettings) -> None:
        """Take settings that name the same entities by other ids."""
        self.settings = settings
        self.sensors.async_follow(settings, renamed=True)
        self.meter.async_follow(settings, renamed=True)

    @callback
    def async_switch(self, *, on: bool) -> None:
        """Plan the load or not: from now on if it is planned every day, once if it is on demand."""
        now = dt_util.utcnow()
        if on == self.is_on:
            return
        self.off = not on and not self.settings.on_demand
        if on:
            self.claims, self._since = self.claims + 1, now
            last = self.last
            if last and last.skipped and not last.runs and last.opens <= now:
                # Switched off, or skipped, before anything was done: the window is open again.
                self.last = None
        if on and self.settings.on_demand:
            self.task, self._skipped_at = self._next_task(now), None
        elif self.off and self.task and self.task.opens > now and not self.task.runs:
            # Nothing is given up yet, and what was done of the window before still counts.
            self.task = None
        elif not on:
            self._skip(now)
        self.making.drop()
        self._update()

    @callback
    def async_start_now(self) -> None:
        """Run for what is needed, without regard to prices; this is the run of the window that is open or comes next."""
        now = dt_util.utcnow()
        task = to_start(self.task or self._next_task(now), self.last, now)
        current = task.run_at(now)
        left = self.left(now)
        if not left:
            return
        self.claims += 1
        if current is None or not task.by_hand:
            self.task, self._skipped_at = started_by_hand(task, now, left), None
            self.making.drop()
        self._update()

    @callback
    def async_skip(self) -> None:
        """End the current run and do without what is left of the task, or do without the next one."""
        now = dt_util.utcnow()
        twice = self._skipped_at and _ZERO <= now - self._skipped_at < _PRESSED_TWICE
        if self.task is None or twice:
            return
        self._skipped_at = now
        self._skip(now)
        self._update()

    @callback
    def async_report_devices(self, *, obey: bool, idle: bool | None) -> None:
        """Show whether the devices of the load obey; book only what runs: they are ``idle`` while one does not."""
        if idle is not None:
            self.meter.note(dt_util.utcnow(), idle=idle)
        if self.unreachable == obey:
            self.unreachable = not obey
            self._update()

    @callback
    def async_replan(self) -> None:
        """Plan again, for windows by a clock that shows another time now."""
        self._follow_window()
        self._update()

    @callback
    @override
    def async_stop(self) -> None:
        """Stop planning."""
        super().async_stop()
        self.making.cancel()
        self.control.async_stop()
        self.sensors.async_stop()
        self.meter.async_stop()
        self._saved.async_stop()

    def _next_task(self, now: datetime) -> Task:
        """Return the task of the window that is open, or comes next, and has none yet."""
        return next_task(
            self.settings,
            now,
            dt_util.get_default_time_zone(),
            self.left(now),
            last=self.last,
            since=self._since,
        )

    def _follow_window(self) -> None:
        """Give the task the window that settings and clock make of it now."""
        self.making.drop()
        now = dt_util.utcnow()
        if self.last and self.last.opens > now:
            # It was over by a clock that was ahead.
            self.last = None
        if (task := self.task) is None:
            return
        begun = any(run.start <= now for run in task.runs)
        # The next window is not meant as long as the present one holds what is left.
        coming = self._next_task(now)
        if (within := self.settings.within) is not None:
            # It is counted from the request, but what is left shall fit.
            closes = max(min(task.opens, now) + within, now + self.left(now))
            coming = replace(coming, closes=closes)
        self.task = None
        if begun or self.settings.on_demand:
            self.task = moved(task, coming, now)

    def _finish(self, now: datetime) -> None:
        """End the task, and let no plan of it hold."""
        self.making.drop()
        if self.task is not None:
            self.sensors.bridge(now)
            self.last, self._last_left = self.task.ended(now), self.left(now)
            self.meter.finish(now, self.last)
        self.task = None

    def _skip(self, now: datetime) -> None:
        """End the task, though it might go on."""
        if self.task is not None:
            self.task = replace(self.task, skipped=True)
        self._finish(now)

    @callback
    def _update_soon(self) -> None:
        """Follow prices in a callback of its own: together, many loads would hold the event loop for too long."""
        self._cancel_timer()
        self._cancel_timer = self._hass.loop.call_soon(self._update).cancel

    @callback
    def _update(self, _now: datetime | None = None) -> None:
        """Follow time and prices, wake again when the time changes something, and report what changed."""
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
            self.claims,
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
        """Go to the state that time and sensors bring."""
        sensed = self.sensors.read(now)
        if self.task and Sensed.STOPPED in sensed:
            self.task = self.task.ended(now)
            self.making.drop()
        if self.task and is_over(self.task, self.settings, self.left(now), now):
            self._finish(now)
        self._follow_requests(sensed, now)
        if self.task is None and self.is_on:
            self.task = self._next_task(now)
        task, plan = self.task, self.plan
        if not task or not plan or self.state(now) is not LoadState.PLANNED:
            return
        if run := plan.run_at(now):
            self.task = task.with_run(run)
            if self.making.under_way:
                # A plan that is being made without it must not hold.
                self.making.drop()
        elif plan.has_missed(now, task.runs):
            self.making.drop()

    def _follow_requests(self, sensed: list[Sensed], now: datetime) -> None:
        """Take a request of the sensors of a load on demand, or give it up."""
        if not self.settings.on_demand:
            return
        if self.task is None:
            last = self.last
            waits = last and last.closes > now and (last.skipped or self._last_left)
            again = self.sensors.asks_again(now) and not waits
            if Sensed.ASKED in sensed or again:
                self.task = self._next_task(now)
                self.making.drop()
        elif Sensed.WITHDRAWN in sensed:
            # Half a dishwasher's run helps nobody.
            if not (self.settings.contiguous and self.running(now)):
                self._skip(now)

    @callback
    def async_plan_if_due(self) -> None:
        """Plan in the executor if prices, need, task or sun changed; until that is done, the plan before is shown."""
        table = self.coordinator.data if self.coordinator else None
        if table is None or self.task is None or self.sensors.unplugged:
            self.making.drop()
            self.plan = None
        else:
            self.making.follow(table, self.task, dt_util.utcnow())

    @callback
    def async_take(self, plan: LoadPlan, task: Task) -> None:
        """Go on by a plan that was made of the task."""
        self.plan, self.task = plan, task
        self._update()

    def _set_timer(self, now: datetime) -> None:
        """Wake when a run starts or ends next, a window opens or closes, or it is time to plan again."""
        self._cancel_timer()
        moments = [self.making.again_at, self.meter.next_change(now)]
        if self.plan is not None:
            moments.append(self.plan.next_change(now))
        if self.task is not None:
            moments += [self.task.closes, *(run.end for run in self.task.runs)]
        if self.last is not None:
            moments.append(self.last.closes)
        if coming := [at for at in moments if at is not None and at > now]:
            self._cancel_timer = async_track_point_in_utc_time(
                self._hass, self._update, min(coming)
            )

    def _log_plan(self) -> None:
        """Log what is planned or why nothing is, once as long as it stays the same."""
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
