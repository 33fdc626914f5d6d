"""Tests of a load that has to start at once, and whose rest is planned by price."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st

from custom_components.nomos.codec import decode, encode
from custom_components.nomos.loads.plan import LoadStatus, Task
from custom_components.nomos.loads.planning import plan_load
from custom_components.nomos.loads.settings import LoadSettings
from custom_components.nomos.planner import Run
from tests.planner.enumeration import make_table

ZERO = timedelta()
MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 6, 10, 14, 2, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CASES = settings(deadline=None, derandomize=True, max_examples=200)


@CASES
@given(data=st.data())
def test_at_once_and_then_as_planned(data: st.DataObject) -> None:
    """It runs at once for as long as it must, at any price; the rest lies within its window and below its cap."""
    cents = data.draw(
        st.lists(st.one_of(st.integers(-5, 40), st.none()), min_size=8, max_size=60)
    )
    table = make_table(cents, start=NOW.replace(minute=0, second=0))
    opens = NOW + data.draw(st.integers(-120, 240)) * MINUTE
    closes = max(opens, NOW) + data.draw(st.integers(20, 600)) * MINUTE
    left = data.draw(st.integers(1, 300)) * MINUTE
    urgent = min(data.draw(st.integers(1, 300)) * MINUTE, left)
    cap = data.draw(st.none() | st.integers(-10, 40))
    begun = data.draw(st.none() | st.integers(1, 60))
    chosen: dict[str, Any] = {
        "duration": {"hours": 9},
        "power": 11,
        "contiguous": False,
        "min_run": data.draw(st.sampled_from([0, 15, 30])),
        "min_pause": data.draw(st.sampled_from([0, 15])),
        "price_cap": cap,
    }
    since = NOW if begun is None else NOW - begun * MINUTE
    task = Task(
        opens=opens,
        closes=closes,
        runs=() if begun is None else (Run(start=since, end=NOW + MINUTE),),
    )
    one = LoadSettings.of(chosen)
    made = plan_load(one, task, left, table, NOW, BERLIN, urgent)
    first, *more = made.runs
    at_once = min(NOW + urgent, closes)
    assert first.start == since
    assert first.end >= at_once
    planned = [
        *([Run(start=at_once, end=first.end)] if first.end > at_once else []),
        *more,
    ]
    for run in planned:
        assert opens <= run.start < run.end <= closes
        for interval in table.between(run.start, run.end).intervals:
            price = interval.price
            assert cap is None or price is None or 100 * price <= cap + 1e-9
    edges = [at for run in made.runs for at in (run.start, run.end)]
    assert edges == sorted(set(edges))
    total = sum((run.duration for run in made.runs), ZERO) - (NOW - since)
    assert total < left + 10 * MINUTE + timedelta(minutes=chosen["min_run"])
    stored = Task(opens=made.opens, closes=made.closes, runs=made.runs)
    assert decode(Task, encode(stored)) == stored


def test_contiguous_load_does_not_pause() -> None:
    """A load that must not pause goes on when its urgent part is done."""
    table = make_table([30] * 8 + [1] * 40, start=NOW.replace(minute=0, second=0))
    task = Task(opens=NOW, closes=NOW + 9 * 60 * MINUTE)
    one = LoadSettings.of({"duration": {"hours": 3}, "contiguous": True})
    made = plan_load(one, task, 180 * MINUTE, table, NOW, BERLIN, 30 * MINUTE)
    assert made.runs == (Run(start=NOW, end=NOW + 180 * MINUTE),)
    assert made.status is LoadStatus.PLANNED


def test_started_by_hand_it_runs_on() -> None:
    """A load that was started by hand runs on until its need is met."""
    table = make_table([30] * 8 + [1] * 40, start=NOW.replace(minute=0, second=0))
    run = Run(start=NOW - MINUTE, end=NOW + MINUTE)
    task = Task(
        opens=NOW - MINUTE, closes=NOW + 9 * 60 * MINUTE, runs=(run,), by_hand=True
    )
    one = LoadSettings.of({"duration": {"hours": 3}, "contiguous": False})
    made = plan_load(one, task, 179 * MINUTE, table, NOW, BERLIN, 30 * MINUTE)
    assert made.runs == (Run(start=NOW - MINUTE, end=NOW + 179 * MINUTE),)
