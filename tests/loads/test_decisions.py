"""Tests of loads that are planned again and again over random days: they always get what they need."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import Any, Final

import pytest

from benchmarks.savings import cost, play
from custom_components.nomos.loads.plan import Task
from custom_components.nomos.loads.planning import next_planning, plan_load
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

ZERO: Final = timedelta()
MINUTE: Final = timedelta(minutes=1)
QUARTER: Final = timedelta(minutes=15)
ROUNDING: Final = timedelta(minutes=5)
DAY: Final = timedelta(days=1)
DAYS: Final = (
    date(2025, 6, 3),
    date(2025, 3, 29),
    date(2025, 3, 30),
    date(2025, 10, 25),
    date(2025, 10, 26),
)
"""An ordinary day, and both days before and of each clock change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Prices of some days, the time of each publication, and the times of restarts."""

    whole: PriceTable
    published: dict[date, datetime]
    restarts: frozenset[datetime]

    def known(self, now: datetime) -> PriceTable:
        """Return the prices that the hub knows at an instant; those of an unpublished day it never knows."""
        return PriceTable.of(
            one
            for one in self.whole.intervals
            if now >= self.published.get(local_date(one.start), now + DAY)
        )


def make_prices(random: Random, days: list[date]) -> dict[date, list[float]]:
    """Return prices of each day as a random walk, in EUR/kWh, by the quarter-hour of the clock."""
    made: dict[date, list[float]] = {}
    for day in days:
        level = random.uniform(0.1, 0.4)
        step = random.choice([1, 4])
        prices: list[float] = []
        while len(prices) < 96:
            level = min(max(level + random.uniform(-0.08, 0.08), 0.01), 0.6)
            prices += [round(level, 3)] * step
        made[day] = prices
    return made


def make_world(random: Random, task: Task, *, alike: bool) -> World:
    """Return a world around a window. If days are alike, they all have the same prices."""
    first = local_date(task.opens) - DAY
    days = [first + DAY * number for number in range(5)]
    prices = make_prices(random, days)
    intervals, published = [], {first: task.opens - DAY, days[1]: task.opens - DAY}
    for day in days:
        start, end = day_bounds(day)
        while start < end:
            clock = start.astimezone(TARIFF_ZONE)
            of = prices[first] if alike else prices[day]
            price = of[clock.hour * 4 + clock.minute // 15]
            intervals.append(Interval(start, start + QUARTER, price))
            start += QUARTER
    for day in days[2:]:
        if random.random() < 0.8:
            at = datetime.combine(day - DAY, time(random.randrange(12, 20)))
            minutes = random.randrange(60) * MINUTE
            published[day] = at.replace(tzinfo=TARIFF_ZONE).astimezone(UTC) + minutes
    length = (task.closes - task.opens) // timedelta(seconds=1)
    restarts = (
        task.opens + timedelta(seconds=random.randrange(length))
        for _ in range(random.choice([0, 1, 4, 12]))
    )
    return World(
        whole=PriceTable.of(intervals),
        published=published,
        restarts=frozenset(restarts),
    )


def make_load(random: Random, *, cap: bool = False) -> LoadSettings:
    """Return random settings of a load; its duration always fits into its window."""
    minutes = random.choice([30, 60, 90, 120, 217, 300])
    start = random.randrange(24)
    hours = random.randrange(11, 25)
    data: dict[str, Any] = {
        "duration": {"minutes": minutes},
        "start": f"{start:02}:00",
        "end": f"{(start + hours) % 24:02}:00",
        "contiguous": random.random() < 0.3,
        "min_run": random.choice([0, 0, 15, 30]),
        "min_pause": random.choice([0, 0, 10, 30]),
        "max_runs": random.choice([None, None, 2, 3]),
        "prefer": random.choice(["early", "late"]),
        "power": random.choice([None, 11]),
    }
    if cap:
        data["price_cap"] = random.choice([10, 20, 30])
    return LoadSettings.of(data)


def make_task(random: Random, settings: LoadSettings) -> Task:
    """Return a window of a load."""
    at = datetime.combine(random.choice(DAYS), time(1), TARIFF_ZONE)
    opens, closes = settings.window(at.astimezone(UTC), TARIFF_ZONE)
    return Task(opens=opens, closes=closes)


def checked_runs(settings: LoadSettings, task: Task, world: World) -> Task:
    """Return the task with its runs, after checking what holds for every load."""
    news = [at for at in world.published.values() if at > task.opens]
    done = play(settings, task, world.known, news, world.restarts)
    runs = done.runs
    assert all(task.opens <= run.start < run.end <= task.closes for run in runs), runs
    assert all(one.end < two.start for one, two in pairwise(runs)), runs
    length = sum((run.duration for run in runs), ZERO)
    assert length <= settings.duration + ROUNDING, (length, runs)
    if settings.contiguous:
        assert len(runs) <= 1
        assert length in {ZERO, settings.duration}
    else:
        pauses = [two.start - one.end for one, two in pairwise(runs)]
        assert all(pause >= settings.min_pause for pause in pauses), runs
        assert settings.max_runs is None or len(runs) <= settings.max_runs, runs
    return done


@pytest.mark.parametrize("seed", range(250))
def test_every_load_gets_what_it_needs(seed: int) -> None:
    """No run is missed or cut short, whenever prices are published, if ever, and however often the hub restarts."""
    random = Random(seed)
    settings = make_load(random)
    task = make_task(random, settings)
    world = make_world(random, task, alike=False)
    done = checked_runs(settings, task, world)
    length = sum((run.duration for run in done.runs), ZERO)
    assert length >= settings.duration, (settings, world.restarts, done)
    if not settings.contiguous:
        shortest = min((run.duration for run in done.runs), default=ZERO)
        assert shortest > settings.min_run - ROUNDING, (settings, done)


@pytest.mark.parametrize("seed", range(150))
def test_no_load_runs_above_its_cap(seed: int) -> None:
    """This holds for known prices and for prices that were unknown while it ran."""
    random = Random(seed)
    settings = make_load(random, cap=True)
    task = make_task(random, settings)
    world = make_world(random, task, alike=False)
    done = checked_runs(settings, task, world)
    assert settings.price_cap is not None
    for run in done.runs:
        for one in world.whole.between(run.start, run.end).intervals:
            assert one.price is not None
            assert one.price <= settings.price_cap, (settings, done, one)


@pytest.mark.parametrize("seed", range(250))
def test_planning_again_costs_nothing(seed: int) -> None:
    """If all days are alike, a plan made before publication is the optimum and stays so."""
    random = Random(seed)
    settings = make_load(random)
    task = make_task(random, settings)
    world = make_world(random, task, alike=True)
    done = checked_runs(settings, task, world)
    request = settings.request(task.opens, task.closes, settings.duration)
    best = plan(world.whole, request, task.opens)
    paid = cost(world.whole, done.runs) * (settings.power or 1.0)
    assert paid <= best.cost * 1.01, (settings, world.restarts, done, best.runs)


@pytest.mark.parametrize("seed", range(100))
def test_first_plan_is_the_best_that_could_be_known(seed: int) -> None:
    """The first plan is optimal if the stand-ins for unknown prices turn out to be true."""
    random = Random(seed)
    settings = make_load(random)
    task = make_task(random, settings)
    world = make_world(random, task, alike=False)
    table = world.known(task.opens)
    made = plan_load(settings, task, settings.duration, table, task.opens, TARIFF_ZONE)
    guessed = with_stand_ins(table, task.opens, task.closes)
    assert guessed.knows(task.opens, task.closes)
    request = settings.request(task.opens, task.closes, settings.duration)
    best = plan(guessed, request, task.opens)
    assert cost(guessed, made.runs) * (settings.power or 1.0) <= best.cost * 1.01


NOON: Final = datetime(2025, 6, 3, 10, tzinfo=UTC)
SHORTEST_RUN: Final = LoadSettings.of(
    {
        "duration": {"minutes": 60},
        "start": "12:00",
        "end": "18:00",
        "contiguous": False,
        "min_run": 30,
        "price_cap": 30,
    }
)


@pytest.mark.parametrize(
    ("begun", "price", "runs"),
    [
        # The remaining half may run later; a rest below the shortest run may not.
        (30, 0.2, [(0, 30), (120, 150)]),
        (40, 0.2, [(0, 60)]),
        # The price is above the cap, so the rest has to run later.
        (40, 0.4, [(0, 40), (120, 140)]),
    ],
)
def test_no_rest_is_shorter_than_the_shortest_run(
    begun: int, price: float, runs: list[tuple[int, int]]
) -> None:
    """New prices never postpone a rest that is shorter than the shortest run."""
    closes = NOON + timedelta(hours=6)
    run = Run(start=NOON, end=NOON + 60 * MINUTE)
    task = Task(opens=NOON, closes=closes, runs=(run,))
    table = PriceTable.of(
        Interval(at, at + QUARTER, 0.1 if at >= NOON + 120 * MINUTE else price)
        for number in range(24)
        for at in [NOON + number * QUARTER]
    )
    now = NOON + begun * MINUTE
    made = plan_load(SHORTEST_RUN, task, (60 - begun) * MINUTE, table, now, TARIFF_ZONE)
    found = [
        ((one.start - NOON) // MINUTE, (one.end - NOON) // MINUTE) for one in made.runs
    ]
    assert found == runs


@pytest.mark.parametrize("contiguous", [False, True])
def test_run_that_is_replanned_at_its_start_goes_on(contiguous: bool) -> None:
    """Prices may arrive in the instant in which a run starts."""
    run = Run(start=NOON, end=NOON + 60 * MINUTE)
    task = Task(opens=NOON, closes=NOON + timedelta(hours=6), runs=(run,))
    data = {
        "duration": {"minutes": 60},
        "start": "12:00",
        "end": "18:00",
        "contiguous": contiguous,
    }
    table = PriceTable.of([Interval(NOON, NOON + DAY, 0.2)])
    made = plan_load(LoadSettings.of(data), task, 60 * MINUTE, table, NOON, TARIFF_ZONE)
    assert made.runs == (run,)


def test_rest_stays_planned_while_prices_are_unknown() -> None:
    """While a load runs at a price that was never published, its other runs stay planned."""
    settings = LoadSettings.of(
        {
            "duration": {"minutes": 60},
            "start": "12:00",
            "end": "18:00",
            "contiguous": False,
        }
    )
    yesterday = PriceTable.of(
        Interval(at, at + QUARTER, 0.1 if number in {0, 1, 8, 9} else 0.3)
        for number in range(24)
        for at in [NOON - DAY + number * QUARTER]
    )
    task = Task(opens=NOON, closes=NOON + timedelta(hours=6))
    first = plan_load(settings, task, 60 * MINUTE, yesterday, NOON, TARIFF_ZONE)
    assert [run.duration for run in first.runs] == [30 * MINUTE] * 2
    now = NOON + 10 * MINUTE
    again = replace(task, runs=first.runs[:1])
    made = plan_load(settings, again, 50 * MINUTE, yesterday, now, TARIFF_ZONE)
    assert made.runs == first.runs


def test_known_prices_are_used_once_unknown_ones_have_passed() -> None:
    """With a cap, a load waits while its price is unknown, and is planned once prices are known again."""
    data = {
        "duration": {"minutes": 60},
        "start": "12:00",
        "end": "18:00",
        "contiguous": False,
        "price_cap": 20,
    }
    settings = LoadSettings.of(data)
    known = NOON + timedelta(hours=3)
    table = PriceTable.of(
        Interval(at, at + QUARTER, 0.1 if at < NOON else 0.15)
        for start, count in ((NOON - DAY, 24), (known, 48))
        for at in [start + number * QUARTER for number in range(count)]
    )
    task = Task(opens=NOON, closes=NOON + timedelta(hours=6))
    made = plan_load(settings, task, 60 * MINUTE, table, NOON, TARIFF_ZONE)
    assert made.runs == ()
    assert next_planning(settings, table, task, NOON) == known
    made = plan_load(settings, task, 60 * MINUTE, table, known, TARIFF_ZONE)
    assert made.runs == (Run(start=known, end=known + 60 * MINUTE),)
