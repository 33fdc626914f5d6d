"""Interruptible runs: where they may start and end in an optimal plan, and the search for it.

The objective is lexicographic: cost, then number of runs, then preference: the sum over all
runs of ``end² - start²``, twice the integral of the time over the runs, which is small when runs are early. Call
starts and ends of runs edges. Take an optimum and call two neighbouring edges tied when a run is exactly ``min_run``
long or a pause exactly ``min_pause``. Edges tied to each other form a chain; ends and starts alternate in it. A chain
is anchored when one of its edges lies on a boundary. Suppose one or more chains are not; such chains can be moved a
little to and fro without meeting a constraint.

- A floating chain with as many starts as ends can be moved without changing the total duration. Its cost is linear in
  the shift, so it must be constant (it is an optimum), while the preference changes at a rate other than zero (twice
  the sum of its runs, or of its pauses). So some shift is better: a contradiction.
- Two floating chains that each have one end more or one start more can be moved against or with each other so that
  the total duration is kept. Again cost is linear and so must be constant. The preference changes at a rate of twice
  the difference between the chains' alternating sums of edges, each of which lies between the chain's first and last
  edge, and all edges of one chain come before all edges of the other: it is not zero. A contradiction.

So at most one chain floats, and its place follows from the total duration. Let ``q`` divide the distances between
all boundaries inside the window, the minimum run and the minimum pause. Modulo ``q``, anchored edges are where the
boundaries, the window's start ``a`` or its end ``b`` are, and the total duration ``d`` fixes the floating edges at
plus or minus (``d``, plus ``a`` or not, minus ``b`` or not): the window's start can be an edge only as a start, its
end only as an end. ``Places`` are all instants with one of these few remainders. Some optimum, and the same
for preference, has all its edges there; and every place plus a minimum run or pause is a place again.

On the places the problem is a shortest path with an exact total duration. ``Places.bound`` solves it with the
duration priced instead of prescribed (Lagrange): a linear pass. The price of the duration is tuned by secants. When
its solution has the duration that is asked, it is the optimum. Otherwise the values
at all prices tried are lower bounds of what is still to come, and a best-first search (A*) with the highest of them
ends at the optimum; it visits only what the bounds cannot exclude. The same reasoning about remainders says which
durations can lie behind a pause, and where a run may start then (``_Grid.starts``).
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from math import gcd
from typing import Final

type Segment = tuple[int, int, int]
"""Start, end and price of a stretch in which the load may run."""
type Span = tuple[int, int]

_SECANTS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An interruptible load: its total duration and how its runs may look."""

    duration: int
    min_run: int = 0
    min_pause: int = 0
    max_runs: int | None = None
    late: bool = False

    def allows(self, runs: list[Span]) -> bool:
        """Return whether runs respect the minimum run, the minimum pause and the number of runs."""
        return (
            (self.max_runs is None or len(runs) <= self.max_runs)
            and all(end - start >= self.min_run for start, end in runs)
            and all(two[0] - one[1] >= self.min_pause for one, two in pairwise(runs))
        )


def joined(segments: list[Segment]) -> list[Segment]:
    """Return sorted segments with neighbours of the same price made one."""
    result: list[Segment] = []
    for start, end, price in segments:
        if result and result[-1][1] == start and result[-1][2] == price:
            result[-1] = (result[-1][0], end, price)
        else:
            result.append((start, end, price))
    return result


def blocks(segments: list[Segment]) -> list[list[Segment]]:
    """Return the segments grouped into stretches without a gap."""
    result: list[list[Segment]] = []
    for segment in segments:
        if result and result[-1][-1][1] == segment[0]:
            result[-1].append(segment)
        else:
            result.append([segment])
    return result


@dataclass(frozen=True, slots=True)
class _Layer:
    """The least that is still to come, when the duration is priced.

    ``idle[i]``: from place ``i`` on with no run going. ``ending[i]``: the value (up to the potential at the run's
    start) of ending a run that can end at place ``i`` there or later.
    """

    idle: list[int]
    ending: list[int]


@dataclass(frozen=True, slots=True)
class _Bound:
    """Lower bounds of what is to come, at some worth of the duration; by the number of runs left."""

    worth: int
    potential: list[int]
    layers: list[_Layer]


