"""Tells when the hub's clock was set: timers count seconds, and do not notice that the time has moved."""

from collections.abc import Callable
from contextlib import suppress
import logging
import os
import sys
import time
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

_LOGGER = logging.getLogger(__name__)

_NEVER: Final = 2.0**33
"""An instant in the year 2242, in seconds since 1970."""


@callback
def async_watch_clock(
    hass: HomeAssistant, listener: Callable[[], None]
) -> CALLBACK_TYPE:
    """Call a listener whenever the hub's clock was set or the hub woke from sleep; return how to stop that.

    A hub without a clock of its own starts with the time of yesterday and is told the right one later; a virtual
    machine is stopped and goes on hours later. Linux tells both to whoever holds a timer that is to be cancelled then
    (timerfd_settime(2), TFD_TIMER_CANCEL_ON_SET), so nothing has to be looked at every second. Elsewhere nobody is
    called, and the next boundary of an interval puts all right.
    """
    if sys.platform != "linux":
        return _nothing
    try:
        timer = os.timerfd_create(
            time.CLOCK_REALTIME, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC
        )
    except OSError as err:
        _LOGGER.debug("The clock cannot be watched: %s", err)
        return _nothing

    def arm() -> None:
        # Refused once where the clock was set since; it is armed all the same.
        with suppress(OSError):
            os.timerfd_settime(
                timer,
                flags=os.TFD_TIMER_ABSTIME | os.TFD_TIMER_CANCEL_ON_SET,
                initial=_NEVER,
            )

    @callback
    def was_set() -> None:
        # That it is an error to read a cancelled timer is the news.
        with suppress(OSError):
            os.read(timer, 8)
        arm()
        listener()

    @callback
    def stop() -> None:
        hass.loop.remove_reader(timer)
        os.close(timer)

    arm()
    hass.loop.add_reader(timer, was_set)
    return stop


@callback
def _nothing() -> None:
    """Stop nothing."""
