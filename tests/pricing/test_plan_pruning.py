"""What the planner's search leaves out could not have been part of a better plan: held against the whole programme."""

import os

from hypothesis import HealthCheck, assume, given, settings, strategies as st

from custom_components.nomos.pricing.plan_exact import Exact
from custom_components.nomos.pricing.plan_places import Places
from custom_components.nomos.pricing.plan_solve import Effort, solve
from custom_components.nomos.pricing.plan_task import Segment, Span, Task, joined

QUARTER = 15

CASES = settings(
    deadline=None,
    derandomize=True,
    max_examples=max(60, int(os.environ.get("NOMOS_PLANNER_CASES", "0")) // 10),
    suppress_health_check=[HealthCheck.too_slow],
)


def unpruned(places: Places) -> list[Span] | None:
    """Return the optimum by a dynamic programme over all places, all durations, and nothing known of its cost."""
    every = range(places.line.size)
    linked = [index for index in every if places.line.linked[index]]
    whole = places.refined(every, linked)
    bound = whole.bound(0, places.run, places.task.max_runs)
    return Exact(places, whole, [bound]).solve(None)


def value(places: Places, spans: list[Span]) -> int:
    """Return what runs cost, their number and the preference included."""
    potential = places.potential
    return len(spans) * places.run + sum(
        potential(end) - potential(start) for start, end in spans
    )


def assert_possible(places: Places, spans: list[Span]) -> None:
    """Assert that runs have the duration of the task, respect its constraints, and lie where prices are known."""
    assert places.task.allows(spans)
    assert sum(end - start for start, end in spans) == places.task.duration
    assert all(
        places.block(start)[0] <= start < end <= places.block(start)[1]
        for start, end in spans
    )


@st.composite
def searches(draw: st.DrawFn) -> Places:
    """Draw some hours in minutes, with holes, many or few different prices, and a task to the minute."""
    prices = draw(
        st.one_of(
            st.lists(st.sampled_from([10, 20]), min_size=6, max_size=32),
            st.lists(st.sampled_from([10, 20, 30, None]), min_size=4, max_size=26),
            st.lists(st.integers(100, 400), min_size=4, max_size=26),
        )
    )
    first = draw(st.sampled_from([0, 0, 3, 5, 10]))
    last = len(prices) * QUARTER - draw(st.sampled_from([0, 0, 2, 5]))
    segments: list[Segment] = [
        (
            max(index * QUARTER - first, 0),
            min((index + 1) * QUARTER, last) - first,
            price,
        )
        for index, price in enumerate(prices)
        if price is not None
    ]
    assume(segments)
    task = Task(
        duration=draw(st.integers(20, 200)),
        min_run=draw(st.sampled_from([0, 0, 0, 5, 10, 15, 20, 30])),
        min_pause=draw(st.sampled_from([0, 0, 5, 10, 15, 20, 30])),
        max_runs=draw(st.sampled_from([None, None, 2, 3, 4])),
        late=draw(st.booleans()),
    )
    return Places(joined(segments), last - first, task)


efforts = st.builds(
    Effort,
    many=st.sampled_from([0, 1600]),
    few=st.sampled_from([1, 5, 20]),
    part=st.sampled_from([1, 4, 16, 100]),
)


@CASES
@given(searches(), efforts)
def test_nothing_better_is_left_out(places: Places, effort: Effort) -> None:
    """The search finds a plan of the very cost, number of runs and preference that the whole programme finds."""
    expected = unpruned(places)
    assume(expected)
    assert expected is not None
    found = solve(places, effort)
    assert found is not None
    assert_possible(places, found)
    assert value(places, found) == value(places, expected)


@st.composite
def long_searches(draw: st.DrawFn) -> Places:
    """Draw two days with much of them asked for, in few runs."""
    step = draw(st.sampled_from([1, 25]))
    prices = [
        step * price
        for price in draw(
            st.lists(st.integers(4, 400 // step), min_size=192, max_size=192)
        )
    ]
    segments = [
        (index * QUARTER, (index + 1) * QUARTER, price)
        for index, price in enumerate(prices)
    ]
    task = Task(
        duration=draw(st.integers(300, 1200)),
        min_run=draw(st.sampled_from([0, 20, 35, 50])),
        min_pause=draw(st.sampled_from([0, 10, 20])),
        max_runs=draw(st.sampled_from([4, 6, 8])),
        late=draw(st.booleans()),
    )
    return Places(joined(segments), len(prices) * QUARTER, task)


@CASES
@given(long_searches())
def test_trying_few_places_first_changes_no_plan(places: Places) -> None:
    """Whether few places are tried first or all at once, the plan has the same cost, number of runs and preference."""
    at_once = solve(places, Effort(many=1 << 30))
    few_first = solve(places, Effort(many=0))
    assert at_once is not None
    assert few_first is not None
    assert_possible(places, few_first)
    assert value(places, few_first) == value(places, at_once)
