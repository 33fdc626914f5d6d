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

On the places the problem is a shortest path with an exact total duration; ``plan_solve`` finds it. The same reasoning
about remainders says which durations can lie behind a pause, and where a run may start then (``_Grid.starts``).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate, pairwise, repeat
from math import gcd
from operator import add, sub

type Segment = tuple[int, int, int]
"""Start, end and price of a stretch in which the load may run."""
type Span = tuple[int, int]


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
class Layer:
    """The least that is still to come, when the duration is priced.

    ``idle[i]``: from place ``i`` on with no run going. ``ending[i]``: the value (up to the potential at the run's
    start) of ending a run that can end at place ``i`` there or later.
    """

    idle: list[int]
    ending: list[int]


@dataclass(frozen=True, slots=True)
class Bound:
    """Lower bounds of what is to come, at some worth of the duration; by the number of runs left."""

    worth: int
    potential: list[int]
    layers: list[Layer]


class Line:
    """Instants in order, what it costs to get from one to the next, and the search with the duration priced."""

    def __init__(
        self,
        at: list[int],
        potential: list[int],
        linked: list[bool],
        task: Task,
        period: tuple[int, int] | None = None,
    ) -> None:
        """Find where runs can end and start again first.

        Within blocks the places may repeat themselves: a number of them in a length.
        """
        self._task = task
        self._period = period
        self.at = at
        self.potential = potential
        self.linked = linked
        self.size = len(at)
        # Where the block of a place ends.
        last: list[int] = []
        for index, following in enumerate(linked):
            if not following:
                last += [index] * (index + 1 - len(last))
        self.last = last
        ends = self._following(task.min_run)
        # Where a run from a place can end first; 0 if its block is too short.
        self.first_end = [
            end if end <= final else 0 for end, final in zip(ends, last, strict=True)
        ]
        self._end_or_none = [end or self.size for end in self.first_end]
        self.next_start = self._following(task.min_pause)

    def _following(self, distance: int) -> list[int]:
        """Return for each place the first that lies after it, and by a distance at least."""
        at, size = self.at, self.size
        if not distance:
            return list(range(1, size + 1))
        if self._period is None:
            return list(
                map(bisect_left, repeat(at), [place + distance for place in at])
            )
        number, length = self._period
        ahead = number * (distance // length)
        found: list[int] = []
        while (index := len(found)) < size:
            final = self.last[index]
            found += range(index + ahead, final + 1)
            found += [
                bisect_left(at, place + distance, final + 1)
                for place in at[len(found) : final + 1]
            ]
        return found

    def only(self, kept: list[int]) -> Line:
        """Return some of the places; the first and the last of each block have to be among them."""
        return Line(
            [self.at[index] for index in kept],
            [self.potential[index] for index in kept],
            [self.linked[index] for index in kept],
            self._task,
        )

    def bound(self, worth: int, run: int, runs: int | None) -> Bound:
        """Return the least that is to come with 0, 1, 2, … runs left; with any number of runs a single layer."""
        potential = [
            value - worth * place
            for value, place in zip(self.potential, self.at, strict=True)
        ]
        if runs is None:
            return Bound(worth, potential, [self._free(potential, run)])
        layers = [Layer([0] * (self.size + 1), [])]
        for _ in range(runs):
            layers.append(self._layer(potential, run, layers[-1].idle))
        return Bound(worth, potential, layers)

    def _free(self, potential: list[int], run: int) -> Layer:
        least = best = 0
        idle = [0] * (self.size + 1)
        ending = [0] * self.size
        index = self.size
        for value, linked, start, end in zip(
            reversed(potential),
            reversed(self.linked),
            reversed(self.next_start),
            reversed(self.first_end),
            strict=True,
        ):
            index -= 1
            stopped = value + idle[start]
            if not linked or stopped < best:
                best = stopped
            ending[index] = best
            if end and (started := run - value + ending[end]) < least:
                least = started
            idle[index] = least
        return Layer(idle, ending)

    def _layer(self, potential: list[int], run: int, after: list[int]) -> Layer:
        follows = map(after.__getitem__, self.next_start)
        stopped = list(map(add, potential, follows, strict=True))
        ending: list[int] = []
        while (index := len(ending)) < self.size:
            part = stopped[index : self.last[index] + 1]
            part.reverse()
            part = list(accumulate(part, min))
            part.reverse()
            ending += part
        # Where no run can end its value is out of reach.
        ending.append(max(potential) + 1)
        ends = map(ending.__getitem__, self._end_or_none)
        started = list(map(sub, ends, potential, strict=True))
        ending.pop()
        started.append(-run)
        started.reverse()
        idle = [value + run for value in accumulate(started, min)]
        idle.reverse()
        return Layer(idle, ending)

    def within(self, bound: Bound, run: int, most: int) -> list[int]:
        """Return the places where runs of a plan may start or end that comes to less than most.

        The bound has to be one for any number of runs. What a plan costs at least that starts or ends a run at some
        place is the least up to there and the least from there on. The first and the last of each block are kept.
        """
        (layer,) = bound.layers
        far = most + 2 * max(map(abs, bound.potential)) - 2 * layer.idle[0]
        begun = [far] * (self.size + 1)
        ended = [far] * (self.size + 1)
        kept: list[int] = []
        least, going, joined = 0, far, False
        for index, value, linked, first, after, idle, ending in zip(
            range(self.size),
            bound.potential,
            self.linked,
            self.first_end,
            self.next_start,
            map(layer.idle.__getitem__, self.next_start),
            map(layer.ending.__getitem__, self.first_end),
            strict=True,
        ):
            keep = not (joined and linked)
            if not joined:
                going = far
            if (here := ended[index]) < least:
                least = here
            if (here := begun[index]) < going:
                going = here
            if (here := going + value) < ended[after]:
                ended[after] = here
            if here + idle < most:
                keep = True
            if first:
                if (here := least + run - value) < begun[first]:
                    begun[first] = here
                if here + ending < most:
                    keep = True
            if keep:
                kept.append(index)
            joined = linked
        return kept

    def trace(self, bound: Bound) -> list[Span]:
        """Return the runs (as indices of places) that attain a bound."""
        layers, potential = bound.layers, bound.potential
        runs: list[Span] = []
        left = len(layers) - 1
        index = 0
        idle = layers[left].idle
        while idle[index]:
            # The values rise: the last one that is the same is where the run starts.
            index = bisect_right(idle, idle[index], index) - 1
            ending = layers[left].ending
            left = max(left - 1, 0)
            idle = layers[left].idle
            end = self.first_end[index]
            while ending[end] != potential[end] + idle[self.next_start[end]]:
                end += 1
            runs.append((index, end))
            index = self.next_start[end]
        return runs

    def total(self, runs: list[Span]) -> int:
        """Return how long runs are together."""
        return sum(self.at[end] - self.at[start] for start, end in runs)

    def cost(self, runs: list[Span], run: int) -> int:
        """Return what runs cost."""
        return len(runs) * run + sum(
            self.potential[end] - self.potential[start] for start, end in runs
        )


class Places:
    """The instants at which runs of an optimal plan may start and end, and the searches over them."""

    def __init__(self, segments: list[Segment], length: int, task: Task) -> None:
        """Lay out the places and what it costs to get from one to the next."""
        self.task = task
        # One number holds the three objectives: cost, then runs, then preference.
        self.grid = grid = _grid(segments, length, task)
        stretches = blocks(segments)
        found = [
            _places(block[0][0], block[-1][1], grid, grid.remainders)
            for block in stretches
        ]
        size = sum(len(places) for places in found)
        self.run = length * length + 1
        self.scale = scale = self.run * (size + 1)
        at: list[int] = []
        linked: list[bool] = []
        potential: list[int] = []
        value = 0
        for block, places in zip(stretches, found, strict=True):
            index = 0
            for start, end, price in block:
                final = bisect_left(places, end, index)
                price *= scale
                base = value - price * start
                potential += [base + price * place for place in places[index:final]]
                value += price * (end - start)
                index = final
            potential.append(value)
            at += places
            linked += [True] * (len(places) - 1) + [False]
        preference = (
            [-((length - place) ** 2) for place in at]
            if task.late
            else [place * place for place in at]
        )
        potential = list(map(add, potential, preference, strict=True))
        period = len(grid.remainders), grid.step
        self.line = Line(at, potential, linked, task, period)
        self.prices = sorted((price, end - start) for start, end, price in segments)
        # A duration dearer than everything together is taken as far as it goes.
        dearest = max(abs(self.prices[0][0]), abs(self.prices[-1][0]))
        self.endless = 2 * scale * (at[-1] + 1) * (1 + dearest)
        self.boundaries = self._boundaries(segments)

    def longest(self, runs: int) -> int:
        """Return the longest total that a number of runs can have."""
        line = self.line
        still = Line(line.at, [0] * line.size, line.linked, self.task)
        return -still.bound(1, 0, runs).layers[-1].idle[0]

    def _boundaries(self, segments: list[Segment]) -> Line:
        """Return the line of the boundaries alone."""
        kept = sorted({edge for start, end, _ in segments for edge in (start, end)})
        return self.line.only(list(map(bisect_left, repeat(self.line.at), kept)))

    def marginal(self, duration: int) -> int:
        """Return the price at which the cheapest time adds up to a duration."""
        missing = duration
        for price, length in self.prices:
            missing -= length
            if missing <= 0:
                return price
        return self.prices[-1][0]


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
        origin,
        step,
        frozenset(place % step for place in remainders),
        dict(starts),
    )


def _places(start: int, end: int, grid: _Grid, remainders: frozenset[int]) -> list[int]:
    """Return the instants from start to end, both included, with certain remainders."""
    places: list[int] = []
    for remainder in remainders:
        first = start + (remainder + grid.origin - start) % grid.step
        places += range(first, end + 1, grid.step)
    places.sort()
    return places
