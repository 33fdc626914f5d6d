"""Property test: whatever happens during an import of usage, it ends with the same rows."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
import os
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from sqlalchemy.exc import OperationalError

from custom_components.nomos import statistics
from custom_components.nomos.usage.days import own_week
from custom_components.nomos.usage.statistics import UsageStatistics
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
from simulator.berlin import midnight
from tests.integration.helpers import make_entry, restart
from tests.integration.recorder.expected import assert_true
from tests.integration.recorder.helpers import (
    DAY,
    clear,
    set_start,
    sleep_until,
    today,
    usage_of,
)

EXAMPLES = int(os.environ.get("NOMOS_HISTORY_EXAMPLES", "5"))

SUPPLY = date(2026, 3, 24)
APRIL = datetime(2026, 4, 7, 18, 3, 7, tzinfo=UTC)
LAST = date(2026, 4, 14)
"""The last day of the steps. March is settled later, so nothing is settled while responses are wrong."""

SERIES = ("usage", "cost", "base_fee", "total_cost")


class Recorder:
    """Access to the database, with faults."""

    def __init__(self, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
        """Intercept the integration's calls of Home Assistant's recorder."""
        instance = get_instance(hass)
        self._ask = instance.async_add_executor_job
        self._write = async_add_external_statistics
        self._accidents: dict[str, int] = {}
        monkeypatch.setattr(instance, "async_add_executor_job", self.ask)
        monkeypatch.setattr(statistics, "async_add_external_statistics", self.write)

    def plan(self, kind: str, at: int) -> None:
        """Plan a fault at one of the next calls."""
        self._accidents[kind] = at

    def heal(self) -> None:
        """Cancel all planned faults."""
        self._accidents.clear()

    def _happens(self, kind: str) -> bool:
        if kind not in self._accidents:
            return False
        self._accidents[kind] -= 1
        if self._accidents[kind] > 0:
            return False
        del self._accidents[kind]
        return True

    def ask(self, job: Callable[..., Any], *args: Any) -> Any:
        """Read the database, fail, or be interrupted while reading."""
        if getattr(job, "__module__", "") == UsageStatistics.__module__:
            if self._happens("broken"):
                raise OperationalError("SELECT", {}, Exception("disk I/O error"))
            if self._happens("cut"):
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
        return self._ask(job, *args)

    def write(self, *args: Any) -> None:
        """Write, or lose the write."""
        if not self._happens("lost"):
            self._write(*args)


FEW = st.integers(1, 12)

ACTIONS = st.one_of(
    st.just(("sync",)),
    st.just(("sync",)),
    st.tuples(st.just("sleep"), st.integers(1, 4)),
    st.just(("restart",)),
    st.just(("forget",)),
    st.tuples(st.just("clear"), st.sets(st.sampled_from(SERIES), min_size=1)),
    st.tuples(st.just("accident"), st.just("cut"), FEW),
    st.tuples(st.just("accident"), st.just("broken"), FEW),
    st.tuples(st.just("accident"), st.just("lost"), FEW),
    st.tuples(
        st.just("fault"),
        st.sampled_from(["usage", "prices", "token"]),
        st.sampled_from(["status", "reset", "html", "empty"]),
        st.integers(0, 2),
    ),
    st.tuples(st.just("empty"), st.integers(0, 2)),
    st.tuples(st.just("short"), st.integers(1, 14), st.integers(1, 40)),
    st.tuples(st.just("hole"), st.integers(1, 14), st.integers(1, 40)),
    st.tuples(st.just("late"), st.integers(0, 3)),
    st.tuples(
        st.just("usage"), st.integers(1, 14), st.integers(0, 91), st.integers(0, 3000)
    ),
    st.tuples(st.just("price"), st.integers(0, 7), st.integers(0, 91)),
)


class Machine:
    """One contract, and the steps that can happen to it."""

    def __init__(
        self, hass, nomos, freezer, advance, files, recorder: Recorder
    ) -> None:
        """Prepare the account of a contract that began two weeks ago."""
        self.hass, self.nomos, self.freezer = hass, nomos, freezer
        self.advance, self.files, self.recorder = advance, files, recorder
        self.subscription = set_start(nomos, SUPPLY)
        self.entry = make_entry(nomos)

    async def start(self) -> None:
        """Set up the account."""
        self.entry.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def stop(self) -> None:
        """Remove everything before the next example."""
        self.recorder.heal()
        self.nomos.faults.clear()
        self.nomos.configure(usage_missing=(), usage_delay_days=0)
        self.nomos.usage._corrections.clear()
        self.subscription.corrections.clear()
        await self.hass.config_entries.async_remove(self.entry.entry_id)
        await clear(
            self.hass, *(f"nomos:{self.subscription.id}_{name}" for name in SERIES)
        )

    def _some(self, back: int, quarters: int) -> tuple[datetime, datetime]:
        start = midnight(today(self.nomos) - back * DAY) + timedelta(hours=3)
        return start, start + quarters * timedelta(minutes=15)

    async def sync(self) -> None:
        """Advance to the next scheduled request."""
        if today(self.nomos) >= LAST:
            return
        at = usage_of(self.entry, self.subscription).next_request
        assert at is not None
        wait = max(at - dt_util.utcnow(), timedelta())
        await self.advance(wait + timedelta(seconds=3))

    async def act(self, kind: str, *values: Any) -> None:
        """Perform one step."""
        await getattr(self, f"_act_{kind}")(*values)

    async def _act_sync(self) -> None:
        await self.sync()

    async def _act_sleep(self, days: int) -> None:
        if (day := today(self.nomos) + days * DAY) <= LAST:
            assert await self.hass.config_entries.async_unload(self.entry.entry_id)
            self.freezer.move_to(midnight(day) + timedelta(hours=20))
            await self.hass.config_entries.async_setup(self.entry.entry_id)
            await self.hass.async_block_till_done(wait_background_tasks=True)

    async def _act_restart(self) -> None:
        await restart(self.hass, self.entry)

    async def _act_forget(self) -> None:
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        for path in self.files("usage").values():
            path.unlink()
        await self.hass.config_entries.async_setup(self.entry.entry_id)

    async def _act_clear(self, names: set[str]) -> None:
        series = (f"nomos:{self.subscription.id}_{name}" for name in names)
        await clear(self.hass, *series)

    async def _act_accident(self, kind: str, number: int) -> None:
        self.recorder.plan(kind, number)
        await self.sync()
        await restart(self.hass, self.entry)

    async def _act_fault(self, match: str, fault: str, skip: int) -> None:
        status = {"status": 500} if fault == "status" else {}
        self.nomos.faults.add(fault, match, times=1, skip=skip, **status)
        await self.sync()

    async def _act_empty(self, skip: int) -> None:
        self.nomos.faults.add(
            "set_fields", "usage", values={"data": []}, times=1, skip=skip
        )
        await self.sync()

    async def _act_short(self, back: int, quarters: int) -> None:
        hole = self._some(back, quarters)
        self.nomos.faults.add("settings", "usage", times=1, usage_missing=[hole])
        await self.sync()

    async def _act_hole(self, back: int, quarters: int) -> None:
        self.nomos.configure(usage_missing=(self._some(back, quarters),))

    async def _act_late(self, days: int) -> None:
        self.nomos.configure(usage_delay_days=days)

    async def _act_usage(self, back: int, quarter: int, watt_hours: int) -> None:
        at = midnight(today(self.nomos) - back * DAY)
        self.nomos.correct_usage(
            self.subscription.id,
            at + quarter * timedelta(minutes=15),
            watt_hours / 1000,
        )

    async def _act_price(self, day: int, quarter: int) -> None:
        at = midnight(SUPPLY + day * DAY) + quarter * timedelta(minutes=15)
        self.nomos.correct_price(self.subscription.id, at, quarter - 20.5)

    async def end(self) -> None:
        """End all faults, and advance until March is settled and the weekly sync is over."""
        self.recorder.heal()
        self.nomos.faults.clear()
        self.nomos.configure(usage_missing=(), usage_delay_days=0)
        phase = usage_of(self.entry, self.subscription).account.phase
        day = date(2026, 4, 20)
        while own_week(day, phase)[1]:
            day += DAY
        # If March is settled in the first of these turns, April is requested in the second.
        for turn in (day, day + 7 * DAY):
            await sleep_until(
                self.entry,
                self.subscription,
                self.freezer,
                self.advance,
                self.hass,
                turn,
            )
        assert usage_of(self.entry, self.subscription).data.settled_to == date(
            2026, 4, 1
        )
        await async_wait_recording_done(self.hass)
        await assert_true(
            self.hass, self.nomos, self.subscription.id, SUPPLY, today(self.nomos)
        )


@pytest.mark.parametrize("now", [APRIL])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="NOMOS_HISTORY_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(actions=st.lists(ACTIONS, min_size=4, max_size=12))
async def test_any_history_ends_with_the_same_rows(
    hass: HomeAssistant,
    nomos,
    credentials,
    freezer,
    advance,
    files,
    now,
    actions: list[tuple[Any, ...]],
) -> None:
    """After interruptions, repetitions, wrong responses and corrections, every hour and every total is right."""
    freezer.move_to(now)
    with pytest.MonkeyPatch.context() as monkeypatch:
        machine = Machine(
            hass, nomos, freezer, advance, files, Recorder(hass, monkeypatch)
        )
        await machine.start()
        try:
            for kind, *values in actions:
                await machine.act(kind, *values)
            await machine.end()
        finally:
            await machine.stop()
