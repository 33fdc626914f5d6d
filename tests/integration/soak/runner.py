"""The soak itself: lets the faults happen to a house and has the checker look on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from simulator.berlin import DAY, QUARTER, local_date, midnight
from tests.integration.soak.checker import MOST_VIOLATIONS
from tests.integration.soak.faults import (
    Correction,
    DeadAccess,
    Fault,
    Foreigner,
    FullDisk,
    Hole,
    LostAnswer,
    Manners,
    Outing,
    PassingRefusal,
    PowerCut,
    Refusal,
    Restart,
    Revocation,
    Suspension,
    Trouble,
    WrongClock,
    forecast,
)
from tests.integration.soak.grant import Grant
from tests.integration.soak.hub import Hub
from tests.integration.soak.nomos import Nomos
from tests.integration.soak.stage import Stage

_AFTER_BOUNDARY: Final = timedelta(milliseconds=90)
"""States change within 100 ms after the boundary."""


class Runner:
    """One seed's year."""

    def __init__(self, seed: int, days: int, stage: Stage) -> None:
        """Draw the faults."""
        self._stage = stage
        self._end = stage.now + days * DAY
        self._nomos = Nomos(stage, urlsplit(stage.sim.url).port or 0)
        self._consent = Grant(stage)
        self._hub = Hub(stage, self._consent)
        self._hub.leave_alone = self._nomos.refuse
        for at, trouble in forecast(Random(f"faults {seed}"), stage.now, days):
            stage.plan(at, trouble)
        stage.plan(midnight(local_date(stage.now) + DAY), self._new_day)

    async def run(self) -> None:
        """Let it all happen."""
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
            self._consent.watch()

    async def _until(self, instant: datetime) -> None:
        """Go on to an instant and let happen what is planned before."""
        stage = self._stage
        while (at := stage.next_at) is not None and at <= instant:
            await self._move(at)
            # On the way something more urgent may have been planned.
            if (following := stage.next_at) is not None and following <= at:
                await self._happen(stage.pop())
        await self._move(instant)

    async def _move(self, instant: datetime) -> None:
        """Move on to an instant; cut the power on the way if that is to be done after the next rotation."""
        while (left := instant - self._stage.now) > timedelta():
            await self._stage.clock.advance(left)
            await self._hub.react()

    async def _happen(self, what: Trouble | Callable[[], Any]) -> None:
        stage, nomos, grant, hub = self._stage, self._nomos, self._consent, self._hub
        match what:
            case Fault():
                nomos.answer_wrongly(what)
            case Refusal(until):
                await nomos.refuse(until)
            case Hole():
                nomos.leave_hole(what)
            case Foreigner():
                nomos.list_foreigner(what)
            case Outing():
                nomos.publish(what)
            case Correction(ahead, amount):
                nomos.correct(stage.now + ahead, amount)
            case Manners(unpublished):
                stage.count(f"says not yet as {unpublished}")
                stage.sim.configure(unpublished=unpublished)
            case DeadAccess():
                stage.count("dead access token")
                stage.sim.expire_access_tokens()
                stage.expected.disturb(stage.now, stage.now)
            case Revocation():
                grant.revoke(what)
            case LostAnswer():
                grant.lose_answer(what)
            case PassingRefusal():
                grant.refuse(what)
            case Restart():
                await hub.restart(what)
            case PowerCut():
                await hub.cut_power(what)
            case Suspension(duration):
                await hub.suspend(duration)
            case WrongClock():
                await hub.set_wrong(what)
            case FullDisk():
                hub.fill_disk(what)
            case _:
                result = what()
                if result is not None:
                    await result

    def _new_day(self) -> None:
        today = local_date(self._stage.now)
        self._stage.checker.day_over()
        self._stage.plan(midnight(today + DAY), self._new_day)
        self._nomos.forget_before(today)
