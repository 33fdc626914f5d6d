"""Detects steps of the hub's clock, which timers do not notice because they count seconds."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
import logging
import os
import time
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

_LOGGER = logging.getLogger(__name__)

_NEVER: Final = 2.0**33
"""An instant in the year 2242, in seconds since 1970."""

_EVERY: Final = timedelta(minutes=1)
"""How often the clock is compared, whatever the kernel reports."""

_STEP: Final = timedelta(seconds=1)
"""By how much the clock must have moved to count as a step."""


@callback
def async_watch_clock(
    hass: HomeAssistant, listener: Callable[[timedelta], None]
) -> CALLBACK_TYPE:
    """Call a listener with each step of the hub's clock, also after sleep; return a function that stops this.

    A hub without a battery-backed clock starts with an old time, which is corrected later; a virtual machine may be
    suspended for hours. Linux reports both at once by cancelling a timer (timerfd_settime(2),
    TFD_TIMER_CANCEL_ON_SET). As not every kernel does, the clock is also compared with a monotonic one once a
    minute.
    """
    offset = time.time() - time.monotonic()

    def step() -> timedelta:
        """Return how far the clock has moved since the last call."""
        nonlocal offset
        before, offset = offset, time.time() - time.monotonic()
        return timedelta(seconds=offset - before)

    @callback
    def compare(_now: datetime) -> None:
        if abs(moved := step()) >= _STEP:
            listener(moved)

    stop_comparing = async_track_time_interval(hass, compare, _EVERY)
    try:
        timer = os.timerfd_create(
            time.CLOCK_REALTIME, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC
        )
    except (AttributeError, OSError) as err:
        _LOGGER.debug("The kernel does not report when the clock is set: %s", err)
        return stop_comparing

    def arm() -> None:
        # Fails once if the clock was set since, but still arms the timer.
        with suppress(OSError):
            os.timerfd_settime(
                timer,
                flags=os.TFD_TIMER_ABSTIME | os.TFD_TIMER_CANCEL_ON_SET,
                initial=_NEVER,
            )

    @callback
    def was_set() -> None:
        # Reading a cancelled timer fails.
        with suppress(OSError):
            os.read(timer, 8)
        arm()
        listener(step())

    @callback
    def stop() -> None:
        stop_comparing()
        hass.loop.remove_reader(timer)
        os.close(timer)

    arm()
    hass.loop.add_reader(timer, was_set)
    return stop