class Places:
    """The instants at which runs of an optimal plan may start and end, and the searches over them."""

    def __init__(self, segments: list[Segment], length: int, task: Task) -> None:
        """Lay out the places and what it costs to get from one to the next."""
        self.task = task
        self.at: list[int] = []
        self.linked: list[bool] = []
        self.potential: list[int] = []
        # One number holds the three objectives: cost, then runs, then preference.
        self.grid = _grid(segments, length, task)
        found = [
            _places(block[0][0], block[-1][1], self.grid) for block in blocks(segments)
        ]
        self.size = sum(len(places) for places in found)
        run = length * length + 1
        scale = run * (self.size + 1)
        value = 0
        for block, places in zip(blocks(segments), found, strict=True):
            index = 0
            for before, place in pairwise([places[0], *places]):
                if before >= block[index][1]:
                    index += 1
                value += (place - before) * block[index][2] * scale
                self.potential.append(value + _preference(place, length, task))
            self.at += places
            self.linked += [True] * (len(places) - 1) + [False]
        self.run = run
        self.scale = scale
        self.first_end = self._first_ends()
        self.next_start = [
            max(bisect_left(self.at, place + task.min_pause), index + 1)
            for index, place in enumerate(self.at)
        ]
        self.room = [0] * (self.size + 1)
        for index in range(self.size - 2, -1, -1):
            step = self.at[index + 1] - self.at[index] if self.linked[index] else 0
            self.room[index] = self.room[index + 1] + step
        self.prices = sorted((price, end - start) for start, end, price in segments)

    def _first_ends(self) -> list[int]:
        """Return for each place where a run from there can end first; 0 if its block is too short."""
        result = [0] * self.size
        last = 0
        for index in range(self.size - 1, -1, -1):
            if not self.linked[index]:
                last = index
            end = max(
                bisect_left(self.at, self.at[index] + self.task.min_run), index + 1
            )
            result[index] = end if end <= last else 0
        return result

    def longest(self, runs: int) -> int:
        """Return the longest total that a number of runs can have."""
        return -self.bound([-place for place in self.at], 0, runs)[-1].idle[0]

    def bound(self, potential: list[int], run: int, runs: int | None) -> list[_Layer]:
        """Return the least that is to come with 0, 1, 2, … runs left; with any number of runs a single layer."""
        if runs is None:
            return [self._layer(potential, run, None)]
        layers = [_Layer([0] * (self.size + 1), [])]
        for _ in range(runs):
            layers.append(self._layer(potential, run, layers[-1].idle))
        return layers

    def _layer(self, potential: list[int], run: int, after: list[int] | None) -> _Layer:
        idle = [0] * (self.size + 1)
        if after is None:
            after = idle
        ending = [0] * self.size
        for index in range(self.size - 1, -1, -1):
            value = potential[index]
            best = value + after[self.next_start[index]]
            if self.linked[index] and ending[index + 1] < best:
                best = ending[index + 1]
            ending[index] = best
            least = idle[index + 1]
            if (end := self.first_end[index]) and (
                started := run - value + ending[end]
            ) < least:
                least = started
            idle[index] = least
        return _Layer(idle, ending)

    def _trace(self, bound: _Bound) -> list[Span]:
        """Return the runs (as indices of places) that attain a bound."""
        layers, potential = bound.layers, bound.potential
        runs: list[Span] = []
        left = len(layers) - 1
        index = 0
        while index < self.size:
            layer = layers[left]
            if layer.idle[index] == layer.idle[index + 1]:
                index += 1
                continue
            after = layers[max(left - 1, 0)].idle
            end = self.first_end[index]
            while layer.ending[end] != potential[end] + after[self.next_start[end]]:
                end += 1
            runs.append((index, end))
            left = max(left - 1, 0)
            index = self.next_start[end]
        return runs

    def solve(self, max_runs: int | None) -> list[Span]:
        """Return the optimum for exactly the duration of the task, which has to be possible."""
        asked = self.task.duration
        # A duration dearer than everything together is taken as far as it goes.
        endless = (
            2
            * self.scale
            * (self.at[-1] + 1)
            * (1 + max(abs(self.prices[0][0]), abs(self.prices[-1][0])))
        )
        low = (0, 0)
        high: Span | None = None
        worth = self._marginal() * self.scale
        bounds: list[_Bound] = []
        for _ in range(_SECANTS):
            bound = self._bound(worth, max_runs)
            bounds.append(bound)
            runs = self._trace(bound)
            total = sum(self.at[end] - self.at[start] for start, end in runs)
            if total == asked:
                return [(self.at[start], self.at[end]) for start, end in runs]
            cost = len(runs) * self.run + sum(
                self.potential[end] - self.potential[start] for start, end in runs
            )
            if total < asked:
                if total == low[0] and low[0]:
                    break
                low = total, cost
            else:
                if high and total == high[0]:
                    break
                high = total, cost
            worth = (high[1] - low[1]) // (high[0] - low[0]) if high else endless
        return self._search(bounds, limited=max_runs is not None)

    def _bound(self, worth: int, runs: int | None) -> _Bound:
        potential = [
            value - worth * place
            for value, place in zip(self.potential, self.at, strict=True)
        ]
        return _Bound(worth, potential, self.bound(potential, self.run, runs))

    def _marginal(self) -> int:
        """Return the price at which the cheapest time adds up to the duration."""
        missing = self.task.duration
        for price, length in self.prices:
            missing -= length
            if missing <= 0:
                return price
        return self.prices[-1][0]

    def _search(self, bounds: list[_Bound], *, limited: bool) -> list[Span]:
        """Return the optimum by a best-first search.

        A state is a place, the duration so far, the number of runs left, and whether a run is going. What is to come
        costs no less than any of the bounds says, so the highest one counts.
        """
        at, asked, potential = self.at, self.task.duration, self.potential
        starts, step = self.grid.starts, self.grid.step
        remainders = [(place - self.grid.origin) % step for place in at]
        pausing, going = _tables(bounds)
        origin: _State = (0, 0, len(pausing) - 1, False)
        parents: dict[_State, _State] = {}
        heap = [(0, 0, origin, origin)]

        def reach(index: int, total: int, left: int, runs: bool, cost: int) -> None:
            if (reached := (index, total, left, runs)) in parents:
                return
            missing = asked - total
            promise = cost
            if missing:
                table = going[left] if runs else pausing[left]
                promise += max(
                    [worth * missing + values[index] for worth, values in table]
                )
            heappush(heap, (promise, cost, reached, state))

        while heap:
            _, paid, state, parent = heappop(heap)
            if state in parents:
                continue
            parents[state] = parent
            index, total, left, runs = state
            if total == asked:
                return self._path(parents, state)
            if runs:
                if self.linked[index]:
                    longer = total + at[index + 1] - at[index]
                    if longer <= asked:
                        cost = paid + potential[index + 1] - potential[index]
                        reach(index + 1, longer, left, True, cost)
                after = self.next_start[index]
                if (
                    (left > 1 or not limited)
                    and self.task.min_run <= asked - total <= self.room[after]
                    and total % step in starts
                ):
                    reach(after, total, left - limited, False, paid)
                continue
            if asked - total <= self.room[index + 1]:
                reach(index + 1, total, left, False, paid)
            end = self.first_end[index]
            if end and remainders[index] in starts[total % step]:
                longer = total + at[end] - at[index]
                if longer <= asked:
                    cost = paid + self.run + potential[end] - potential[index]
                    reach(end, longer, left, True, cost)
        raise AssertionError("A duration that is possible has a plan")

    def _path(self, parents: dict[_State, _State], state: _State) -> list[Span]:
        """Return the runs on the way to a state in which the last one ends."""
        runs: list[Span] = []
        end = state[0]
        while (before := parents[state]) != state:
            if state[3] and not before[3]:
                runs.append((self.at[before[0]], self.at[end]))
            elif before[3] and not state[3]:
                end = before[0]
            state = before
        return runs[::-1]


