"""Faults of the hub: restarts, power cuts, wrong clocks, a full disk."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from tests.integration.soak.expected import FOREVER, Span
from tests.integration.soak.faults import FullDisk, PowerCut, Restart, WrongClock
from tests.integration.soak.grant import Grant
from tests.integration.soak.stage import Stage

_WRITTEN: Final = timedelta(seconds=5)
"""Data that arrived this long before a power cut is on disk."""

_WRITTEN_AGAIN: Final = timedelta(minutes=2)
"""With a working disk, missing data is on it this long after a boundary."""

_NOTICED: Final = timedelta(seconds=1), timedelta(seconds=65)
"""How long states may be wrong after a step of the clock: if the kernel reports it, and if not."""

_ASKED: Final = timedelta(minutes=4)
"""A hub that noticed a step has requested a missing price within this time."""

_ALONE: Final = timedelta(minutes=3), timedelta(minutes=9)
"""When, and for how long, Nomos refuses connections after the clock was set right; the hub restarts meanwhile."""


class Hub:
    """Injects faults into the hub."""

    def __init__(self, stage: Stage, grant: Grant) -> None:
        """Begin with a hub that is off."""
        self._stage = stage
        self._grant = grant
        self._down: Span | None = None
        self._awaits_rotation: PowerCut | None = None
        self._rotated = False
        self._until_linked = timedelta(hours=1)
        self._unwritten_since: datetime | None = None
        """Since when the disk may lack data."""
        self._check_at = stage.now
        stage.proxy.on_rotation = self._token_rotated
        stage.clock.is_interrupted = lambda: (
            self._rotated and self._awaits_rotation is not None
        )

    # --- On and off --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start; half of all kernels report changes of the clock."""
        stage = self._stage
        stage.checker.house_started()
        stage.clock.kernel_reports = stage.rng.random() < 0.5
        await stage.house.start()
        now = stage.now
        if self._down is not None:
            stage.expected.end(self._down, now)
            self._down = None
        for span in list(stage.expected.spans):
            if span.what == "no subscriptions" and span.start <= now < span.end:
                stage.expected.trouble(now, span.end, "start without subscriptions")
        stage.checker.note(f"started: {stage.house.entry.state.value}")
        stage.checker.check(thorough=True)

    async def restart(self, trouble: Restart) -> None:
        """Stop cleanly and start again."""
        stage = self._stage
        if stage.house.is_on:
            stage.checker.figures.restarts += 1
            stage.checker.note(f"restart, off for {trouble.down}")
            await self._go_down(stage.house.stop, in_order=True)
            stage.plan(stage.now + trouble.down, self.start)

    async def cut_power(self, cut: PowerCut) -> None:
        """Cut the power now, or after the next rotation."""
        if cut.after_rotation:
            self._awaits_rotation = cut
        elif self._stage.house.is_on:
            await self._cut(cut)

    def _token_rotated(self) -> None:
        self._rotated = True

    async def react(self) -> None:
        """Cut the power if that is planned after a rotation and there was one."""
        cut, rotated, self._rotated = self._awaits_rotation, self._rotated, False
        if cut is not None and rotated and self._stage.house.is_on:
            self._awaits_rotation = None
            await self._cut(cut)

    async def _cut(self, cut: PowerCut) -> None:
        stage, house = self._stage, self._stage.house
        figures = stage.checker.figures
        figures.power_cuts += 1
        figures.unsaved_cuts += house.unsaved
        token = " with an unsaved token" if house.unsaved else ""
        stage.checker.note(f"power cut{token}, off for {cut.down}")
        self._rotated = False
        stage.proxy.power_failed(stage.now - _WRITTEN)
        await self._go_down(house.cut_power, in_order=False)
        wrong = cut.skew and not stage.clock.skew
        start = (lambda: self._start_wrong(cut)) if wrong else self.start
        stage.plan(stage.now + cut.down, start)

    async def _go_down(self, how: Callable[[], Any], *, in_order: bool) -> None:
        stage = self._stage
        span = stage.expected.trouble(stage.now, FOREVER, "off")
        await how()
        self._down = span
        self._look_at_disk(in_order=in_order)
        stage.checker.check()

    # --- The disk ----------------------------------------------------------------------------------------------

    def fill_disk(self, trouble: FullDisk) -> None:
        """Fail all writes for a while."""
        stage, disk = self._stage, self._stage.house.disk
        if disk.fault is None:
            stage.count(
                f"disk {trouble.fault}",
                f"the disk is {trouble.fault} until {trouble.until:%d %H:%M}Z",
            )
            disk.fault = trouble.fault
            self._unwritten_since = self._unwritten_since or stage.now - _WRITTEN
            stage.plan(trouble.until, self._empty_disk)

    def _empty_disk(self) -> None:
        stage = self._stage
        stage.house.disk.fault = None
        stage.checker.note("the disk works again")
        self._check_at = stage.now + stage.expected.step + _WRITTEN_AGAIN
        stage.plan(self._check_at, self._check_written)

    def _check_written(self) -> None:
        """Check that a disk that works again has all data."""
        stage, house = self._stage, self._stage.house
        if house.disk.fault or stage.now < self._check_at:
            return
        self._unwritten_since = None
        if house.is_on and not self._grant.is_broken:
            stage.checker.check_token("the disk works again")

    def _look_at_disk(self, *, in_order: bool) -> None:
        """Record which data was lost with the process."""
        stage, house = self._stage, self._stage.house
        since, self._unwritten_since = self._unwritten_since, None
        if in_order and not house.disk.fault:
            since = None
        if since is not None:
            stage.proxy.power_failed(since)
            if house.disk.fault:
                self._unwritten_since = stage.now
        if self._grant.is_broken or house.has_on_disk(stage.proxy.newest):
            return
        if since is None:
            stage.checker.check_token("the hub is off")
        else:
            stage.count("lost the token with the disk")
        self._grant.record_loss(self._until_linked)

    # --- The clock ---------------------------------------------------------------------------------------------

    async def set_wrong(self, trouble: WrongClock) -> None:
        """Set the clock wrong for a while."""
        stage = self._stage
        if stage.house.is_on and not stage.clock.skew:
            stage.count(f"wrong clock{_how_far(trouble.skew)}")
            await self._set_clock(trouble.skew)
            stage.plan(
                stage.now + trouble.duration,
                self._right_alone if trouble.then_alone else self._right_clock,
            )

    async def _start_wrong(self, cut: PowerCut) -> None:
        """Start with a wrong time, which the network corrects a little later."""
        stage = self._stage
        if not stage.clock.skew:
            stage.count(f"started with a wrong clock{_how_far(cut.skew)}")
            await self._set_clock(cut.skew)
            stage.plan(stage.now + cut.until_network_time, self._right_clock)
        await self.start()

    async def _right_clock(self) -> None:
        await self._set_clock(timedelta())

    async def _right_alone(self) -> None:
        """Set the clock right and restart without Nomos: the disk must not have lost anything."""
        stage = self._stage
        await self._right_clock()
        after, length = _ALONE
        begin = stage.now + after
        stage.plan(begin, lambda: self._leave_alone(begin + length))

    async def _leave_alone(self, until: datetime) -> None:
        await self.leave_alone(until)
        await self.restart(Restart(timedelta(minutes=1)))

    leave_alone: Callable[[datetime], Any]
    """Makes Nomos refuse connections until an instant."""

    async def _set_clock(self, skew: timedelta) -> None:
        stage, before = self._stage, self._stage.clock.hub
        stage.checker.note(f"the clock is set {skew}")
        grace = self._grace
        stage.expected.trouble(stage.now, stage.now + grace, "clock")
        await stage.clock.jump(skew)
        self._jumped(before, grace)

    async def suspend(self, duration: timedelta) -> None:
        """Suspend the machine."""
        stage, before, now = self._stage, self._stage.clock.hub, self._stage.now
        stage.count("suspended", f"suspended for {duration}")
        await stage.clock.suspend(duration)
        stage.expected.trouble(now, stage.now + self._grace, "clock")
        self._jumped(before, self._grace)

    @property
    def _grace(self) -> timedelta:
        return _NOTICED[not self._stage.clock.kernel_reports]

    def _jumped(self, before: datetime, grace: timedelta) -> None:
        stage, now = self._stage, self._stage.now
        stage.checker.clock_jumped(before, now + grace)
        stage.plan(now + grace, stage.checker.check)
        if not stage.clock.skew:
            stage.plan(
                now + grace + _ASKED,
                lambda: stage.checker.check_asked(now + grace),
            )


def _how_far(skew: timedelta) -> str:
    if abs(skew) < timedelta(hours=12):
        return ""
    if skew < timedelta():
        return " (days behind)"
    return " (a year ahead)" if skew > timedelta(days=30) else " (days ahead)"
