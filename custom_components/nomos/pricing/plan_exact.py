"""The least cost of runs of exactly one total duration: every duration at once, place by place.

A dynamic programme over the places that come into question, the numbers of runs left, and all durations that can lie
behind. Durations that differ by a multiple of the grid's step stand next to each other in a band, so that a whole
band moves with each operation. While a run goes, its duration less the place stays the same, and so does its band.
What the bounds promise to be no better than the plan known already is cut off from both ends of a band.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from .plan_line import Bound, Line
from .plan_places import Places
from .plan_task import Span

_FAR: Final = 1 << 256

type _Band = tuple[int, list[int]]
"""Least costs of neighbouring durations, from some multiple of the step on."""
type _Bands = dict[int, _Band]
"""Bands by the remainder of the duration by the step."""
type _Promise = list[tuple[int, int]]
"""Worths of the missing duration, and what is to come besides."""


class Exact:
    """The dynamic programme, and the way back through it."""

    def __init__(self, places: Places, line: Line, bounds: list[Bound]) -> None:
        """Take the places that come into question, and bounds of what is to come from there on."""
        self._task, self._grid, self._run = places.task, places.grid, places.run
        self._line = line
        self._bounds = bounds
        layers = len(bounds[0].layers)
        self._limited = layers > 1
        # By the number of runs left: what a run may start with at a place, and what a run that ends there leaves.
        self._before: list[dict[int, _Bands]] = [{} for _ in range(layers)]
        self._behind: list[dict[int, _Bands]] = [{} for _ in range(layers)]

    def solve(self, starts: list[list[int]], most: int | None) -> list[Span] | None:
        """Return the runs of the optimum, if it costs less than most; starts are by the number of runs left."""
        found: tuple[int, int] | None = None
        most = _FAR if most is None else most
        arriving: dict[int, _Bands] = {0: {0: (0, [0])}}
        for left in range(len(starts) - 1, self._limited - 1, -1):
            fewer = left - self._limited
            leaving: dict[int, _Bands] = {} if self._limited else arriving
            for place, cost in self._sweep(left, starts, arriving, leaving, most):
                if cost < most:
                    most = cost
                    found = left, place
            if not self._limited or not fewer:
                break
            arriving = leaving
        return None if found is None else self._path(*found, most)

    def _sweep(
        self,
        left: int,
        starts: list[list[int]],
        arriving: dict[int, _Bands],
        leaving: dict[int, _Bands],
        most: int,
    ) -> Iterator[tuple[int, int]]:
        """Pass all places with a number of runs left; yield where the duration asked is reached, at what cost."""
        line, task = self._line, self._task
        at, potential = line.at, line.potential
        step, origin, allowed = self._grid.step, self._grid.origin, self._grid.starts
        asked = task.duration
        fewer = left - self._limited
        layers = [(bound.worth, bound.layers[left]) for bound in self._bounds]
        later = [(bound.worth, bound.layers[fewer].idle) for bound in self._bounds]
        may_start = set(starts[left])
        before, behind = self._before[left], self._behind[left]
        more = fewer or not self._limited
        idle: _Bands = {}
        going: _Bands = {}
        begun: dict[int, _Bands] = defaultdict(dict)
        for index, place in enumerate(at):
            for rest, band in arriving.get(index, {}).items():
                idle[rest] = _least(idle.get(rest), band)
            if idle and index in may_start:
                promise = [(worth, layer.idle[index]) for worth, layer in layers]
                for rest in list(idle):
                    if (band := self._cut(idle[rest], rest, promise, most))[1]:
                        idle[rest] = band
                    else:
                        del idle[rest]
                before[index] = idle.copy()
                cost = self._run - potential[index]
                for rest, (low, values) in idle.items():
                    if (place - origin) % step not in allowed[rest]:
                        continue
                    moved, rest_then = divmod(rest - place, step)
                    runs = begun[line.first_end[index]]
                    runs[rest_then] = _least(
                        runs.get(rest_then),
                        (low + moved, [value + cost for value in values]),
                    )
            for rest, band in begun.pop(index, {}).items():
                going[rest] = _least(going.get(rest), band)
            if not going:
                continue
            promise = [
                (worth, layer.ending[index] + worth * place) for worth, layer in layers
            ]
            value_here = potential[index]
            for rest in list(going):
                moved, total_rest = divmod(rest + place, step)
                low, values = self._cut(going[rest], rest + place, promise, most)
                # A run that is too long by now stays so.
                final = (asked - total_rest) // step - moved
                if low + len(values) > final + 1:
                    values = values[: max(final + 1 - low, 0)]
                if not values:
                    del going[rest]
                    continue
                going[rest] = low, values
                if (asked - total_rest) % step == 0 and low + len(values) == final + 1:
                    yield index, values[-1] + value_here
                if not more or total_rest not in allowed:
                    continue
                band = low + moved, [value + value_here for value in values]
                after = line.next_start[index]
                if after >= line.size:
                    continue
                band = self._cut(
                    band,
                    total_rest,
                    [(worth, rest_of[after]) for worth, rest_of in later],
                    most,
                    max(task.min_run, 1),
                )
                if band[1]:
                    behind.setdefault(index, {})[total_rest] = band
                    bands = leaving.setdefault(after, {})
                    bands[total_rest] = _least(bands.get(total_rest), band)
            if line.last[index] == index:
                going = {}

    def _cut(
        self, band: _Band, rest: int, promise: _Promise, most: int, missing: int = 0
    ) -> _Band:
        """Return a band without the durations at its ends that cannot lead to a better plan."""
        low, values = band
        step, asked = self._grid.step, self._task.duration
        first, end = 0, len(values)
        lacking = asked - rest - step * low
        end = min(end, (lacking - missing) // step + 1) if missing else end
        while first < end:
            lack = lacking - step * first
            if values[first] + max([w * lack + more for w, more in promise]) < most:
                break
            first += 1
        while first < end:
            lack = lacking - step * (end - 1)
            if values[end - 1] + max([w * lack + more for w, more in promise]) < most:
                break
            end -= 1
        return low + first, values[first:end] if end > first else []

    def _path(self, left: int, end: int, cost: int) -> list[Span]:
        """Return the runs that lead to an end at a cost, by looking for where the costs add up."""
        line, step, grid = self._line, self._grid.step, self._grid
        at, potential = line.at, line.potential
        total = self._task.duration
        runs: list[Span] = []
        while True:
            paid = cost - potential[end] - self._run
            start, rest = next(
                (start, rest)
                for start, idle in reversed(self._before[left].items())
                if start < end
                and line.last[start] == line.last[end]
                and line.first_end[start] <= end
                for rest in idle
                if (at[start] - grid.origin) % step in grid.starts[rest]
                and _value(idle, rest, total - at[end] + at[start], step)
                == paid + potential[start]
            )
            runs.append((at[start], at[end]))
            total -= at[end] - at[start]
            cost = paid + potential[start]
            if not total:
                return runs[::-1]
            left += self._limited
            end = next(
                end
                for end, ended in reversed(self._behind[left].items())
                if line.next_start[end] <= start
                and _value(ended, rest, total, step) == cost
            )


def _least(one: _Band | None, two: _Band) -> _Band:
    """Return the least of two bands at each duration."""
    if one is None or not one[1]:
        return two
    (low, values), (other_low, others) = one, two
    if not others:
        return one
    if other_low < low:
        low, values, other_low, others = other_low, others, low, values
    begin = other_low - low
    gap = begin - len(values)
    if gap > 0:
        # What lies between is out of reach.
        values = values + [_FAR] * gap
    both = list(map(min, values[begin:], others, strict=False))
    return low, [
        *values[:begin],
        *both,
        *values[begin + len(both) :],
        *others[len(both) :],
    ]


def _value(bands: _Bands, rest: int, total: int, step: int) -> int | None:
    """Return the cost of a duration."""
    if rest not in bands:
        return None
    low, values = bands[rest]
    index, other = divmod(total - rest, step)
    return values[index - low] if not other and 0 <= index - low < len(values) else None
