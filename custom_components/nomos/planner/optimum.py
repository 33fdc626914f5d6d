"""The least-cost runs of a load: one run at any instant, or several on a grid of equal slots.

Whole numbers throughout, so that equal costs are equal. One run: the cost is piecewise linear in its start, and the
optimum is at a bend. Several runs: a dynamic programme over the slots and the time run so far.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

type Segment = tuple[int, int, int]
"""Start, end and price of a stretch in which the load may run."""
type Span = tuple[int, int]
"""Start and end of a run."""

_FAR: Final = 1 << 200
"""More than any value of a plan."""


def one_run(
    segments: Sequence[Segment], steps: Sequence[tuple[int, int]], *, late: bool
) -> int | None:
    """Return the cheapest start of one run; None if it fits nowhere.

    The cost bends only at a start that puts an edge of a step on a boundary of a price, so one of those is optimal.

    Args:
        segments: sorted.
        steps: length and power of the parts of the run, one after the other.
        late: whether the latest of equally cheap starts is taken, instead of the earliest.

    """
    edges = list(accumulate((length for length, _ in steps), initial=0))
    starts = [start for start, _, _ in segments]
    paid = list(accumulate(((b - a) * price for a, b, price in segments), initial=0))

    def paid_until(at: int) -> int:
        index = max(bisect_right(starts, at) - 1, 0)
        start, end, price = segments[index]
        return paid[index] + (min(at, end) - start) * price

    def cost(start: int) -> tuple[int, int]:
        marks = [paid_until(start + edge) for edge in edges]
        spent = sum(
            power * (after - before)
            for (_, power), (before, after) in zip(steps, pairwise(marks), strict=True)
        )
        return spent, -start if late else start

    bends: set[int] = set()
    for block in blocks(segments):
        first, last = block[0][0], block[-1][1] - edges[-1]
        boundaries = [first, *(end for _, end, _ in block)]
        bends |= {
            start
            for boundary in boundaries
            for edge in edges
            if first <= (start := boundary - edge) <= last
        }
    return min(bends, key=cost, default=None)


def several_runs(
    costs: Sequence[int | None],
    duration: int,
    *,
    min_run: int = 1,
    min_pause: int = 1,
    max_runs: int | None = None,
    late: bool = False,
) -> list[Span]:
    """Return the best runs: as long as possible up to the duration, then cheapest, then fewest, then as preferred.

    Args:
        costs: what running costs in each slot; None if the load may not run.
        duration: slots to run in all.
        min_run: the fewest slots of a run.
        min_pause: the fewest slots between two runs.
        max_runs: the largest number of runs.
        late: whether late slots are preferred to early ones.

    """
    search = _Search(costs, duration, max(min_run, 1), max(min_pause, 1), late)
    runs = search.best(limit=None)
    # Most plans need no more runs than are allowed; counting them takes a table for each.
    if max_runs is not None and len(runs) > max_runs:
        runs = search.best(limit=max_runs)
    return runs


class _Search:
    """One search for several runs.

    A value holds cost, number of runs and preference in one integer, most important first. In a table, ``ended[t][d]``
    is the least value of a plan whose last run ends with slot ``t``, after ``d`` slots of running in all.
    """

    def __init__(
        self,
        costs: Sequence[int | None],
        duration: int,
        min_run: int,
        min_pause: int,
        late: bool,
    ) -> None:
        size = len(costs)
        self._size, self._least, self._pause = size, min_run, min_pause
        self._duration = min(duration, sum(cost is not None for cost in costs))
        self._a_run = size * size + 1  # more than any preference
        a_cost = self._a_run * (size + 1)  # more than any number of runs
        order = range(2 * size - 1, 0, -2) if late else range(1, 2 * size, 2)
        self._values = [
            0 if cost is None else cost * a_cost + preference
            for cost, preference in zip(costs, order, strict=True)
        ]
        self._until = list(accumulate(self._values, initial=0))
        self._free_since = list(
            accumulate(
                enumerate(costs, 1),
                lambda since, slot: slot[0] if slot[1] is None else since,
                initial=0,
            )
        )
        """For each boundary, since when the load may run without a break up to it."""
        self._none = [_FAR] * (self._duration + 1)
        self._nothing = [0, *self._none[1:]]

    def best(self, *, limit: int | None) -> list[Span]:
        """Return the best runs, at most as many as a limit."""
        if self._least > self._duration:
            return []
        if limit is None:
            tables = [self._table(None)[0]]
        else:
            tables, before = [], [self._nothing] * (self._size + 1)
            for _ in range(limit):
                table, before = self._table(before)
                tables.append(table)
        for total in range(self._duration, 0, -1):
            value, end, layer = min(
                (row[total], end, layer)
                for layer, table in enumerate(tables)
                for end, row in enumerate(table)
            )
            if value < _FAR // 2:
                return self._runs(tables, layer, end, total, counted=limit is not None)
        return []

    def _table(
        self, before: list[list[int]] | None
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Return the table of ends for runs that may begin after others, and what the next run may begin after.

        Args:
            before: for each boundary the least values with one run less; None if runs are not counted.

        """
        ended: list[list[int]] = []
        rested: list[list[int]] = []
        for at in range(self._size + 1):
            if not at:
                rested.append(self._nothing if before is None else self._none)
            elif at < self._pause:
                rested.append(rested[-1])
            else:
                rested.append(
                    list(map(min, rested[-1], ended[at - self._pause], strict=True))
                )
            ended.append(
                self._ends(at, ended, rested if before is None else before)
                if self._free_since[at] < at
                else self._none
            )
        return ended, rested

    def _ends(
        self, at: int, ended: list[list[int]], before: list[list[int]]
    ) -> list[int]:
        """Return the values of a run that ends at a boundary: it went on for a slot, or is as short as it may be."""
        cost = self._values[at - 1]
        row = [_FAR, *(value + cost for value in ended[-1][:-1])]
        begin, least = at - self._least, self._least
        if begin >= self._free_since[at]:
            cost = self._shortest(begin)
            begun = (value + cost for value in before[begin][: len(row) - least])
            row[least:] = map(min, row[least:], begun, strict=True)
        return row

    def _shortest(self, begin: int) -> int:
        """Return the value of a run of the least length."""
        return self._until[begin + self._least] - self._until[begin] + self._a_run

    def _runs(
        self,
        tables: list[list[list[int]]],
        layer: int,
        end: int,
        total: int,
        *,
        counted: bool,
    ) -> list[Span]:
        """Return the runs that lead to a value, found from the last one back."""
        runs: list[Span] = []
        while total:
            value, start = tables[layer][end][total], end
            layer -= counted
            while (before := self._before(tables, layer, start, total, value)) is None:
                # The run was longer by this slot.
                start, total = start - 1, total - 1
                value -= self._values[start]
            runs.insert(0, (start - self._least, end))
            end, total = before, total - self._least
        return runs

    def _before(
        self, tables: list[list[list[int]]], layer: int, at: int, total: int, value: int
    ) -> int | None:
        """Return when the run before ended if a run as short as it may be ends here; 0 if it is the first."""
        begin, rest = at - self._least, total - self._least
        if rest < 0 or begin < self._free_since[at]:
            return None
        value -= self._shortest(begin)
        if not rest:
            return 0 if not value else None
        ends = range(begin - self._pause, 0, -1)
        return next((end for end in ends if tables[layer][end][rest] == value), None)


def blocks[T: tuple[Any, ...]](stretches: Sequence[T]) -> list[list[T]]:
    """Return sorted stretches, each with its start and end first, grouped into those without a gap between them."""
    found: list[list[T]] = []
    for stretch in stretches:
        if found and found[-1][-1][1] == stretch[0]:
            found[-1].append(stretch)
        else:
            found.append([stretch])
    return found
