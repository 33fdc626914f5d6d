"""The least-cost runs of a load: one run at any instant, or several on a grid of equal slots.

All numbers are integers, so that equal costs compare equal. One run: the cost is piecewise linear in its start, and
the optimum is at a bend. Several runs: a dynamic programme over the slots and the time run so far.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Final

type Segment = tuple[int, int, int]
"""Start, end and price of a stretch in which the load may run."""
type Span = tuple[int, int]
"""Start and end of a run."""

_INFINITE: Final = 1 << 200
"""More than any value of a plan."""


def one_run(
    segments: Sequence[Segment], steps: Sequence[tuple[int, int]], *, late: bool
) -> int | None:
    """Return the cheapest start of one run; None if it fits nowhere.

    The cost bends only at a start that puts an edge of a step on a price boundary, so one of those is optimal.
    Segments are sorted; ``steps`` are length and power of the parts of the run, one after the other. Of equally cheap
    starts the earliest is taken, or the latest if it is to be ``late``.
    """
    edges = list(accumulate((length for length, _ in steps), initial=0))
    paid_until = _running_total(segments)

    def cost(start: int) -> tuple[int, int]:
        marks = [paid_until(start + edge) for edge in edges]
        spent = sum(
            power * (after - before)
            for (_, power), (before, after) in zip(steps, pairwise(marks), strict=True)
        )
        return spent, -start if late else start

    candidates: set[int] = set()
    for block in blocks(segments):
        first, last = block[0][0], block[-1][1] - edges[-1]
        boundaries = [first, *(end for _, end, _ in block)]
        starts = {boundary - edge for boundary in boundaries for edge in edges}
        candidates |= {start for start in starts if first <= start <= last}
    return min(candidates, key=cost, default=None)


def blocks(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Return sorted segments, grouped into those without a gap between them."""
    found: list[list[Segment]] = []
    for segment in segments:
        if found and found[-1][-1][1] == segment[0]:
            found[-1].append(segment)
        else:
            found.append([segment])
    return found


def slot_costs(segments: Sequence[Segment], edges: range) -> list[int | None]:
    """Return the cost of running in each slot between edges; None if the load may not run throughout."""
    spent_until = _running_total(segments)
    allowed_until = _running_total([(start, end, 1) for start, end, _ in segments])
    return [
        spent_until(end) - spent_until(start)
        if allowed_until(end) - allowed_until(start) == edges.step
        else None
        for start, end in pairwise(edges)
    ]


def _running_total(segments: Sequence[Segment]) -> Callable[[int], int]:
    """Return a function of an instant: the cost of running in all segments up to it."""
    starts = [start for start, _, _ in segments]
    costs = ((end - start) * price for start, end, price in segments)
    totals = list(accumulate(costs, initial=0))

    def total(at: int) -> int:
        index = bisect_right(starts, at) - 1
        if index < 0:
            return 0
        start, end, price = segments[index]
        return totals[index] + (min(at, end) - start) * price

    return total


def several_runs(
    costs: Sequence[int | None],
    duration: int,
    *,
    min_run: int = 1,
    min_pause: int = 1,
    max_runs: int | None = None,
    late: bool = False,
    running: int = 0,
) -> list[Span]:
    """Return the best runs: as long as possible up to the duration, then cheapest, then fewest, then as preferred.

    ``costs`` are those of running in each slot, None if the load may not run; all lengths are slots. If a load has been
    ``running`` for some slots before the first one, it may go on: as the run from slot 0.
    """
    search = _Search(costs, duration, max(min_run, 1), max(min_pause, 1), late, running)
    runs = search.best(None)
    # Most plans stay within the limit without counting runs, which takes a table for each run.
    ended = bool(running) and not (runs and runs[0][0] == 0)
    if max_runs is not None and len(runs) + ended > max_runs:
        runs = search.best(max_runs)
    return runs


type _Table = list[list[int]]
"""The lowest values of plans, by the slot boundary they have reached and by how many slots they have run."""


