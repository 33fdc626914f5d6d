"""Tests of the watch over the hub's clock, with the kernel's own timer."""

import asyncio
import os
import time

import pytest

from custom_components.nomos.clock import async_watch_clock
from homeassistant.core import HomeAssistant


def set_clock_as_it_is() -> None:
    """Set the machine's clock to the time that it tells: the kernel takes that for news."""
    try:
        time.clock_settime_ns(
            time.CLOCK_REALTIME, time.clock_gettime_ns(time.CLOCK_REALTIME)
        )
    except PermissionError:
        pytest.skip("this user may not set the machine's clock")


@pytest.mark.skipif(
    not hasattr(os, "timerfd_create"), reason="only Linux tells that a clock was set"
)
async def test_told_each_time(hass: HomeAssistant) -> None:
    """The listener hears of every time the clock is set, and of none after it has stopped to listen."""
    heard = asyncio.Queue[None]()
    stop = async_watch_clock(hass, lambda _step: heard.put_nowait(None))
    for _ in range(3):
        set_clock_as_it_is()
        await asyncio.wait_for(heard.get(), 10)
    assert heard.empty()
    stop()
    set_clock_as_it_is()
    await asyncio.sleep(0.05)
    assert heard.empty()


async def test_nothing_happens_by_itself(hass: HomeAssistant) -> None:
    """As long as nobody sets the clock nobody is called."""
    heard: list[None] = []
    stop = async_watch_clock(hass, lambda _step: heard.append(None))
    await asyncio.sleep(0.05)
    assert not heard
    stop()


async def test_without_a_timer(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel gives no timer everything goes on."""

    def refuse(*_args: object, **_options: object) -> int:
        raise OSError("no timer for you")

    monkeypatch.setattr(os, "timerfd_create", refuse, raising=False)
    stop = async_watch_clock(hass, lambda _step: pytest.fail("called"))
    stop()
