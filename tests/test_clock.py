"""Tests of how a change of the hub's clock is noticed, with the kernel's own timer."""

import asyncio
from datetime import timedelta
import os
import time

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.nomos.clock import async_watch_clock
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util


def set_clock_to_now() -> None:
    """Set the system clock to its current time, which the kernel reports as a change."""
    try:
        time.clock_settime_ns(
            time.CLOCK_REALTIME, time.clock_gettime_ns(time.CLOCK_REALTIME)
        )
    except PermissionError:
        pytest.skip("this user may not set the machine's clock")


@pytest.mark.skipif(
    not hasattr(os, "timerfd_create"), reason="only Linux reports that a clock was set"
)
async def test_called_each_time(hass: HomeAssistant) -> None:
    """The listener is called each time the clock is set, until it is removed."""
    heard: list[timedelta] = []
    stop = async_watch_clock(hass, heard.append)
    for _ in range(3):
        heard.clear()
        # The kernel compares offsets: setting the clock to exactly its own time is no change.
        async with asyncio.timeout(10):
            while not heard:
                set_clock_to_now()
                await asyncio.sleep(0.01)
    stop()
    heard.clear()
    set_clock_to_now()
    await asyncio.sleep(0.05)
    assert not heard


async def test_kernel_that_reports_nothing(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step is noticed within a minute even if the kernel has the timer but does not report the step."""
    heard: list[timedelta] = []
    stop = async_watch_clock(hass, heard.append)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    async_fire_time_changed(hass, dt_util.utc_from_timestamp(time.time() + 61))
    assert [round(step / timedelta(seconds=1)) for step in heard] == [3600]
    stop()


async def test_no_call_without_a_change(hass: HomeAssistant) -> None:
    """As long as the clock is not set, the listener is not called."""
    heard: list[None] = []
    stop = async_watch_clock(hass, lambda _step: heard.append(None))
    await asyncio.sleep(0.05)
    assert not heard
    stop()


async def test_without_a_timer(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the kernel offers no timer, everything else works."""

    def refuse(*_args: object, **_options: object) -> int:
        raise OSError("no timer for you")

    monkeypatch.setattr(os, "timerfd_create", refuse, raising=False)
    stop = async_watch_clock(hass, lambda _step: pytest.fail("called"))
    stop()
