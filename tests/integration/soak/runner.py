"""The soak itself: injects faults while the checker compares states."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
import inspect
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from simulator.berlin import DAY, QUARTER, local_date, midnight
from tests.integration.soak.checker import MOST_VIOLATIONS
from tests.integration.soak.faults import (
    Correction,
    DeadAccess,
    Fault,
    ForeignContract,
    FullDisk,
    Hole,
    LostAnswer,
    NotYetAnswer,
    PassingRefusal,
    PowerCut,
    PublicationPlan,
    Refusal,
    Restart,
    Revocation,
    Suspension,
    Trouble,
    WrongClock,
    draw_faults,
)
from tests.integration.soak.grant import Grant
from tests.integration.soak.hub import Hub
from tests.integration.soak.nomos import Nomos
from tests.integration.soak.stage import Stage

_AFTER_BOUNDARY: Final = timedelta(milliseconds=90)
"""States change within 100 ms after the boundary."""


class Runner:
    """The run of one seed."""

    def __init__(self, seed: int, days: int, stage: Stage) -> None:
        """Draw the faults."""
        self._stage = stage
        self._end = stage.now + days * DAY
        self._nomos = Nomos(stage, urlsplit(stage.sim.url).port or 0)
        self._grant = Grant(stage)
        self._hub = Hub(stage, self._grant)
        self._hub.leave_alone = self._nomos.refuse
        self._actions: Mapping[type, Callable[[Any], Any]] = {
            Fault: self._nomos.answer_wrongly,
            Refusal: lambda what: self._nomos.refuse(what.until),
            Hole: self._nomos.leave_hole,
            ForeignContract: self._nomos.list_foreign_contract,
            PublicationPlan: self._nomos.publish,
            Correction: self._correct,
            NotYetAnswer: self._change_not_yet,
            DeadAccess: self._forget_access,
            Revocation: self._grant.revoke,
            LostAnswer: self._grant.lose_answer,
            PassingRefusal: self._grant.refuse,
            Restart: self._hub.restart,
            PowerCut: self._hub.cut_power,
            Suspension: lambda what: self._hub.suspend(what.duration),
            WrongClock: self._hub.set_wrong,
            FullDisk: self._hub.fill_disk,
        }
        for at, trouble in draw_faults(Random(f"weather {seed}"), stage.now, days):
            stage.plan(at, trouble)
        stage.plan(midnight(local_date(stage.now) + DAY), self._new_day)

    async def run(self) -> None:
        """Run all days."""
        stage = self._stage
        clock, checker = stage.clock, stage.checker
        await self._hub.start()
        while stage.now < self._end and len(checker.violations) < MOST_VIOLATIONS:
            hub = clock.hub
            midnight_utc = datetime.min.replace(tzinfo=hub.tzinfo)
            boundary = hub + (QUARTER - (hub - midnight_utc) % QUARTER)
            if stage.rng.random() < 0.1:
                await self._until(stage.now + (boundary - hub) * stage.rng.random())
                checker.check(thorough=True)
            await self._until(stage.now + (boundary - clock.hub) + _AFTER_BOUNDARY)
            checker.check()
            self._grant.watch()

    async def _until(self, instant: datetime) -> None:
        """Advance to an instant, with all planned events before it."""
        stage = self._stage
        while (at := stage.next_at) is not None and at <= instant:
            await self._move(at)
            # An earlier event may have been planned meanwhile.
            if (following := stage.next_at) is not None and following <= at:
                await self._happen(stage.pop())
        await self._move(instant)

    async def _move(self, instant: datetime) -> None:
        """Advance to an instant; cut the power on the way if that is planned after the next rotation."""
        while (left := instant - self._stage.now) > timedelta():
            await self._stage.clock.advance(left)
            await self._hub.react()

    async def _happen(self, what: Trouble | Callable[[], Any]) -> None:
        """Trigger an event: a drawn fault, or what is planned for its end."""
        result = what() if callable(what) else self._actions[type(what)](what)
        if inspect.isawaitable(result):
            await result

    def _correct(self, what: Correction) -> None:
        self._nomos.correct(self._stage.now + what.ahead, what.amount)

    def _change_not_yet(self, what: NotYetAnswer) -> None:
        self._stage.count(f"says not yet as {what.unpublished}")
        self._stage.sim.configure(unpublished=what.unpublished)

    def _forget_access(self, _what: DeadAccess) -> None:
        self._stage.count("dead access token")
        self._stage.sim.expire_access_tokens()
        self._stage.expected.record_disturbed(self._stage.now, self._stage.now)

    def _new_day(self) -> None:
        today = local_date(self._stage.now)
        self._stage.checker.day_over()
        self._stage.plan(midnight(today + DAY), self._new_day)
        self._nomos.forget_before(today)
