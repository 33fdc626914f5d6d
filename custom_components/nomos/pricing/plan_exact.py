"""The least cost of runs of exactly one total duration: every duration at once, place by place.

A dynamic programme over the places that come into question, the numbers of runs left, and all durations that can lie
behind. Durations that differ by a multiple of the grid's step stand next to each other in a band, so that a whole
band moves with each operation. While a run goes, its duration less the place stays the same, and so does its band.
What the bounds promise to be no better than the plan known already is cut off from both ends of a band.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from .plan_line import Bound, Layer, Line
from .plan_places import Places
from .plan_task import Span

_FAR: Final = 1 << 256
_SELDOM: Final = 4
"""At every how many places what stands there is cut; it is cut anyway when a run begins or ends."""

type _Band = tuple[int, list[int]]
"""Least costs of neighbouring durations, from some multiple of the step on."""
type _Bands = dict[int, _Band]
"""Bands by the remainder of the duration by the step."""
type _Arrival = tuple[int, int, _Band]
"""From which place on a band counts, the remainder of its durations, and the band."""
type _Layers = list[tuple[int, Layer]]
"""With some number of runs left, by the worth of the duration."""
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
        # What a plan has to cost less than to be better, and where the last run of the best one ends.
        self._most = _FAR
        self._found: tuple[int, int] | None = None
        # By the number of runs left: what a run may start with at a place, and what a run that ends there leaves.
        self._before: list[dict[int, _Bands]] = [{} for _ in range(layers)]
        self._behind: list[dict[int, _Bands]] = [{} for _ in range(layers)]

    def solve(self, most: int | None) -> list[Span] | None:
        """Return the runs of the optimum, if it costs less than most."""
        self._most = _FAR if most is None else most
        arriving: list[_Arrival] = [(0, 0, (0, [0]))]
        top = len(self._bounds[0].layers) - 1
        for left in range(top, self._limited - 1, -1):
            leaving: list[_Arrival] = [] if self._limited else arriving
            self._sweep(left, arriving, leaving)
            arriving = leaving
        return None if self._found is None else self._path(*self._found, self._most)

    def _starts(self, left: int) -> set[int]:
        """Return where a run may start with a number of runs left in a plan that is better."""
        line = self._line
        starts = [index for index, end in enumerate(line.first_end) if end]
        for bound, gap in self._gaps():
            layer, potential = bound.layers[left], bound.potential
            idle, ending = layer.idle, layer.ending
            gap -= self._run
            starts = [
                index
                for index in starts
                if ending[line.first_end[index]] - potential[index] - idle[index] < gap
            ]
        return set(starts)

    def _ends(self, left: int) -> set[int]:
        """Return where a run may end that had a number of runs left in a plan that is better."""
        after = self._line.next_start
        ends: Iterable[int] = range(self._line.size)
        for bound, gap in self._gaps():
            ending, potential = bound.layers[left].ending, bound.potential
            idle = bound.layers[left - self._limited].idle
            ends = [
                index
                for index in ends
                if potential[index] + idle[after[index]] - ending[index] < gap
            ]
        return set(ends)

    def _gaps(self) -> Iterator[tuple[Bound, int]]:
        """Yield by how much a plan may be dearer than each bound and still be better."""
        for bound in self._bounds:
            worth = bound.worth * self._task.duration
            yield bound, self._most - bound.layers[-1].idle[0] - worth

    def _sweep(
        self, left: int, arriving: list[_Arrival], leaving: list[_Arrival]
    ) -> None:
        """Pass the places with a number of runs left: runs begin with what arrives, and leave what they end with."""
        line = self._line
        at, last = line.at, line.last
        fewer = left - self._limited
        layers = [(bound.worth, bound.layers[left]) for bound in self._bounds]
        later = [(bound.worth, bound.layers[fewer].idle) for bound in self._bounds]
        starts, ends = self._starts(left), self._ends(left)
        before = self._before[left]
        idle: _Bands = {}
        going: _Bands = {}
        # In the order of the places at which they arrive; a run can end first at the place that is named.
        begun: list[_Arrival] = []
        arrived = merged = 0
        block = -1
        for index in sorted(starts | ends):
            place = at[index]
            if index in starts:
                while arrived < len(arriving) and arriving[arrived][0] <= index:
                    _, rest, band = arriving[arrived]
                    idle[rest] = _least(idle.get(rest), band)
                    arrived += 1
                if idle and not index % _SELDOM:
                    promise = [(worth, layer.idle[index]) for worth, layer in layers]
                    self._cut_all(idle, 0, promise)
                if idle:
                    before[index] = idle.copy()
                    self._begin(idle, index, layers, begun)
            if index not in ends:
                continue
            if last[index] != block:
                block = last[index]
                going = {}
            while merged < len(begun) and begun[merged][0] <= index:
                end, rest, band = begun[merged]
                if last[end] == block:
                    going[rest] = _least(going.get(rest), band)
                merged += 1
            if going:
                if not index % _SELDOM:
                    self._cut_all(going, place, _ending(layers, index, place))
                self._stop(going, index, left, later, leaving)

    def _stop(
        self,
        going: _Bands,
        index: int,
        left: int,
        later: list[tuple[int, list[int]]],
        leaving: list[_Arrival],
    ) -> None:
        """Let runs end at a place; note where the duration asked is reached, and with what another run may begin."""
        line, step, asked = self._line, self._grid.step, self._task.duration
        place, cost = line.at[index], line.potential[index]
        after = line.next_start[index]
        another = after < line.size and (left > 1 or not self._limited)
        promise = [(worth, idle[after]) for worth, idle in later]
        for rest, (low, values) in list(going.items()):
            moved, total_rest = divmod(rest + place, step)
            # A run that is too long by now stays so.
            final = (asked - total_rest) // step - moved
            if low + len(values) > final + 1:
                values = values[: max(final + 1 - low, 0)]
                going[rest] = low, values
            if not values:
                del going[rest]
                continue
            if (asked - total_rest) % step == 0 and low + len(values) == final + 1:
                if (total_cost := values[-1] + cost) < self._most:
                    self._most = total_cost
                    self._found = left, index
            if not another or total_rest not in self._grid.starts:
                continue
            least = max(self._task.min_run, 1)
            band = self._cut((low + moved, values), total_rest, promise, cost, least)
            if band[1]:
                self._behind[left].setdefault(index, {})[total_rest] = band
                leaving.append((after, total_rest, band))

    def _begin(
        self,
        idle: _Bands,
        index: int,
        layers: _Layers,
        begun: list[_Arrival],
    ) -> None:
        """Let runs begin at a place, as far as they may and as it can lead to a better plan."""
        at, step = self._line.at, self._grid.step
        end = self._line.first_end[index]
        place, cost = at[index], self._run - self._line.potential[index]
        remainder = (place - self._grid.origin) % step
        promise = _ending(layers, end, at[end])
        for rest, (low, values) in idle.items():
            if remainder in self._grid.starts[rest]:
                moved, going = divmod(rest - place, step)
                band = self._cut((low + moved, values), going + at[end], promise, cost)
                if band[1]:
                    begun.append((end, going, band))

    def _cut_all(self, bands: _Bands, place: int, promise: _Promise) -> None:
        """Cut what cannot lead to a better plan off all bands; the place is what their durations lack."""
        for rest in list(bands):
            if (band := self._cut(bands[rest], rest + place, promise))[1]:
                bands[rest] = band
            else:
                del bands[rest]

    def _cut(
        self, band: _Band, rest: int, promise: _Promise, cost: int = 0, missing: int = 0
    ) -> _Band:
        """Return a band that costs more, without the durations at its ends that cannot lead to a better plan then."""
        low, values = band
        step, most = self._grid.step, self._most - cost
        first, end = 0, len(values)
        lacking = self._task.duration - rest - step * low
        if missing:
            end = min(end, (lacking - missing) // step + 1)
        for worth, more in promise:
            less, off = most - more - worth * lacking, worth * step
            while first < end and values[first] - off * first >= less:
                first += 1
            while first < end and values[end - 1] - off * (end - 1) >= less:
                end -= 1
        if first >= end:
            return low, []
        values = values[first:end]
        return low + first, [value + cost for value in values] if cost else values

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


def _ending(layers: _Layers, index: int, place: int) -> _Promise:
    """Return what is promised to runs that can end at a place."""
    return [(worth, layer.ending[index] + worth * place) for worth, layer in layers]


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
