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
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from math import gcd
from operator import add, mul, neg

from .plan_line import Line
from .plan_task import Segment, Span, Task, blocks


class Places:
    """The instants at which runs of an optimal plan may start and end, what it costs to get there, and how long it may take.

    ``line`` are the anchored ones, ``boundaries`` those of them where the price changes. The floating ones are many
    and hardly ever of use; they are laid out (``refined``) where they may be.
    """

    def __init__(self, segments: list[Segment], length: int, task: Task) -> None:
        """Lay out the anchored places and what it costs to get from one to the next."""
        self.task = task
        self.grid = grid = _grid(segments, length, task)
        self._length = length
        self._segments = segments
        self._starts = [start for start, _, _ in segments]
        stretches = blocks(segments)
        self._blocks = [(block[0][0], block[-1][1]) for block in stretches]
        # One number holds the three objectives: cost, then runs, then preference. A run ends at every second place
        # at most.
        self.run = 4 * length * length + 1
        # More than the preference of a plan, less than a run.
        self.slack = 3 * length * length
        number = len(grid.anchored) + len(grid.floating)
        size = (length // grid.step + 1) * number + len(segments)
        self.scale = scale = self.run * (size + 1)
        # What it costs to run from the window's start on, where every price is the one of the segment.
        self._bases: list[int] = []
        at: list[int] = []
        linked: list[bool] = []
        potential: list[int] = []
        value = 0
        for block in stretches:
            places = _places(block[0][0], block[-1][1], grid, grid.anchored)
            index = 0
            for start, end, price in block:
                final = bisect_left(places, end, index)
                price *= scale
                base = value - price * start
                self._bases.append(base)
                potential += [base + price * place for place in places[index:final]]
                value += price * (end - start)
                index = final
            potential.append(value)
            at += places
            linked += [True] * (len(places) - 1) + [False]
        if task.late:
            left = [length - place for place in at]
            preferences = map(mul, left, map(neg, left), strict=False)
        else:
            preferences = map(mul, at, at, strict=False)
        potential = list(map(add, potential, preferences, strict=False))
        period = len(grid.anchored), grid.step
        self.line = Line(at, potential, linked, task, period)
        kept = sorted({edge for start, end, _ in segments for edge in (start, end)})
        self.boundaries = self.line.only(map(bisect_left, repeat(at), kept))
        self.prices = sorted((price, end - start) for start, end, price in segments)
        # A duration dearer than everything together is taken as far as it goes.
        dearest = max(abs(self.prices[0][0]), abs(self.prices[-1][0]))
        self.endless = 2 * scale * (at[-1] + 1) * (1 + dearest)

    def potential(self, place: int) -> int:
        """Return what a run up to an instant costs, up to what it would cost up to its start."""
        index = bisect_right(self._starts, place) - 1
        cost = self._bases[index] + self._segments[index][2] * self.scale * place
        if self.task.late:
            return cost - (self._length - place) ** 2
        return cost + place * place

    def block(self, start: int) -> Span:
        """Return the stretch without a gap in which a run starts."""
        return self._blocks[bisect_right(self._blocks, (start, self._length)) - 1]

    def refined(self, kept: Iterable[int], gaps: Iterable[int]) -> Line:
        """Return some of the anchored places, and the floating ones that follow to some of them."""
        line = self.line
        if not self.grid.floating:
            return line.only(kept)
        places = [(line.at[i], line.potential[i], line.linked[i]) for i in kept]
        places += [
            (place, self.potential(place), True)
            for index in gaps
            for place in _places(
                line.at[index], line.at[index + 1], self.grid, self.grid.floating
            )
        ]
        places.sort()
        at, potential, linked = map(list, zip(*places, strict=True))
        return Line(at, potential, linked, self.task)

    def longest(self, runs: int) -> int:
        """Return the longest total that a number of runs can have."""
        line = self.line
        still = Line(line.at, [0] * line.size, line.linked, self.task)
        return -still.bound(1, 0, runs).layers[-1].idle[0]

    def marginal(self, duration: int) -> int:
        """Return the worth of time at which the cheapest adds up to a duration; endless when there is not so much."""
        missing = duration
        for price, length in self.prices:
            missing -= length
            if missing <= 0:
                return price * self.scale
        return self.endless


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where places are: an instant, a step, and the remainders (from the instant, by the step) that they have.

    ``starts`` says with which remainders a run may start, by the remainder of the duration that is behind.
    """

    origin: int
    step: int
    anchored: frozenset[int]
    floating: frozenset[int]
    starts: dict[int, set[int]]

    @property
    def apart(self) -> int:
        """Return how far a floating place is from an anchored one at least; 0 when there are none."""
        return min(
            (
                min((one - two) % self.step, (two - one) % self.step)
                for one in self.floating
                for two in self.anchored
            ),
            default=0,
        )


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
    anchored = {0, start, end}
    floating = {
        sign * (asked + one - two) % step
        for one in (0, start)
        for two in (0, end)
        for sign in (1, -1)
    }
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
        frozenset(anchored),
        frozenset(floating - anchored),
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
