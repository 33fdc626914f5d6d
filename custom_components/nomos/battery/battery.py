"""A home battery: planned again as prices, forecasts, loads or its charge level change. Each is a config subentry."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
import logging
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import (
    async_track_point_in_utc_time,
    async_track_state_change_event,
)
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..entity import signal_changed
from ..planner import PlannedRuns
from ..planner.battery import BatteryMode, Step
from ..planner.expected import Expected
from ..prices.coordinator import PriceCoordinator
from ..prices.subentry import PlannedSubentry, nothing
from ..pricing import QUARTER, PriceTable, quarter_of
from .model import BatteryMemory, Forecasts
from .plan import HomePlan, make_plan
from .reasons import NoPlanReason, reason_for_mode, reason_without_plan
from .settings import BatterySettings

_LOGGER = logging.getLogger(__name__)

_LEVEL_TOLERANCE: Final = 3.0
"""Percent by which the charge level may be off before the battery is planned again."""
_LEVEL_TIMEOUT: Final = timedelta(minutes=15)
"""How long a charge level that is no longer reported is assumed to follow the plan, and an inverter to keep its mode
from before a restart."""


@dataclass(frozen=True, slots=True)
class _PlanBasis:
    """What a plan was based on; if that changes, the battery is planned again."""

    settings: BatterySettings
    prices: PriceTable
    forecasts: int
    options: object
    runs: PlannedRuns


class HomeBattery(PlannedSubentry):
    """One battery: follows its charge level, keeps a plan, and provides the current mode."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        subentry: ConfigSubentry,
        memory: BatteryMemory | None,
        forecasts: Forecasts,
        planned_runs: Callable[[], PlannedRuns],
    ) -> None:
        """Set up, without prices yet. ``memory`` was stored before a restart; None for a new battery."""
        super().__init__(hass, entry, subentry)
        self.settings = BatterySettings.of(subentry.data)
        self.plan: HomePlan | None = None
        known = memory or BatteryMemory()
        self.ledger = known.ledger
        self.level: float | None = None
        """The charge level last reported, in kWh; None if there was none."""
        self._level_lost_at: datetime | None = None
        self._last_mode = known.mode
        self._restored_at = None if memory is None else dt_util.utcnow()
        """When it was restored after a restart; None once it was planned, or planning failed."""
        self._forecasts = forecasts
        self._forecasts_changed = 0
        self._planned_runs = planned_runs
        self._plan_basis: _PlanBasis | None = None
        self._expected: Expected | None = None
        self._planning: asyncio.Task[None] | None = None
        self._failed = False
        self._last_booked: datetime | None = None
        self._unsub_level = nothing

    @property
    def memory(self) -> BatteryMemory:
        """Return the state to restore after a restart."""
        return BatteryMemory(mode=self._last_mode, ledger=self.ledger)

    def step(self, now: datetime) -> Step | None:
        """Return the current step of the plan; None without a plan: the inverter is left to itself."""
        return None if self.plan is None else self.plan.step(now)

    def mode(self, now: datetime) -> BatteryMode | None:
        """Return the current mode; None while the inverter keeps its mode from before a restart."""
        if (step := self.step(now)) is not None:
            return step.mode
        return None if self._is_starting(now) else BatteryMode.SELF_USE

    def _is_starting(self, now: datetime) -> bool:
        """Return whether it still waits for its first plan after a restart."""
        since = self._restored_at
        return since is not None and since <= now < since + _LEVEL_TIMEOUT

    def reason(self, now: datetime) -> str:
        """Return the reason for the current mode, in the language of the hub."""
        language, zone = self._hass.config.language, dt_util.get_default_time_zone()
        if self.plan is None or self.step(now) is None:
            waits = NoPlanReason.NO_OUTLOOK if self._failed else NoPlanReason.PLANNING
            cause = self._no_plan_reason(now)
            if cause is not None and self._is_starting(now):
                cause = NoPlanReason.STARTING
            return reason_without_plan(cause or waits, language)
        battery = self.settings.battery
        level = self.plan.level_at(now) or 0.0
        return reason_for_mode(
            self.plan, now, max(level - battery.reserve, 0.0), zone, language
        )

    def diagnostics(self, now: datetime) -> dict[str, Any]:
        """Return settings, state and plan for diagnostics, without names and without the house's usage."""
        settings, plan = self.settings, self.plan
        cause = self._no_plan_reason(now)
        return {
            "battery": asdict(settings.battery),
            "target": settings.target_level is not None,
            "named_contract": settings.subscription_id is not None,
            "level_reported": self._is_reported,
            "cause": cause and cause.value,
            "mode": self.mode(now),
            "planned_at": plan and plan.made_at.isoformat(),
            "planned_until": plan and plan.until.isoformat(),
            "modes": dict(Counter(step.mode.value for step in plan.plan.steps))
            if plan
            else {},
            "runs": len(self._planned_runs()),
            "booked_to": self.ledger.at and self.ledger.at.isoformat(),
        }

    def _no_plan_reason(self, now: datetime) -> NoPlanReason | None:
        """Return why nothing can be planned at an instant; None if it can."""
        if self.coordinator is None:
            return NoPlanReason.NO_CONTRACT
        known = self.coordinator.data.at(now)
        if known is None or known.price is None:
            return NoPlanReason.NO_PRICES
        return NoPlanReason.NO_LEVEL if self._level_now(now) is None else None

    @property
    def _is_reported(self) -> bool:
        """Return whether the sensor currently reports a charge level."""
        return self.level is not None and self._level_lost_at is None

    def _level_now(self, now: datetime) -> float | None:
        """Return the charge level in kWh; for a while the planned one if it is no longer reported."""
        if self._level_lost_at is None:
            return self.level
        if self.plan is None or now - self._level_lost_at > _LEVEL_TIMEOUT:
            return None
        return self.plan.level_at(now)

    @callback
    @override
    def async_configure(
        self, subentry: ConfigSubentry, coordinator: PriceCoordinator | None
    ) -> None:
        """Apply name, settings and prices."""
        self.subentry, settings = subentry, BatterySettings.of(subentry.data)
        if coordinator is not self.coordinator:
            self._follow_prices(coordinator, self.async_update)
        self._unsub_level()
        self._unsub_level = async_track_state_change_event(
            self._hass, settings.level_sensor, self._level_changed
        )
        before, self.settings = self.settings, settings
        share = settings.battery.capacity / before.battery.capacity
        if share != 1:
            self.ledger = self.ledger.resized(share)
        self._read_level()
        self.async_update()

    @callback
    @override
    def async_stop(self) -> None:
        super().async_stop()
        self._unsub_level()
        self._unsub_level = nothing
        if self._planning is not None:
            self._planning.cancel()

    @callback
    def _level_changed(self, _event: Event[EventStateChangedData]) -> None:
        """Read the level; update before the next quarter-hour only if it appeared or disappeared."""
        before = self._is_reported
        self._read_level()
        if self._is_reported is not before:
            self.async_update()

    def _read_level(self) -> None:
        state = self._hass.states.get(self.settings.level_sensor)
        try:
            percent = float(state.state) if state is not None else None
        except ValueError:
            percent = None
        if percent is None or not -5 <= percent <= 105:  # True for NaN, too.
            self._level_lost_at = self._level_lost_at or dt_util.utcnow()
            return
        self._level_lost_at = None
        self.level = self.settings.kwh(min(max(percent, 0.0), 100.0))

    @callback
    def async_update(self, _now: datetime | None = None) -> None:
        """Plan again if necessary, and show the current state."""
        now = dt_util.utcnow()
        self._follow_quarters(now)
        if self._no_plan_reason(now) is not None:
            self.plan = self._plan_basis = None
        elif self._is_outdated(now) and not (
            self._planning and not self._planning.done()
        ):
            self._planning = self.entry.async_create_background_task(
                self._hass, self._async_plan(), f"{DOMAIN} plan of a battery"
            )
        self._publish(now)

    @callback
    def async_forecasts_changed(self) -> None:
        """Plan again with the new forecasts."""
        self._forecasts_changed += 1
        self.async_update()

    def _publish(self, now: datetime) -> None:
        """Show the current state, and update it when the next quarter-hour begins."""
        self._last_mode = self.mode(now) or self._last_mode
        self._cancel_timer()
        self._cancel_timer = async_track_point_in_utc_time(
            self._hass, self.async_update, quarter_of(now) + QUARTER
        )
        async_dispatcher_send(self._hass, signal_changed(self.id))

    def _follow_quarters(self, now: datetime) -> None:
        """Book the quarter-hour that ended, and plan again if the charge level is not what was expected.

        After a restart this waits for a plan, from which it is known what was expected in that quarter-hour.
        """
        ended = quarter_of(now)
        if self._last_booked == ended or (
            self._expected is None and self._no_plan_reason(now) is None
        ):
            return
        self._last_booked = ended
        if self.level is None or self._level_lost_at is not None:
            return
        battery, begun = self.settings.battery, self.ledger.at
        past = (
            [*self._expected.quarters(begun, ended)]
            if begun and self._expected and ended - begun <= QUARTER
            else []
        )
        if len(past) == 1:
            self.ledger = self.ledger.with_quarter(
                battery, past[0], self._last_mode, self.level
            )
        elif begun != ended:
            self.ledger = self.ledger.with_reading(battery, ended, self.level)
        expected = None if self.plan is None else self.plan.level_at(now)
        if expected is not None and (
            abs(self.settings.percent(self.level - expected)) > _LEVEL_TOLERANCE
        ):
            self._plan_basis = None

    def _is_outdated(self, now: datetime) -> bool:
        """Return whether the plan is over, or anything it was based on has changed."""
        return self.step(now) is None or self._plan_basis != self._known(
            self._forecasts.options
        )

    def _known(self, options: object) -> _PlanBasis | None:
        """Return what a plan would be based on now, with the given options; None without prices."""
        if self.coordinator is None:
            return None
        return _PlanBasis(
            self.settings,
            self.coordinator.data,
            self._forecasts_changed,
            options,
            self._planned_runs(),
        )

    async def _async_plan(self) -> None:
        """Plan, and show the plan. If that fails, the battery is left to itself until the next attempt."""
        try:
            await self._async_follow_changes()
            self._failed = False
            self._follow_quarters(dt_util.utcnow())
        except Exception as err:  # noqa: BLE001 - no error may freeze what the inverter is told
            self.plan = self._plan_basis = self._restored_at = None
            level = logging.DEBUG if self._failed else logging.WARNING
            self._failed = True
            _LOGGER.log(
                level,
                "A battery could not be planned (%s); it is tried again with the next quarter-hour",
                type(err).__name__,
            )
        self._publish(dt_util.utcnow())

    async def _async_follow_changes(self) -> None:
        """Plan in the executor; plan again if anything that the plan is based on has changed meanwhile."""
        now = dt_util.utcnow()
        while self._no_plan_reason(now) is None and self._is_outdated(now):
            options = self._forecasts.options
            outlook = await self._forecasts.async_outlook(now)
            level, basis = self._level_now(now), self._known(options)
            if level is None or basis is None:
                break
            expected = outlook.expected(basis.prices, basis.runs)
            plan = await self._hass.async_add_executor_job(
                make_plan,
                basis.settings,
                level,
                self._last_mode,
                expected,
                now,
                dt_util.get_default_time_zone(),
            )
            if not plan.plan.quarters:
                break
            self.plan, self._expected = plan, expected
            self._plan_basis, self._restored_at = basis, None
            _LOGGER.debug(
                "Battery planned until %s: %s now, expected gain %.2f EUR",
                plan.until,
                self.mode(now),
                plan.plan.gain,
            )
            now = dt_util.utcnow()
