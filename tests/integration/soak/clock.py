"""A clock that moves from one timer to the next; the true, the hub's and the event loop's time may differ."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
import os
import time
from typing import Any, Protocol, cast

import pytest

from homeassistant.core import HomeAssistant

_LATENESS = 50e-6
"""How late timers fire, in seconds: wall clocks only have microseconds, and no machine is exact."""

_LONGEST_JOB = timedelta(minutes=15)


@contextmanager
def kernel_timers() -> Iterator[dict[int, int]]:
    """Replace the kernel's timers with pipes; return the read end of each, keyed by its write end."""
    timers: dict[int, int] = {}

    def create(_clock: int, *, flags: int) -> int:
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        timers[write] = read
        return read

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(os, "timerfd_create", create)
        patches.setattr(os, "timerfd_settime", lambda *_args, **_options: None)
        yield timers


def notify_timers(timers: dict[int, int]) -> None:
    """Report to every open timer that the clock was set; drop closed ones."""
    for timer in list(timers):
        try:
            os.write(timer, bytes(8))
        except BrokenPipeError:
            del timers[timer]
            os.close(timer)


class Movable(Protocol):
    """The source of the hub's time."""

    def move_to(self, target_datetime: datetime, /) -> None:
        """Set the time."""


class SoakClock:
    """Moves time for the hub, the event loop and the simulator.

    The true time is Nomos's. The hub's wall clock may differ from it, as after a start without network time. The event
    loop's time runs like the true time, but stops while the machine is suspended.
    """

    def __init__(self, hass: HomeAssistant, freezer: Movable, start: datetime) -> None:
        """Begin at an aware instant; the event loop's time continues from its current value."""
        self._hass = hass
        self._freezer = freezer
        self._loop = cast("Any", hass.loop)
        self._now = self._loop.time()
        self._epoch = start - timedelta(seconds=self._now)
        self._skew = timedelta()
        self._jobs = 0
        self._run_in_executor = self._loop.run_in_executor
        self.is_waiting: Callable[[], bool] = lambda: False
        """Returns whether a simulated response is being delayed, which only time can end."""
        self.is_interrupted: Callable[[], bool] = lambda: False
        """Returns whether something has to be done at once, before time moves on."""
        self._loop.time = lambda: self._now
        self._patches = pytest.MonkeyPatch()
        self._patches.setattr(time, "monotonic", self._loop.time)
        self.timers: dict[int, int] = {}
        """The simulated kernel timers, which report that the clock was set."""
        self.kernel_reports = True
        """Whether the kernel reports that the clock was set."""
        # Debug mode would measure the duration of callbacks with a clock that jumps.
        self._loop.set_debug(False)
        self._loop.run_in_executor = self._count_job

    def release(self) -> None:
        """Restore the event loop's own time."""
        self._patches.undo()
        del self._loop.time
        del self._loop.run_in_executor

    @property
    def true(self) -> datetime:
        """Return the true time, which is Nomos's."""
        return self._epoch + timedelta(seconds=self._now)

    @property
    def hub(self) -> datetime:
        """Return the time of the hub's clock."""
        return self.true + self._skew

    @property
    def skew(self) -> timedelta:
        """Return how far the hub's clock is ahead."""
        return self._skew

    async def jump(self, skew: timedelta) -> None:
        """Set the hub's clock; timers of the event loop do not notice."""
        self._skew = skew
        self._freezer.move_to(self.hub)
        notify_timers(self.timers)
        await self.settle()

    async def suspend(self, duration: timedelta) -> None:
        """Suspend the machine: time passes, but its timers stand still."""
        self._epoch += duration
        self._freezer.move_to(self.hub)
        notify_timers(self.timers)
        await self.settle()

    async def advance(self, duration: timedelta) -> None:
        """Move all clocks on, stopping at every timer on the way, until the end or an interruption."""
        end = self._now + duration.total_seconds()
        while self._step(end):
            await self.settle()
            if self.is_interrupted():
                return
        self._set(end)
        await self.settle()

    async def drive[T](self, job: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, and move time while it waits."""
        task: asyncio.Task[T] = self._loop.create_task(job)
        end = self._now + _LONGEST_JOB.total_seconds()
        await self.settle(task)
        while not task.done():
            if not self._step(end):
                task.cancel()
                raise TimeoutError(f"{job} did not end within {_LONGEST_JOB}")
            await self.settle(task)
        return await task

    async def settle(self, task: asyncio.Task[Any] | None = None) -> None:
        """Run everything that takes no time."""
        calm = waited = 0
        while True:
            await asyncio.sleep(0)
            if self._loop._ready or self._jobs:
                calm = waited = 0
                if self._jobs and not self._loop._ready:
                    time.sleep(0.0002)  # noqa: ASYNC251 - real time for a real thread; the loop's stands still.
                continue
            calm += 1
            if calm < 2:
                continue
            if not (self._unfinished() or (task is not None and not task.done())):
                return
            # Something is waiting: for a socket, which takes hardly any time, or for a timer.
            if waited >= (2 if self.is_waiting() else 50):
                return
            waited += 1
            calm = 0
            time.sleep(0.001)  # noqa: ASYNC251

    def _unfinished(self) -> bool:
        return any(
            not task.done() for task in self._hass._tasks | self._hass._background_tasks
        )

    def _step(self, end: float) -> bool:
        """Move to the next timer that is due before an end."""
        heap = self._loop._scheduled
        if not heap or (due := heap[0].when()) > end:
            return False
        self._set(max(due, self._now) + _LATENESS)
        return True

    def _set(self, now: float) -> None:
        self._now = max(self._now, now)
        self._freezer.move_to(self.hub)

    def _count_job(self, *args: Any) -> asyncio.Future[Any]:
        self._jobs += 1
        job: asyncio.Future[Any] = self._run_in_executor(*args)
        job.add_done_callback(self._job_done)
        return job

    def _job_done(self, _job: asyncio.Future[Any]) -> None:
        self._jobs -= 1