type _State = tuple[int, int, int, bool]
type _Table = list[tuple[int, list[int]]]


def _tables(bounds: list[_Bound]) -> tuple[list[_Table], list[_Table]]:
    """Return the bounds by the number of runs left, without a run and with one going: pairs of worth and values."""
    pausing: list[_Table] = [[] for _ in bounds[0].layers]
    going: list[_Table] = [[] for _ in bounds[0].layers]
    for bound in bounds:
        for left, layer in enumerate(bound.layers):
            values = [
                value - start
                for value, start in zip(layer.ending, bound.potential, strict=False)
            ]
            pausing[left].append((bound.worth, layer.idle))
            going[left].append((bound.worth, values))
    return pausing, going


def _preference(place: int, length: int, task: Task) -> int:
    return -((length - place) ** 2) if task.late else place * place


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where places are: an instant, a step, and the remainders (from the instant, by the step) that they have.

    ``starts`` says with which remainders a run may start, by the remainder of the duration that is behind.
    """

    origin: int
    step: int
    remainders: frozenset[int]
    starts: dict[int, set[int]]


def _grid(segments: list[Segment], length: int, task: Task) -> _Grid:
    inner = sorted(
        {
            boundary
            for start, end, _ in segments
            for boundary in (start, end)
            if 0 < boundary < length
        }
    )
    origin = inner[0] if inner else 0
    step = gcd(task.min_run, task.min_pause, *(place - origin for place in inner))
    step = step or length
    start, end, asked = -origin % step, (length - origin) % step, task.duration
    floating = {asked + one - two for one in (0, start) for two in (0, end)}
    remainders = {0, start, end, *floating, *(-place for place in floating)}
    starts: dict[int, set[int]] = defaultdict(set)
    for behind, places in (
        (0, {0, start, end, -asked, end - asked}),
        (-start, {0, end, -asked - start, end - asked - start}),
        (asked, {0, end, asked, asked + start}),
        (asked - end, {0, end, asked - end, asked + start - end}),
    ):
        starts[behind % step] |= {place % step for place in places}
    return _Grid(
        origin, step, frozenset(place % step for place in remainders), dict(starts)
    )


def _places(start: int, end: int, grid: _Grid) -> list[int]:
    """Return the instants from start to end, both included, that are places."""
    return sorted(
        place
        for remainder in grid.remainders
        for place in range(
            start + (remainder + grid.origin - start) % grid.step, end + 1, grid.step
        )
    )
