"""The planner's searches, in whole numbers: exact, and free of the errors of floats.

Times are integers in some unit from the start of the window, prices integers in some unit. Only the stretches of
time in which the load may run are given: priced, and not above the cap. What follows is about contiguous runs; why
the search for interruptible ones is exact stands in ``plan_places``.

For a run that starts at ``s`` the cost is the integral of price times power. Its derivative in
``s`` is the sum, over the edges of the power profile (a constant power has two, its start and its end), of the
price at that edge times the drop in power there. It changes only where an edge meets a boundary between intervals.
So the cost is piecewise linear in ``s``, and its minimum lies where some edge meets some boundary, or at the first
or last start that is possible, which is such a meeting too. ``contiguous`` sweeps over these meetings. Among equally
cheap starts the first and the last are such meetings as well, so the preference is met exactly.
"""

from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate, pairwise

from .plan_places import Places
from .plan_solve import solve
from .plan_task import Segment, Span, Task, blocks


def contiguous(
    segments: list[Segment], steps: list[tuple[int, int]], *, late: bool
) -> int | None:
    """Return the best start of a run whose power goes through steps of (length, power); None if it fits nowhere."""
    offsets = [0, *accumulate(length for length, _ in steps)]
    powers = [0, *(power for _, power in steps), 0]
    edges = [
        (offset, before - after)
        for offset, (before, after) in zip(offsets, pairwise(powers), strict=True)
        if before != after
    ]
    best: tuple[int, int] | None = None
    for block in blocks(segments):
        first, last = block[0][0], block[-1][1] - offsets[-1]
        if last < first:
            continue
        for start, cost in _sweep(block, edges, first, last):
            if best is None or cost < best[0] or (late and cost == best[0]):
                best = cost, start
    return best[1] if best else None


def _sweep(
    block: list[Segment], edges: list[tuple[int, int]], first: int, last: int
) -> list[tuple[int, int]]:
    """Return the starts at which the cost may have its minimum, in order, with their costs."""
    starts = [start for start, _, _ in block]
    paid = [
        0,
        *accumulate((end - start) * price for start, end, price in block),
    ]
    cost = slope = 0
    meetings: list[tuple[int, int]] = []
    for offset, drop in edges:
        index = bisect_right(starts, first + offset) - 1
        into = first + offset - starts[index]
        cost += drop * (paid[index] + into * block[index][2])
        slope += drop * block[index][2]
        meetings += [
            (two[0] - offset, drop * (two[2] - one[2]))
            for one, two in pairwise(block[index:])
            if two[0] - offset < last
        ]
    meetings.sort()
    found = [(first, cost)]
    at = first
    for start, change in meetings:
        if start > at:
            cost += slope * (start - at)
            at = start
            found.append((at, cost))
        slope += change
    if last > at:
        found.append((last, cost + slope * (last - at)))
    return found


def interruptible(segments: list[Segment], length: int, task: Task) -> list[Span]:
    """Return the best runs within a window of a length; shorter than asked in total when not all of it fits.

    Neighbouring segments must not have the same price.
    """
    if not segments or not task.duration:
        return []
    if task.max_runs == 1 or 2 * task.min_run > task.duration:
        return _single(segments, task)
    if not (task.min_run or task.min_pause or task.max_runs):
        room = sum(end - start for start, end, _ in segments)
        task = replace(task, duration=min(task.duration, room))
    elif _longest(segments) < task.duration:
        task = replace(task, duration=_reachable(segments, length, task))
        if not task.duration:
            return []
    filled = _fill(segments, task)
    if filled is not None and task.allows(filled):
        return filled
    return solve(Places(segments, length, task)) or []


def _longest(segments: list[Segment]) -> int:
    return max(block[-1][1] - block[0][0] for block in blocks(segments))


def _single(segments: list[Segment], task: Task) -> list[Span]:
    """Return the one run there can be: two would be too many, or too long together."""
    duration = min(task.duration, _longest(segments))
    if duration < task.min_run:
        return []
    start = contiguous(segments, [(duration, 1)], late=task.late)
    return [] if start is None else [(start, start + duration)]


def _reachable(segments: list[Segment], length: int, task: Task) -> int:
    """Return the longest total, up to the one asked, that the constraints allow.

    Runs can be shortened down to the minimum one after the other, so ``k`` of them reach every total from ``k`` times
    the minimum to their maximum. So a total is possible when it is not above the maximum of at most as many runs as
    fit into it. For the maximum one run in each block is enough.
    """
    runs = len(blocks(segments))
    if task.min_run:
        runs = min(runs, task.duration // task.min_run)
    if task.max_runs:
        runs = min(runs, task.max_runs)
    return min(task.duration, Places(segments, length, task).longest(runs))


def _fill(segments: list[Segment], task: Task) -> list[Span] | None:
    """Return the cheapest time without regard to constraints, if only one way to take it is the best.

    Everything cheaper than some price is taken whole, and of the segments with that price as much as is missing. If
    there is one such segment (or all of them are needed) nothing is left to choose but the side of the rest.
    """
    missing = task.duration
    marginal = 0
    level: list[Segment] = []
    for segment in sorted(segments, key=lambda segment: segment[2]):
        if level and segment[2] != marginal:
            missing -= sum(end - start for start, end, _ in level)
            level = []
            if missing <= 0:
                break
        marginal = segment[2]
        level.append(segment)
    else:
        missing -= sum(end - start for start, end, _ in level)
    surplus = -missing
    level = [segment for segment in segments if segment[2] == marginal]
    taken = [segment[:2] for segment in segments if segment[2] <= marginal]
    if surplus > 0:
        if len(level) > 1:
            return None
        start, end, _ = level[0]
        index = taken.index((start, end))
        before = index > 0 and taken[index - 1][1] == start
        after = index + 1 < len(taken) and taken[index + 1][0] == end
        at_the_end = after if before != after else task.late
        taken[index] = (start + surplus, end) if at_the_end else (start, end - surplus)
    return _merged(taken)


def _merged(spans: list[Span]) -> list[Span]:
    result: list[Span] = []
    for start, end in spans:
        if result and result[-1][1] == start:
            result[-1] = (result[-1][0], end)
        else:
            result.append((start, end))
    return result
