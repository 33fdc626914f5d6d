"""Time that moves from one timer to the next, and three clocks that can disagree."""

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
"""Seconds by which a timer fires late: wall clocks have microseconds only, and no machine is exact."""

_LONGEST_JOB = timedelta(minutes=15)


@contextmanager
def kernel_timers() -> Iterator[dict[int, int]]:
    """Stand in for the kernel: the end at which each timer is read, by the end that the kernel writes to."""
    timers: dict[int, int] = {}

    def create(_clock: int, *, flags: int) -> int:
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        timers[write] = read
        return read

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(os, "timerfd_create", create)
        patches.setattr(os, "timerfd_settime", lambda *_args, **_options: None)
        yield timers


def tell_timers(timers: dict[int, int]) -> None:
    """Tell every timer that is held yet that the clock was set; forget the others."""
    for timer in list(timers):
        try:
            os.write(timer, bytes(8))
        except BrokenPipeError:
            del timers[timer]
            os.close(timer)


class Movable(Protocol):
    """What tells the hub the time."""

    def move_to(self, target_datetime: datetime, /) -> None:
        """Tell another time from now on."""


class SoakClock:
    """Moves time for the hub, the event loop and the simulator.

    The true time is Nomos's. The hub's wall clock may differ from it, as after a start without network time. The
    loop's time runs with the true time, except while the machine is suspended, when it stands still.
    """

    def __init__(self, hass: HomeAssistant, freezer: Movable, start: datetime) -> None:
        """Begin at an aware instant; the loop's own time goes on from where it is."""
        self._hass = hass
        self._freezer = freezer
        self._loop = cast("Any", hass.loop)
        self._now = self._loop.time()
        self._epoch = start - timedelta(seconds=self._now)
        self._skew = timedelta()
        self._jobs = 0
        self._run_in_executor = self._loop.run_in_executor
        self.is_waiting: Callable[[], bool] = lambda: False
        """Tells whether a simulated answer is being held back, which only time can end."""
        self.is_interrupted: Callable[[], bool] = lambda: False
        """Tells whether something has to be done at once, instead of moving on."""
        self._loop.time = lambda: self._now
        self._patches = pytest.MonkeyPatch()
        self._patches.setattr(time, "monotonic", self._loop.time)
        self.timers: dict[int, int] = {}
        """The kernel's, which it tells that the clock was set."""
        self.kernel_reports = True
        """Whether the kernel has such timers."""
        # It would measure how long each callback took on a clock that leaps.
        self._loop.set_debug(False)
        self._loop.run_in_executor = self._count_job

    def release(self) -> None:
        """Give the loop its own time back."""
        self._patches.undo()
        del self._loop.time
        del self._loop.run_in_executor

    @property
    def true(self) -> datetime:
        """Return the time that Nomos has."""
        return self._epoch + timedelta(seconds=self._now)

    @property
    def hub(self) -> datetime:
        """Return the time that the hub believes it is."""
        return self.true + self._skew

    @property
    def skew(self) -> timedelta:
        """Return how far the hub's clock is ahead."""
        return self._skew

    async def jump(self, skew: timedelta) -> None:
        """Set the hub's clock; no timer of the loop notices."""
        self._skew = skew
        self._freezer.move_to(self.hub)
        tell_timers(self.timers)
        await self.settle()

    async def suspend(self, duration: timedelta) -> None:
        """Let the machine sleep: the world goes on, its timers do not."""
        self._epoch += duration
        self._freezer.move_to(self.hub)
        tell_timers(self.timers)
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
        """Run a coroutine to its end and move time where it waits for it."""
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
        """Let everything happen that needs no time."""
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
            # Something waits: for a socket, which takes no time worth mentioning, or for a timer.
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