class _Search:
    """One search for several runs.

    A value packs cost, number of runs and preference into one integer, most important first.
    """

    def __init__(
        self,
        costs: Sequence[int | None],
        duration: int,
        least: int,
        pause: int,
        late: bool,
        running: int,
    ) -> None:
        size = len(costs)
        a_run = size * size + 1  # more than any preference
        a_cost = a_run * (size + 1)  # more than any number of runs
        order = range(2 * size - 1, 0, -2) if late else range(1, 2 * size, 2)
        self._values = [
            _INFINITE if cost is None else cost * a_cost + preference
            for cost, preference in zip(costs, order, strict=True)
        ]
        until = list(accumulate(self._values, initial=0))
        self._shortest = [
            until[end] - until[end - least] + a_run if end >= least else _INFINITE
            for end in range(size + 1)
        ]
        """The values of runs of minimum length, by the slot boundary at which they end."""
        self._least, self._pause = least, pause
        self._duration = min(duration, sum(cost is not None for cost in costs))
        self._kept: int | None = None
        """How many slots a run in progress must continue to reach the minimum length; None if there is none."""
        if running:
            kept = min(max(least - running, 0), duration, size)
            self._kept = 0 if None in costs[:kept] else kept
            self._kept_value = until[self._kept]
        self._no_runs = [_INFINITE if running else 0, *[_INFINITE] * self._duration]
        """The values of plans that have not run yet."""

    def best(self, limit: int | None) -> list[Span]:
        """Return the best runs; ``limit`` is the largest number of them, None for any."""
        # Table n holds plans with at most n + 1 runs; without a limit, one table holds all plans.
        tables: list[_Table] = []
        rested = None if limit is None else [self._no_runs] * len(self._shortest)
        for _ in range(limit or 1):
            ended, rested = self._table(rested)
            tables.append(ended)
        for total in range(self._duration, 0, -1):
            value, end, layer = min(
                (row[total], end, layer)
                for layer, table in enumerate(tables)
                for end, row in enumerate(table)
            )
            if value < _INFINITE // 2:
                return self._runs(tables, layer, end, total)
        return []

    def _table(self, before: _Table | None) -> tuple[_Table, _Table]:
        """Return the values of plans whose last run ends at a boundary, and of those that may begin a run there.

        ``before`` is the latter for plans with one run fewer; None if runs are not counted.
        """
        least, ended, rested = self._least, list[list[int]](), list[list[int]]()
        for at, shortest in enumerate(self._shortest):
            row = rested[-1] if rested else self._no_runs
            if at >= self._pause:
                row = list(map(min, row, ended[at - self._pause], strict=True))
            rested.append(row)
            row = [_INFINITE] * len(row)
            if at and (cost := self._values[at - 1]) < _INFINITE:
                # A run that ends here was extended by a slot, or has the minimum length.
                row[1:] = [value + cost for value in ended[-1][:-1]]
                if at >= least:
                    begun = (one + shortest for one in (before or rested)[at - least])
                    row[least:] = map(min, row[least:], begun, strict=False)
            if at == self._kept:
                row[at] = self._kept_value
            ended.append(row)
        return ended, rested

    def _runs(
        self, tables: list[_Table], layer: int, end: int, total: int
    ) -> list[Span]:
        """Return the runs that lead to a value, traced back from the last one."""
        runs: list[Span] = []
        while total:
            value, start = tables[layer][end][total], end
            layer = max(layer - 1, 0)
            while (before := self._before(tables[layer], start, total, value)) is None:
                if start == total == self._kept:
                    return [(0, end), *runs]
                # The run was longer by this slot.
                start, total = start - 1, total - 1
                value -= self._values[start]
            runs.insert(0, (start - self._least, end))
            end, total = before, total - self._least
        return runs

    def _before(self, ended: _Table, at: int, total: int, value: int) -> int | None:
        """If a run of minimum length can end at ``at``, return the end of the run before it, 0 if none; else None."""
        rest, value = total - self._least, value - self._shortest[at]
        if rest <= 0:
            return 0 if not (rest or value) else None
        ends = range(at - self._least - self._pause, 0, -1)
        return next((end for end in ends if ended[end][rest] == value), None)
