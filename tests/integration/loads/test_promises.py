"""Tests of what loads promise, over random days, prices, publications and presses.

No load runs twice for one request, misses a deadline that could be kept, runs above its cap, or has a plan that costs
more than the best with the known prices. ``NOMOS_LOAD_CASES`` sets the number of simulated households.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
import os
from random import Random
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
import pytest

from benchmarks.savings import cost
from custom_components.nomos.loads.settings import LoadSettings
from custom_components.nomos.planner import Run, plan
from custom_components.nomos.pricing import (
    TARIFF_ZONE,
    Interval,
    PriceTable,
    day_bounds,
    local_date,
    with_stand_ins,
)
from homeassistant.core import HomeAssistant
from tests.integration.helpers import Advance
from tests.integration.loads.household import DEVICE, House

pytestmark = pytest.mark.usefixtures("german_hub")

CASES: Final = int(os.environ.get("NOMOS_LOAD_CASES", "40"))
AT_ONCE: Final = 20
"""How many cases one test simulates."""

ZERO: Final = timedelta()
SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
ROUNDING: Final = timedelta(minutes=5)
QUARTER: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
LENGTH: Final = 2 * DAY
LOWEST: Final = -0.1
HIGHEST: Final = 0.6
"""Prices in EUR/kWh."""

DAYS: Final = (
    date(2026, 6, 9),
    date(2026, 3, 27),
    date(2026, 3, 28),
    date(2026, 10, 23),
    date(2026, 10, 24),
)
"""When a case begins: on an ordinary day, or before a clock change."""

PRESSES: Final = ("ask", "ask", "ask", "start", "skip", "off", "restart", "hand")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Prices of some days, and the time of each publication."""

    whole: PriceTable
    published: dict[date, datetime]

    def known(self, now: datetime) -> PriceTable:
        """Return the prices that are known at an instant."""
        return PriceTable.of(
            one
            for one in self.whole.intervals
            if now >= self.published.get(local_date(one.start), now + DAY)
        )


def make_world(random: Random, start: datetime) -> World:
    """Return prices from the previous day on; one day in five is never published."""
    today = local_date(start)
    intervals: list[Interval] = []
    published: dict[date, datetime] = {}
    for number in range(-1, 5):
        day = today + number * DAY
        at, end = day_bounds(day)
        level, steps = random.uniform(-0.05, 0.4), random.choice([1, 4])
        count = 0
        while at < end:
            if count % steps == 0:
                level = min(max(level + random.uniform(-0.08, 0.08), LOWEST), HIGHEST)
            intervals.append(Interval(at, at + QUARTER, round(level, 3)))
            at, count = at + QUARTER, count + 1
        if number <= 0:
            published[day] = start
        elif random.random() < 0.8:
            wall = time(random.randrange(12, 20), random.randrange(60))
            published[day] = max(
                datetime.combine(day - DAY, wall, TARIFF_ZONE).astimezone(UTC), start
            )
    return World(whole=PriceTable.of(intervals), published=published)


def make_load(random: Random) -> dict[str, Any]:
    """Return random settings of a load."""
    minutes = random.choice([30, 60, 90, 120, 217, 300])
    start, hours = random.randrange(24), random.randrange(6, 25)
    data: dict[str, Any] = {
        "end": f"{(start + hours) % 24:02}:00",
        "repeat": random.choice(["daily", "on_demand", "on_demand"]),
        "prefer": random.choice(["early", "late"]),
        "power": random.choice([0.5, 2, 11]),
        "devices": [DEVICE],
    }
    if random.random() < 0.7:
        data["start"] = f"{start:02}:00"
    elif random.random() < 0.5:
        data["within"] = hours
    if random.random() < 0.3:
        data["energy"] = round(data["power"] * minutes / 60, 3)
    else:
        data["duration"] = {"minutes": minutes}
    data["contiguous"] = random.random() < 0.4
    if not data["contiguous"] and random.random() < 0.6:
        data["min_run"] = random.choice([0, 15, 30])
        data["min_pause"] = random.choice([0, 10, 30])
        data["max_runs"] = random.choice([None, 2, 3])
    if random.random() < 0.3:
        data["price_cap"] = random.choice([0, 10, 20, 30])
    return data


@dataclass(slots=True)
class Request:
    """A request to run: how long the load may run for it, and its deadline."""

    budget: timedelta
    due: datetime | None = None
    """None if it is withdrawn or cannot be met."""
    ran: timedelta = ZERO


