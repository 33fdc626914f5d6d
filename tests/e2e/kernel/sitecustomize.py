"""Notifies a process that its clock was set, as the kernel would; Python imports this at startup.

libfaketime changes what a process reads from its clock, but cannot cancel its timers (timerfd_settime(2),
TFD_TIMER_CANCEL_ON_SET). So timers are read from a named pipe instead, which moved_clock.py writes to.
"""

import os

_PIPE = os.environ.get("MOVED_CLOCK_PIPE")


def _timer(clockid: int, /, *, flags: int = 0) -> int:
    # Opened for writing, too, since a pipe without a writer would always be readable.
    assert _PIPE
    return os.open(_PIPE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


if _PIPE:
    os.timerfd_create = _timer
