"""A load: what the customer wants to run at the cheapest time. Each is a config subentry."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
import logging
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..planner import Run
from ..prices.coordinator import PriceCoordinator
from .making import PlanMaking
from .meter import Meter
from .plan import LoadMemory, LoadPlan, LoadState, LoadStatus, Task
from .saved import SavedStatistic
from .sensors import LoadSensors
from .settings import LoadSettings
from .tasks import (
    Request,
    Sensed,
    is_over,
    moved,
    next_task,
    request,
    started_by_hand,
    to_start,
)

_LOGGER = logging.getLogger(__name__)

SUBENTRY_TYPE: Final = "load"

_ZERO: Final = timedelta()
_PRESSED_TWICE: Final = timedelta(seconds=10)
"""Within this time a second press of *Skip* is a mistake."""


def signal_changed(key: str) -> str:
    """Return the dispatcher's signal of a change to a load, or to any load of an account; by the id of either."""
    return f"{DOMAIN}_load_changed_{key}"


class Load:
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
        self.id = subentry.subentry_id
        self.entry, self.subentry = entry, subentry
        self.number = number
        self.settings = LoadSettings.of(subentry.data)
        self.coordinator: PriceCoordinator | None = None
        """The prices that the load is planned with; None if there is no contract."""
        self.state = LoadState.IDLE
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
        self.meter = Meter(hass, memory.ledger, memory.task, self._update)
        self.making = PlanMaking(hass, self)
        self._saved = SavedStatistic(hass, entry, self.id)
        self._hass = hass
        self._signals = signal_changed(self.id), signal_changed(entry.entry_id)
        self._skipped_at: datetime | None = None
        self._logged = ""
        self._shown: tuple[object, ...] | None = None
        self._configured: tuple[str, Mapping[str, Any]] | None = None
        self._unsub_prices: CALLBACK_TYPE | None = None
        self._unsub_timer: CALLBACK_TYPE | None = None

    @property
    def name(self) -> str:
        """Return what the customer calls it."""
        return self.subentry.title

    @property
    def memory(self) -> LoadMemory:
        """Return what has to survive a restart.

        A task that has neither begun nor was asked for need not. One that ended as planned ends so again.
        """
        task = self.task
        if task is None or not (task.runs or self.settings.on_demand):
            task = self.last
        read, ledger = self.sensors.readings, self.meter.kept
        return LoadMemory(
            task=task, off=self.off, since=self._since, readings=read, ledger=ledger
        )

    @property
    def is_on(self) -> bool:
        """Return whether the load is to run: it is asked for, or planned every day."""
        return self.task is not None if self.settings.on_demand else not self.off

    @property
    def runs(self) -> tuple[Run, ...]:
        """Return the runs of the task: those that have begun, and those that are planned."""
        if self.task is None:
            return ()
        planned = self.plan.runs if self.plan else ()
        return tuple({one.start: one for one in (*planned, *self.task.runs)}.values())

    def running(self, now: datetime) -> bool:
        """Return whether the load should run at an instant."""
        return self.task is not None and self.task.run_at(now) is not None

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

    def is_configured(
        self, subentry: ConfigSubentry, coordinator: PriceCoordinator | None
    ) -> bool:
        """Return whether the load has this name, these settings and these prices already."""
        asked = subentry.title, subentry.data
        return asked == self._configured and coordinator is self.coordinator

    @callback
    def async_configure(
        self, subentry: ConfigSubentry, coordinator: PriceCoordinator | None
    ) -> None:
        """Take name, settings and prices. What has run so far counts also by new settings."""
        self.subentry, settings = subentry, LoadSettings.of(subentry.data)
        # Home Assistant changes a subentry in its place.
        self._configured = subentry.title, subentry.data
        if coordinator is not self.coordinator:
            self.async_stop()
            self.coordinator = coordinator
            if coordinator is not None:
                self._unsub_prices = coordinator.async_add_listener(self._update_soon)
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
        self.sensors.async_rename(settings)
        self.meter.async_rename(settings)

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
            self.task, self.state = None, LoadState.IDLE
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
        if current is not None and task.by_hand:
            self._update()
            return
        self.task, self._skipped_at = started_by_hand(task, now, left), None
        self.state = LoadState.RUNNING
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
    def async_follow_sun(self) -> None:
        """Plan again if there is more or less own solar power than was planned with."""
        self._plan_if_due(dt_util.utcnow())

    @callback
    def async_stop(self) -> None:
        """Stop planning."""
        self.making.cancel()
        self._cancel_timer()
        self.sensors.async_stop()
        if self._unsub_prices is not None:
            self._unsub_prices()
            self._unsub_prices = None
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
        if self.state is LoadState.PLANNED:
            self.state = LoadState.WAITING
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
        self.task, self.state = None, LoadState.IDLE

    def _skip(self, now: datetime) -> None:
        """End the task, though it might go on."""
        if self.task is not None:
            self.task = replace(self.task, skipped=True)
        self._finish(now)

    @callback
    def _update_soon(self) -> None:
        """Follow prices in a callback of its own: together, many loads would hold the event loop for too long."""
        self._cancel_timer()
        self._unsub_timer = self._hass.loop.call_soon(self._update).cancel

    @callback
    def _update(self, _now: datetime | None = None) -> None:
        """Follow time and prices, wake again when the time changes something, and report what changed."""
        now = dt_util.utcnow()
        self._advance(now)
        table = self.coordinator.data if self.coordinator else None
        self.meter.update(now, self.task, table)
        self._saved.async_follow(self.meter, self.name)
        self._plan_if_due(now)
        self._set_timer(now)
        self._log_plan()
        shown: tuple[object, ...] = (
            self.name,
            self.settings,
            self.memory,
            self.plan,
            self.status(now),
            self.running(now),
            self.meter.month(now),
            self.claims,
        )
        if self.plan is not None:
            shown += (self.plan.next_run(now),)
        if shown != self._shown:
            self._shown = shown
            for signal in self._signals:
                async_dispatcher_send(self._hass, signal)

    def _advance(self, now: datetime) -> None:
        """Go to the state that time and sensors bring."""
        sensed = self.sensors.read(now)
        if self.task and (Sensed.PULLED in sensed or Sensed.FULL in sensed):
            self.task, self.state = self.task.ended(now), LoadState.WAITING
            self.making.drop()
        if self.task and is_over(self.task, self.settings, self.left(now), now):
            self._finish(now)
        self._follow_requests(sensed, now)
        if self.task is None and self.is_on:
            self.task = self._next_task(now)
        task, plan = self.task, self.plan
        if task is None:
            return
        if self.state is LoadState.RUNNING and not self.running(now):
            self.state = LoadState.PLANNED
        match self.state:
            case LoadState.IDLE:
                self.state = LoadState.WAITING
            case LoadState.PLANNED if plan and (run := plan.run_at(now)):
                self._begin(run)
            case LoadState.PLANNED if plan and plan.has_missed(now, task.runs):
                self.making.drop()
        if self.running(now):
            self.state = LoadState.RUNNING

    def _follow_requests(self, sensed: list[Sensed], now: datetime) -> None:
        """Take a request of the sensors, or give it up."""
        last = self.last
        waits = last and last.closes > now and (last.skipped or self._last_left)
        again = self.sensors.asks_again(now) and not waits
        match request(sensed, self.settings, self.task, now, asks_again=again):
            case Request.ASKED:
                self.task = self._next_task(now)
                self.making.drop()
            case Request.WITHDRAWN:
                self._skip(now)

    def _begin(self, run: Run) -> None:
        """Let a run of the plan begin. A plan that is being made without it must not hold."""
        assert self.task is not None
        self.task = self.task.with_run(run)
        if self.making.goes_on:
            self.making.drop()

    def _plan_if_due(self, now: datetime) -> None:
        """Plan in the executor if prices, need or task changed; until that is done, the plan before is shown."""
        table = self.coordinator.data if self.coordinator else None
        if table is None or self.task is None or self.sensors.unplugged:
            self.making.drop()
            self.plan = None
            if self.task is not None and not self.running(now):
                self.state = LoadState.WAITING
            return
        self.making.follow(table, self.task, now)

    @callback
    def async_take(self, plan: LoadPlan, task: Task, now: datetime) -> None:
        """Go on by a plan that was made of the task."""
        self.plan, self.task = plan, task
        self.state = LoadState.RUNNING if task.run_at(now) else LoadState.PLANNED
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
            self._unsub_timer = async_track_point_in_utc_time(
                self._hass, self._update, min(coming)
            )

    def _cancel_timer(self) -> None:
        if self._unsub_timer is not None:
            self._unsub_timer()
            self._unsub_timer = None

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