class Case:
    """A simulated load, random presses, and the expectations that follow from them."""

    def __init__(
        self, hass: HomeAssistant, advance: Advance, random: Random, start: datetime
    ) -> None:
        """Begin with a load and prices."""
        self.random = random
        self.world = make_world(random, start)
        data = make_load(random)
        self.settings = LoadSettings.of(data)
        self.house = House(hass, advance, data, self.world.known(start))
        self.start, self.end = start, start + LENGTH
        self.requests: dict[object, Request] = {}
        self.asked = 0
        self.pressed_at: datetime | None = None
        """The time of the last press that changed the request."""
        self.device, self.left_alone = "off", False
        self.run: datetime | None = None
        self.log: list[object] = [data, start]

    async def play(self) -> None:
        """Simulate two days with random publications and presses."""
        minutes = self.random.sample(range(LENGTH // MINUTE), self.random.randrange(9))
        presses = {self.start + at * MINUTE + 17 * SECOND for at in minutes}
        news = {*self.world.published.values()}
        await self.house.settle()
        while (now := datetime.now(UTC)) < self.end:
            self.check(now)
            moments = (*self.house.next_changes(now), *presses, *news, self.end)
            until = min(at for at in moments if at > now)
            self.count(now, until)
            await self.house.pass_time(until)
            if until in news:
                await self.house.publish(self.world.known(until))
            self.check_promises(until)
            if until in presses:
                await self.press(until, self.random.choice(PRESSES))
        self.house.stop()

    # What is counted

    @property
    def request(self) -> Request:
        """Return the current request: the last one, or that of the daily window."""
        task = self.house.load.task
        assert task is not None
        key = self.asked if self.settings.on_demand else task.closes
        return self.requests.setdefault(key, Request(self.settings.duration))

    def count(self, now: datetime, until: datetime) -> None:
        """Add the run time up to an instant, and check that no price is above the cap."""
        load, cap = self.house.load, self.settings.price_cap
        if load.task is None or not load.running(now):
            return
        self.request.ran += until - now
        if cap is not None and not load.task.by_hand:
            for one in self.world.whole.between(now, until).intervals:
                assert one.price is not None
                assert one.price <= cap

    def check_promises(self, now: datetime) -> None:
        """Check that requests and daily windows were met."""
        if self.settings.on_demand:
            request = self.requests.get(self.asked)
            if request is not None and request.due is not None:
                if self.house.load.task is None:
                    assert request.ran >= request.budget
                    request.due = None
                else:
                    assert now < request.due
            return
        opens, closes = self.settings.window(now - SECOND, TARIFF_ZONE)
        if closes == now and self.is_promised(opens):
            assert self.requests[closes].ran >= self.settings.duration

    def is_promised(self, opens: datetime) -> bool:
        """Return whether a daily window must be met: nothing was pressed since the previous one opened."""
        before = self.settings.window(opens - DAY, TARIFF_ZONE)[0]
        quiet = self.pressed_at is None or self.pressed_at < before
        return quiet and opens >= self.start and self.settings.price_cap is None

    # What is pressed

    async def press(self, now: datetime, what: str) -> None:
        """Press something, and update the expectations."""
        load = self.house.load
        self.log.append((now, what, load.status(now)))
        match what:
            case "restart":
                await self.house.restart()
            case "hand":
                if now - self.house.commanded_at > MINUTE:
                    self.device, self.left_alone = self.house.by_hand(), True
            case "ask":
                self.ask(now)
            case "start":
                self.start_now(now)
            case "skip" | "off":
                self.withdraw(what)
        if what not in {"restart", "hand"}:
            self.pressed_at = now
        await self.house.settle()

    def ask(self, now: datetime) -> None:
        """Turn *Planned* on."""
        load = self.house.load
        if load.is_on:
            return
        self.left_alone = False
        load.async_switch(on=True)
        if self.settings.on_demand:
            self.asked += 1
            self.request.due = self.deadline(now)
        elif not self.request.ran:
            # It was skipped before it ran at all, so this window counts again.
            self.request.budget = self.settings.duration

    def deadline(self, now: datetime) -> datetime | None:
        """Return the deadline of a request; None if it cannot be met or may be too expensive."""
        settings = self.settings
        opens, closes = settings.window(now, TARIFF_ZONE)
        if settings.contiguous and closes - max(now, opens) < settings.duration:
            opens, closes = settings.window(closes, TARIFF_ZONE)
        if settings.start is None or opens < now:
            opens = now
        if settings.within is not None:
            opens, closes = now, now + settings.within
        fits = closes - opens >= settings.duration + MINUTE
        return closes if fits and settings.price_cap is None else None

    def start_now(self, now: datetime) -> None:
        """Press *Start now*."""
        load = self.house.load
        was_on = load.is_on
        load.async_start_now()
        assert load.running(now)
        self.left_alone = False
        if self.settings.on_demand:
            self.asked += not was_on
            if (due := self.request.due) is not None:
                self.request.due = max(due, now + load.left(now) + SECOND)
        elif self.request.ran >= self.request.budget:
            # It is done or withdrawn, so this is one more run.
            self.request.budget = self.request.ran + self.settings.duration

    def withdraw(self, what: str) -> None:
        """Press *Skip*, or turn *Planned* off."""
        load = self.house.load
        if what == "off" and not load.is_on:
            return
        if load.task is not None:
            self.request.budget = self.request.ran
            self.request.due = None
        if what == "off":
            load.async_switch(on=False)
        else:
            load.async_skip()

    # What always holds

    def check(self, now: datetime) -> None:
        """Check that nothing runs too long, that the device obeys, and that the plan is optimal."""
        for request in self.requests.values():
            assert request.ran <= request.budget + ROUNDING
        task = self.house.load.task
        current = task.run_at(now) if task else None
        run = current.start if current else None
        if run != self.run:
            self.run, self.left_alone = run, False
        if not self.left_alone:
            self.device = "on" if run else "off"
        assert self.house.device == self.device
        self.check_cost(now)

    def check_cost(self, now: datetime) -> None:
        """Check that the plan costs no more than the optimum for the known prices and stand-ins."""
        load, settings = self.house.load, self.settings
        task, made, left = load.task, load.plan, load.left(now)
        if task is None or made is None or task.by_hand or not left:
            return
        current = task.run_at(now)
        if current and (settings.contiguous or left < settings.min_run):
            return
        if current and now - current.start < ROUNDING:
            # The planner rounds this up to five minutes.
            return
        over = [run for run in task.runs if run.end <= now]
        start = max(now if current else now + -now.second % 60 * SECOND, task.opens)
        if over and not current:
            start = max(start, over[-1].end + settings.min_pause)
        if settings.max_runs is not None and len(over) >= settings.max_runs:
            return
        table = self.world.known(now)
        if start >= task.closes or task.opens - now > DAY:
            return
        if settings.price_cap is not None and not table.knows(start, task.closes):
            return
        guessed = with_stand_ins(table, start, task.closes)
        since = current.start if current else None
        request = settings.request(
            start, task.closes, left, runs=len(over), running_since=since
        )
        best = plan(guessed, request, now).runs
        planned = [
            Run(start=max(run.start, now), end=run.end)
            for run in made.runs
            if run.end > now
        ]
        length, longest = (
            sum((run.duration for run in runs), ZERO) for runs in (planned, best)
        )
        if settings.contiguous and longest < left:
            return
        if longest < left:
            # Each period below the cap begins and ends on the planner's grid.
            assert length >= longest - 4 * ROUNDING
            return
        assert length >= longest - ROUNDING
        least = cost(guessed, best)
        more = HIGHEST * abs(length - longest) / HOUR
        assert cost(guessed, planned) <= least + 0.01 * abs(least) + more + 1e-6


@pytest.mark.parametrize("block", range(-(-CASES // AT_ONCE)))
async def test_whatever_happens(
    hass: HomeAssistant, advance: Advance, freezer: FrozenDateTimeFactory, block: int
) -> None:
    """Each simulated household keeps its load's promises throughout two days."""
    for seed in range(block * AT_ONCE, min((block + 1) * AT_ONCE, CASES)):
        random = Random(seed)
        start = datetime.combine(
            random.choice(DAYS), time(random.randrange(24), 0, 5), TARIFF_ZONE
        ).astimezone(UTC)
        freezer.move_to(start)
        case = Case(hass, advance, random, start)
        try:
            await case.play()
        except AssertionError as err:
            case.house.stop()
            load = case.house.load
            err.add_note(f"case {seed}: {case.log}")
            err.add_note(f"{datetime.now(UTC)}: {load.task}, {load.plan}")
            err.add_note(f"{case.requests}")
            raise
