"""Instants at which runs may start and end, in order, and the search over them with the duration priced."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, repeat
from operator import add, mul, sub

from .plan_task import Span, Task


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
        self.task = task
        self._period = period
        self.at = at
        self.potential = potential
        self.linked = linked
        self.size = len(at)
        self.last: list[int] = []
        """Where the block of a place ends."""
        while (index := len(self.last)) < self.size:
            final = linked.index(False, index)
            self.last += [final] * (final + 1 - index)
        self.next_start = self._following(task.min_pause)
        self.first_end: list[int] = []
        """Where a run from a place can end first; 0 if its block is too short."""
        self.end_or_none: list[int] = []
        """The same, with the end of all places for none."""
        ends = self._following(task.min_run)
        while (index := len(self.first_end)) < self.size:
            final = self.last[index]
            fits = ends[index : bisect_right(ends, final, index, final + 1)]
            short = final + 1 - index - len(fits)
            self.first_end += fits + [0] * short
            self.end_or_none += fits + [self.size] * short
        self._pause = _shift(self.next_start)
        self._run = _shift(self.end_or_none)

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

    def only(self, kept: Iterable[int]) -> Line:
        """Return some of the places; the first and the last of each block have to be among them."""
        kept = list(kept)
        return Line(
            [self.at[index] for index in kept],
            [self.potential[index] for index in kept],
            [self.linked[index] for index in kept],
            self.task,
        )

    def bound(self, worth: int, run: int, runs: int | None) -> Bound:
        """Return the least that is to come with 0, 1, 2, … runs left; with any number of runs a single layer."""
        worths = map(mul, self.at, repeat(worth))
        potential = list(differences(self.potential, worths))
        if runs is None:
            return Bound(worth, potential, [self._free(potential, run)])
        dearer = list(differences(potential, repeat(run)))
        layers = [Layer([0] * (self.size + 1), [])]
        for _ in range(runs):
            layers.append(self._layer(potential, dearer, layers[-1].idle))
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

    def _layer(
        self, potential: list[int], dearer: list[int], after: list[int]
    ) -> Layer:
        """Return the same with a run left, given what is to come with one less; a start is dearer by the run."""
        stopped = list(sums(potential, _shifted(after, self.next_start, self._pause)))
        ending: list[int] = []
        while (index := len(ending)) < self.size:
            part = stopped[index : self.last[index] + 1]
            part.reverse()
            part = list(accumulate(part, min))
            part.reverse()
            ending += part
        # Where no run can end its value is out of reach.
        ending.append(max(potential) + 1)
        ends = _shifted(ending, self.end_or_none, self._run)
        started = list(differences(ends, dearer))
        ending.pop()
        started.append(0)
        started.reverse()
        idle = list(accumulate(started, min))
        idle.reverse()
        return Layer(idle, ending)

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


def _shift(targets: list[int]) -> int:
    """Return by how much targets lie ahead of their places, if that is the same for all; 0 if not."""
    size, ahead = len(targets), targets[0]
    return ahead if targets == [*range(ahead, size), *[size] * ahead] else 0


def _shifted(values: list[int], targets: list[int], ahead: int) -> Iterable[int]:
    """Return the values at the targets; there is one for the end of all places."""
    if ahead:
        return values[ahead:] + values[-1:] * (ahead - 1)
    return map(values.__getitem__, targets)


def sums(ones: Iterable[int], others: Iterable[int]) -> Iterator[int]:
    """Yield the sums of two values each."""
    return map(add, ones, others, strict=False)


def differences(ones: Iterable[int], others: Iterable[int]) -> Iterator[int]:
    """Yield the differences of two values each."""
    return map(sub, ones, others, strict=False)
