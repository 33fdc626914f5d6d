"""Shares own solar power among the loads that use it, one after the other. Imported only if there is one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
import logging
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..entity import signal_changed
from ..planner import PlannedRuns
from ..planner.expected import HouseOutlook
from ..planner.own_sun import OwnSun
from .load import Load

_LOGGER = logging.getLogger(__name__)

type ReadSun = Callable[[datetime], Awaitable[HouseOutlook]]
"""Returns the expected sun, need and payouts as of an instant, without runs of loads."""

type _Rank = tuple[bool, datetime, int]

_LAST: Final = 1 << 30


class SharedSun:
    """Shares the expected sun among the loads that use it, in the order of their deadlines.

    A load counts on the surplus that is left by the runs of the loads before it. Loads that do not use the sun come
    first, as do contiguous runs that have begun: what others plan does not change them.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        loads: Mapping[str, Load],
        read: ReadSun,
        *,
        forecasts_changed: str,
    ) -> None:
        """Wait for Home Assistant to start: until then, other integrations' forecasts may be missing.

        ``forecasts_changed`` is the signal that is sent if something else is expected than was read last.
        """
        self.ready = False
        self.last: OwnSun | None = None
        """What was read last, without runs; None if it could not be read."""
        self._hass, self._entry, self._loads, self._expect = hass, entry, loads, read
        self._failed = False
        for unsubscribe in (
            async_dispatcher_connect(hass, forecasts_changed, self._forecasts_changed),
            async_dispatcher_connect(
                hass, signal_changed(entry.entry_id), self._follow
            ),
            async_at_started(hass, self._started),
        ):
            entry.async_on_unload(unsubscribe)

    def is_dark(self, start: datetime, end: datetime) -> bool:
        """Return whether it is certain that no sun is expected between two aware instants."""
        return self.last is not None and self.last.sun.is_dark(start, end)

    def has_changed(self, load: Load, taken: OwnSun | None) -> bool:
        """Return whether the load would now be given something else than ``taken`` for the rest of its window."""
        now, last, task = dt_util.utcnow(), self.last, load.task
        if taken is None or last is None or task is None:
            return taken is not last
        sun = replace(last, runs=self._runs_before(_rank(load, now), now))
        start, end = max(now, task.opens), task.closes
        return sun.between(start, end) != taken.between(start, end)

    async def async_get_surplus(self, load: Load) -> OwnSun | None:
        """Return what a load may count on, once the loads that come first are planned."""
        now = dt_util.utcnow()
        # Only plans that are already being made: two loads never wait for each other.
        under_way = [
            task
            for one in self._before(_rank(load, now), now)
            if (task := one.plan_maker.planning_task) is not None
        ]
        if under_way:
            await asyncio.wait(under_way)
        sun, now = await self._async_read(), dt_util.utcnow()
        return sun and replace(sun, runs=self._runs_before(_rank(load, now), now))

    async def async_left(self, closes: datetime) -> OwnSun | None:
        """Return what is left for a load that comes after all others with this deadline."""
        sun, now = await self._async_read(), dt_util.utcnow()
        return sun and replace(sun, runs=self._runs_before((True, closes, _LAST), now))

    def _before(self, rank: _Rank, now: datetime) -> list[Load]:
        """Return the loads before a rank, except those without a task or a known power."""
        return [
            one
            for one in self._loads.values()
            if one.task is not None
            and one.settings.power is not None
            and _rank(one, now) < rank
        ]

    def _runs_before(self, rank: _Rank, now: datetime) -> PlannedRuns:
        """Return the current and planned runs of the loads before a rank, with the power in kW, in order.

        Runs after the deadline are left out.
        """
        closes = rank[1]
        runs = [
            (run, power)
            for one in self._before(rank, now)
            for run, power in one.planned_runs(now)
            if run.start < closes
        ]
        return tuple(sorted(runs, key=lambda one: (one[0].start, one[0].end, one[1])))

    async def _async_read(self) -> OwnSun | None:
        """Return what is expected now, without runs; None if it cannot be read, which must not stop a load."""
        try:
            found = await self._expect(dt_util.utcnow())
            self.last = OwnSun(house=found.house, sun=found.sun, payouts=found.payouts)
            self._failed = False
        except Exception as err:  # noqa: BLE001 - without the sun, a load is planned by prices alone
            level = logging.DEBUG if self._failed else logging.WARNING
            self.last, self._failed = None, True
            _LOGGER.log(
                level,
                "What is expected of the sun could not be read (%s); loads are planned without it",
                type(err).__name__,
            )
        return self.last

    @callback
    def _started(self, _hass: HomeAssistant) -> None:
        self.ready = True
        self._follow()

    @callback
    def _forecasts_changed(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self._async_read_again(), f"{DOMAIN} own solar power"
        )

    async def _async_read_again(self) -> None:
        if self.ready:
            await self._async_read()
            self._follow()

    @callback
    def _follow(self) -> None:
        """Plan the loads again whose expected sun has changed."""
        for load in list(self._loads.values()):
            if load.settings.own_sun:
                load.async_plan_if_due()


def _rank(load: Load, now: datetime) -> _Rank:
    """Return the rank of a load: the lowest is served first."""
    if (task := load.task) is None:
        return load.settings.own_sun, now, load.number
    in_one_go = task.by_hand or load.settings.contiguous
    fixed = in_one_go and task.run_at(now) is not None
    return load.settings.own_sun and not fixed, task.closes, load.number
