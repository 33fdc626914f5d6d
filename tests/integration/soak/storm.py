"""The soak itself: lets the weather happen to a house and has the judge look on."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from simulator import Simulator
from simulator.berlin import DAY, QUARTER, at_local, day_intervals, local_date, midnight
from simulator.customers import Subscription

from .clock import SoakClock
from .house import House
from .judge import MOST_VIOLATIONS, Judge
from .tap import Tap
from .truth import FOREVER, LONGEST_GAP, Publication, Span, Truth
from .weather import (
    Correction,
    DeadAccess,
    Fault,
    Harm,
    Hole,
    LostAnswer,
    Manners,
    Outing,
    PowerCut,
    Refusal,
    Restart,
    Revocation,
    Suspension,
    Trouble,
    WrongClock,
    forecast,
)

_AFTER_BOUNDARY: Final = timedelta(milliseconds=90)
"""States change within 100 ms after the boundary."""

_WRITTEN: Final = timedelta(seconds=5)
"""What came so long before a power cut is on the disk."""

_REAUTH_WITHIN: Final = timedelta(hours=26)
"""So long without trouble, and a house has noticed that its link is broken: it asks once a day at least."""


class Storm:
    """One seed's year."""

    def __init__(
        self,
        seed: int,
        days: int,
        clock: SoakClock,
        sim: Simulator,
        tap: Tap,
        truth: Truth,
        house: House,
        judge: Judge,
        subscriptions: list[Subscription],
    ) -> None:
        """Draw the weather."""
        self._rng = Random(f"checks {seed}")
        self._clock = clock
        self._sim = sim
        self._tap = tap
        self._truth = truth
        self._house = house
        self._judge = judge
        self._subscriptions = subscriptions
        self._end = clock.true + days * DAY
        self._order = count()
        self._agenda: list[tuple[datetime, int, Any]] = []
        self._refusals = 0
        self._port = urlsplit(sim.url).port or 0
        self._down: Span | None = None
        self._broken: Span | None = None
        self._until_linked = timedelta()
        self._awaits_rotation: PowerCut | None = None
        self._rotated = False
        for at, trouble in forecast(Random(f"weather {seed}"), clock.true, days):
            self._plan(at, trouble)
        self._plan(midnight(local_date(clock.true) + DAY), self._new_day)
        tap.on_wait = self._asked_to_wait
        tap.on_impatience = self._impatient
        tap.on_loss = self._answer_lost
        tap.on_rotation = self._token_rotated
        clock.is_interrupted = lambda: (
            self._rotated and self._awaits_rotation is not None
        )

    def _plan(self, at: datetime, what: Trouble | Callable[[], Any]) -> None:
        heappush(self._agenda, (at, next(self._order), what))

    async def run(self) -> None:
        """Let it all happen."""
        await self._start()
        while self._clock.true < self._end:
            if len(self._judge.violations) >= MOST_VIOLATIONS:
                break
            hub = self._clock.hub
            boundary = hub + (
                QUARTER - (hub - datetime.min.replace(tzinfo=hub.tzinfo)) % QUARTER
            )
            if self._rng.random() < 0.1:
                await self._until(
                    self._clock.true + (boundary - hub) * self._rng.random()
                )
                self._judge.check(thorough=True)
            await self._until(
                self._clock.true + (boundary - self._clock.hub) + _AFTER_BOUNDARY
            )
            self._judge.check()
            self._watch_link()

    async def _until(self, instant: datetime) -> None:
        """Go on to an instant and let happen what is planned before."""
        while self._agenda and self._agenda[0][0] <= instant:
            at = self._agenda[0][0]
            await self._move(at)
            # On the way something more urgent may have been planned.
            if self._agenda[0][0] <= at:
                await self._happen(heappop(self._agenda)[2])
        await self._move(instant)

    async def _move(self, instant: datetime) -> None:
        """Move on to an instant; cut the power on the way where that is to be done after the next rotation."""
        while (left := instant - self._clock.true) > timedelta():
            await self._clock.advance(left)
            await self._react()

    async def _react(self) -> None:
        cut, rotated, self._rotated = self._awaits_rotation, self._rotated, False
        if cut is not None and rotated and self._house.is_on:
            self._awaits_rotation = None
            await self._cut(cut)

    async def _happen(self, what: Trouble | Callable[[], Any]) -> None:
        now, judge, truth = self._clock.true, self._judge, self._truth
        match what:
            case Fault(recipe, match, until):
                self._count(
                    f"{recipe.name}",
                    f"{recipe.name} on {match or 'all'} until {until:%d %H:%M}Z",
                )
                self._sim.faults.add(
                    recipe.kind, match, between=(now, until), **recipe.params
                )
                if recipe.harm is Harm.DENIED:
                    truth.trouble(now, until + LONGEST_GAP, recipe.name)
                elif recipe.harm is Harm.SETUP or (
                    match == "subscriptions" and recipe.harm is Harm.ALL
                ):
                    truth.trouble(now, until, "no subscriptions", (FOREVER, FOREVER))
                elif recipe.harm is Harm.ALL:
                    truth.trouble(now, until, recipe.name)
            case Refusal(until):
                self._count("refused", f"nobody listens until {until:%d %H:%M}Z")
                truth.trouble(now, until, "refused")
                self._refusals += 1
                if self._refusals == 1:
                    await self._sim.stop()
                self._plan(until, self._listen)
            case Hole(style, intervals, until):
                holes: dict[str, Any] = {style: [intervals]}
                self._count(
                    f"hole ({style})",
                    f"{style} from {intervals[0]:%d %H:%M}Z to {intervals[1]:%d %H:%M}Z until {until:%d %H:%M}Z",
                )
                self._sim.faults.add(
                    "settings", "prices", between=(now, until), **holes
                )
                truth.trouble(now, until, "hole", intervals)
            case DeadAccess():
                self._count("dead access token")
                self._sim.expire_access_tokens()
                truth.disturb(now, now)
            case Restart(down):
                if self._house.is_on:
                    judge.figures.restarts += 1
                    judge.note(f"restart, off for {down}")
                    await self._go_down(self._house.stop)
                    self._plan(self._clock.true + down, self._start)
            case PowerCut() as cut:
                if cut.after_rotation:
                    self._awaits_rotation = cut
                elif self._house.is_on:
                    await self._cut(cut)
            case Revocation(immediate, until_linked):
                if self._broken is None:
                    self._count("revoked by the customer")
                    self._sim.revoke(self._subscriptions[0].email, immediate=immediate)
                    self._link_broken(until_linked)
            case LostAnswer(how, until_linked):
                self._until_linked = until_linked
                self._sim.faults.add(how, "token", times=1)
            case Outing():
                self._publish(what)
            case Correction(ahead, amount):
                await self._correct(now + ahead, amount)
            case Suspension(duration):
                await self._suspend(duration)
            case WrongClock(skew, duration):
                if self._house.is_on and not self._clock.skew:
                    self._count("wrong clock")
                    await self._set_clock(skew)
                    self._plan(self._clock.true + duration, self._right_clock)
            case Manners(unpublished):
                self._count(f"says not yet as {unpublished}")
                self._sim.configure(unpublished=unpublished)
            case _:
                result = what()
                if result is not None:
                    await result

    def _count(self, name: str, note: str | None = None) -> None:
        self._judge.figures.troubles[name] += 1
        self._judge.note(note or name)

    # --- Nomos -------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._refusals -= 1
        if self._refusals == 0:
            await self._sim.start(self._port)
            self._judge.note("Nomos listens again")

    def _publish(self, outing: Outing) -> None:
        """Decide how a delivery day comes out. The answers in between say so by themselves."""
        day, now = outing.day, self._clock.true
        self._count(
            f"published {outing.kind}",
            f"{day} comes out {outing.kind} {outing.at:%H:%M}",
        )
        sim, eve = self._sim, outing.day - DAY
        at: datetime = FOREVER
        match outing.kind:
            case "late":
                sim.publish_at(day, outing.at)
                at = at_local(eve, outing.at)
                self._truth.publications[day] = Publication(at, 100, at)
            case "partial":
                sim.publish_at(day, outing.at)
                first = at_local(eve, outing.at)
                at = first + timedelta(minutes=outing.minutes)
                number = len(day_intervals(day, self._truth.step))
                batch = int(outing.batch * number)
                sim.configure(partial_batch=batch, partial_minutes=outing.minutes)
                self._truth.publications[day] = Publication(first, batch, at)
                self._plan(
                    at_local(eve, time(23, 50)),
                    lambda: sim.configure(partial_batch=None),
                )
            case "never" | "tardy":
                sim.publish_at(day, "never")
                self._truth.publications[day] = Publication(FOREVER, 100, FOREVER)
                if outing.kind == "tardy":
                    at = at_local(day, outing.at)
                    self._truth.publications[day] = Publication(at, 100, at)
                    self._plan(at, lambda: sim.publish_at(day, time(13)))
        end = min(at, midnight(day + DAY))
        self._truth.disturb(now, end)

    async def _correct(self, at: datetime, amount: float) -> None:
        """Correct a price, whether it is out or not."""
        subscription = self._rng.choice(self._subscriptions)
        point = self._sim.price(subscription.id, at)
        assert point is not None
        if self._truth.published(point.start) <= self._clock.true:
            self._count(
                "corrected",
                f"{point.start:%d %H:%M}Z corrected from {point.amount} to {amount}",
            )
            old = self._truth.superseded.setdefault(
                (subscription.id, point.start), set()
            )
            old.add(point.amount)
            self._sim.correct_price(subscription.id, at, amount)

    def _asked_to_wait(self, path: str, until: datetime) -> None:
        self._truth.trouble(self._clock.true, until, "waiting")

    def _impatient(self, path: str, until: datetime) -> None:
        wait = self._tap.waits[path]
        if self._judge.restarted_since(wait[0]):
            self._judge.figures.impatient_after_restart += 1
            return
        self._judge.violate(
            "IMPATIENT",
            f"{path.rsplit('/', 1)[-1]} asked for before {until:%d %H:%M:%S}Z",
            path,
        )

    # --- The link ----------------------------------------------------------------------------------------------

    def _token_rotated(self) -> None:
        self._rotated = True

    def _answer_lost(self) -> None:
        if self._broken is None:
            self._count("lost the rotated token")
            self._link_broken(self._until_linked or timedelta(hours=1))

    def _link_broken(self, until_linked: timedelta) -> None:
        self._broken = self._truth.trouble(self._clock.true, FOREVER, "link broken")
        self._until_linked = until_linked

    def _watch_link(self) -> None:
        """Let the customer link again some time after having been asked to."""
        if self._broken is None or not self._house.is_on:
            return
        if self._house.reauth_flows:
            if self._until_linked:
                self._plan(self._clock.true + self._until_linked, self._link_again)
                self._until_linked = timedelta()
        elif (
            self._until_linked
            and self._truth.calm(
                self._broken.start, self._clock.true, "link broken", "waiting"
            )
            > _REAUTH_WITHIN
        ):
            self._judge.violate(
                "REAUTHENTICATION MISSING",
                "the link is broken and nobody asks to mend it",
                "link",
            )
            self._until_linked = timedelta()
            self._plan(self._clock.true, self._link_again)

    async def _link_again(self) -> None:
        if self._broken is None:
            return
        if not self._house.is_on:
            self._plan(self._clock.true + timedelta(hours=1), self._link_again)
            return
        self._judge.note("linked again")
        await self._house.link_again()
        self._truth.end(self._broken, self._clock.true)
        self._broken = None
        # Home Assistant saves the new link a second later; until then nothing but luck keeps it.
        await self._clock.advance(timedelta(seconds=3))

    # --- The house ---------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        self._judge.house_started()
        await self._house.start()
        now = self._clock.true
        if self._down is not None:
            self._truth.end(self._down, now)
            self._down = None
        for span in list(self._truth.spans):
            if span.what == "no subscriptions" and span.start <= now < span.end:
                self._truth.trouble(now, span.end, "start without subscriptions")
        self._judge.note(f"started: {self._house.entry.state.value}")
        self._judge.check(thorough=True)

    async def _go_down(self, how: Callable[[], Any]) -> None:
        span = self._truth.trouble(self._clock.true, FOREVER, "off")
        await how()
        self._down = span
        self._judge.check()

    async def _cut(self, cut: PowerCut) -> None:
        figures = self._judge.figures
        figures.power_cuts += 1
        if self._house.unsaved:
            figures.unsaved_cuts += 1
        self._judge.note(
            f"power cut{' with an unsaved token' if self._house.unsaved else ''}, off for {cut.down}"
        )
        self._rotated = False
        self._tap.power_failed(self._clock.true - _WRITTEN)
        await self._go_down(self._house.cut_power)
        if cut.clock_behind and not self._clock.skew:
            self._plan(self._clock.true + cut.down, lambda: self._start_behind(cut))
        else:
            self._plan(self._clock.true + cut.down, self._start)

    async def _start_behind(self, cut: PowerCut) -> None:
        """Start with the time of long ago; the network's time comes a little later."""
        if not self._clock.skew:
            self._count("started with a wrong clock")
            await self._set_clock(-cut.clock_behind)
            self._plan(self._clock.true + cut.until_network_time, self._right_clock)
        await self._start()

    async def _set_clock(self, skew: timedelta) -> None:
        before = self._clock.hub
        self._judge.note(f"the clock is set {skew}")
        self._truth.trouble(
            self._clock.true, self._clock.true + self._truth.jump_grace, "clock"
        )
        await self._clock.jump(skew)
        self._judge.clock_jumped(before)

    async def _right_clock(self) -> None:
        await self._set_clock(timedelta())

    async def _suspend(self, duration: timedelta) -> None:
        before, now = self._clock.hub, self._clock.true
        self._count("suspended", f"suspended for {duration}")
        await self._clock.suspend(duration)
        self._truth.trouble(now, self._clock.true + self._truth.jump_grace, "clock")
        self._judge.clock_jumped(before)

    def _new_day(self) -> None:
        now = self._clock.true
        self._judge.day_over()
        self._plan(midnight(local_date(now) + DAY), self._new_day)
        faults: Any = self._sim.faults
        faults._faults = [
            one for one in faults._faults if one.between is None or one.between[1] > now
        ]
        faults._faults = [
            one for one in faults._faults if one.times is None or one.times > 0
        ]
        settings = self._sim.settings
        self._sim.configure(
            publications={
                day: at
                for day, at in settings.publications.items()
                if day >= local_date(now) - 2 * DAY
            }
        )
