"""Tests of plans for a load that is already running, compared with all possible plans."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby, pairwise, product

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.nomos.planner import PlanRequest, Run, plan
from custom_components.nomos.planner.optimum import Span, several_runs
from tests.planner.enumeration import QUARTER, SLOT, START, make_table


def all_plans(
    costs: Sequence[int | None], duration: int, least: int, pause: int, running: int
) -> Iterator[list[Span]]:
    """Yield all plans of a load that has been running for some slots; of the current run, the part from slot 0."""
    free = [(False, True) if cost is not None else (False,) for cost in costs]
    # The current run may be cut short if it must not go on.
    kept = min(max(least - running, 0), duration, len(costs))
    if None in costs[:kept]:
        kept = 0
    for chosen in product(*free):
        runs: list[Span] = []
        at = 0
        for on, group in groupby(chosen):
            length = len(list(group))
            if on:
                runs.append((at, at + length))
            at += length
        first = runs.pop(0) if runs and runs[0][0] == 0 else (0, 0)
        everything = [first, *runs]
        if (
            first[1] >= kept
            and all(end - start >= least for start, end in runs)
            and all(two[0] - one[1] >= pause for one, two in pairwise(everything))
        ):
            yield [span for span in everything if span[1]]


def value_of(
    costs: Sequence[int | None], runs: list[Span], late: bool
) -> tuple[int, int, int, int]:
    """Return the criteria by which plans are compared: run time (more is better), cost, new runs, preference."""
    slots = [slot for start, end in runs for slot in range(start, end)]
    size = len(costs)
    return (
        -len(slots),
        sum(costs[slot] or 0 for slot in slots),
        sum(start > 0 for start, _ in runs),
        sum(2 * (size - slot) - 1 if late else 2 * slot + 1 for slot in slots),
    )


@settings(deadline=None, derandomize=True, max_examples=600)
@given(
    costs=st.lists(st.one_of(st.integers(-2, 4), st.none()), min_size=1, max_size=10),
    duration=st.integers(1, 11),
    least=st.integers(1, 5),
    pause=st.integers(1, 4),
    limit=st.sampled_from([None, None, 1, 2, 3]),
    running=st.integers(1, 6),
    late=st.booleans(),
)
def test_rest_of_a_run_is_optimal(
    costs: list[int | None],
    duration: int,
    least: int,
    pause: int,
    limit: int | None,
    running: int,
    late: bool,
) -> None:
    """The rest of a plan is optimal among plans in which the current run reaches its minimum length."""
    found = several_runs(
        costs,
        duration,
        min_run=least,
        min_pause=pause,
        max_runs=limit,
        late=late,
        running=running,
    )
    possible = [
        runs
        for runs in all_plans(costs, duration, least, pause, running)
        if sum(end - start for start, end in runs) <= duration
        and (limit is None or sum(start > 0 for start, _ in runs) < limit)
    ]
    wanted = min(
        (value_of(costs, runs, late) for runs in possible), default=(0, 0, 0, 0)
    )
    assert value_of(costs, found, late) == wanted


@pytest.mark.parametrize("limit", [None, 1, 3])
@pytest.mark.parametrize("seconds", [0, 1, 151, 299])
def test_run_keeps_its_minimum_at_any_second(limit: int | None, seconds: int) -> None:
    """A run that began ten minutes ago goes on for its minimum time, though everything later is cheaper."""
    table = make_table([30] * 4 + [1] * 8)
    now = START + timedelta(seconds=seconds)
    since = START - 2 * SLOT
    request = PlanRequest(
        now,
        START + 12 * QUARTER,
        timedelta(minutes=80) - timedelta(seconds=seconds),
        contiguous=False,
        min_run=timedelta(minutes=30),
        min_pause=SLOT,
        max_runs=limit,
        running_since=since,
    )
    first, *others = plan(table, request, now).runs
    assert first.start == now
    if limit == 1:
        assert not others
        assert first.end == START + 16 * SLOT
        return
    assert first.end - since >= timedelta(minutes=30)
    assert first.end <= since + timedelta(minutes=35)
    assert [run.start for run in others] == [START + 4 * QUARTER]


def test_run_above_the_cap_ends_at_once() -> None:
    """A price above the cap ends a run even before its minimum time."""
    table = make_table([30, 1, 1])
    request = PlanRequest(
        START,
        START + 3 * QUARTER,
        QUARTER,
        contiguous=False,
        min_run=QUARTER,
        price_cap=0.1,
        running_since=START - SLOT,
    )
    assert plan(table, request, START).runs == (
        Run(start=START + QUARTER, end=START + 2 * QUARTER),
    )


def test_rest_of_less_than_a_slot() -> None:
    """If the rest ends before the next mark, so does the run."""
    now = START + timedelta(minutes=1)
    request = PlanRequest(
        now,
        START + QUARTER,
        timedelta(minutes=2),
        contiguous=False,
        running_since=START,
    )
    assert plan(make_table([5]), request, now).runs == (
        Run(start=now, end=now + timedelta(minutes=2)),
    )
