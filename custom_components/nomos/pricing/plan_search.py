"""The planner's searches, in whole numbers: exact, and free of the errors of floats.

Times are integers in some unit from the start of the window, prices integers in some unit. Only the stretches of
time in which the load may run are given: priced, and not above the cap.

**Contiguous runs.** For a run that starts at ``s`` the cost is the integral of price times power. Its derivative in
``s`` is the sum, over the edges of the power profile (a constant power has two, its start and its end), of the
price at that edge times the drop in power there. It changes only where an edge meets a boundary between intervals.
So the cost is piecewise linear in ``s``, and its minimum lies where some edge meets some boundary, or at the first
or last start that is possible, which is such a meeting too. ``contiguous`` sweeps over these meetings. Among equally
cheap starts the first and the last are such meetings as well, so the preference is met exactly.

**Interruptible runs.** The objective is lexicographic: cost, then number of runs, then preference: the sum over all
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
end only as an end. ``_Places`` are all instants with one of these few remainders. Some optimum, and the same
for preference, has all its edges there; and every place plus a minimum run or pause is a place again.

On the places the problem is a shortest path with an exact total duration. ``_Places.bound`` solves it with the
duration priced instead of prescribed (Lagrange): a linear pass. The price of the duration is tuned by secants. When
its solution has the duration that is asked, it is the optimum. Otherwise its values are lower bounds of what is still
to come, and a best-first search (A*) with them ends at the optimum; it visits only what the bound cannot exclude.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate, pairwise
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
    """Return the best runs within a window of a length; shorter than asked in total when not all of it fits."""
    segments = joined(segments)
    if not segments or not task.duration:
        return []
    if task.max_runs == 1 or 2 * task.min_run > task.duration:
        return _single(segments, task)
    if not (task.min_run or task.min_pause or task.max_runs):
        room = sum(end - start for start, end, _ in segments)
        task = _asking(task, min(task.duration, room))
    elif (
        max(block[-1][1] - block[0][0] for block in blocks(segments)) < task.duration
        and not (task := _asking(task, _reachable(segments, length, task))).duration
    ):
        return []
    filled = _fill(segments, task)
    if filled is not None and task.allows(filled):
        return filled
    return _constrained(segments, length, task)


def _asking(task: Task, duration: int) -> Task:
    return Task(
        duration=duration,
        min_run=task.min_run,
        min_pause=task.min_pause,
        max_runs=task.max_runs,
        late=task.late,
    )


def _single(segments: list[Segment], task: Task) -> list[Span]:
    """Return the one run there can be: two would be too many, or too long together."""
    longest = max(block[-1][1] - block[0][0] for block in blocks(segments))
    duration = min(task.duration, longest)
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
    return min(task.duration, _Places(segments, length, task).longest(runs))


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


def _constrained(segments: list[Segment], length: int, task: Task) -> list[Span]:
    places = _Places(segments, length, task)
    runs = places.solve(None)
    if task.max_runs is not None and len(runs) > task.max_runs:
        runs = places.solve(task.max_runs)
    return runs


@dataclass(frozen=True, slots=True)
class _Layer:
    """The least that is still to come, when the duration is priced.

    ``idle[i]``: from place ``i`` on with no run going. ``ending[i]``: the value (up to the potential at the run's
    start) of ending a run that can end at place ``i`` there or later.
    """

    idle: list[int]
    ending: list[int]


class _Places:
    """The instants at which runs of an optimal plan may start and end, and the searches over them."""

    def __init__(self, segments: list[Segment], length: int, task: Task) -> None:
        self.task = task
        self.at: list[int] = []
        self.linked: list[bool] = []
        self.potential: list[int] = []
        # One number holds the three objectives: cost, then runs, then preference.
        grid = _grid(segments, length, task)
        found = [
            _places(block[0][0], block[-1][1], *grid) for block in blocks(segments)
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

    def _trace(self, layers: list[_Layer], potential: list[int]) -> list[Span]:
        """Return the runs (as indices of places) that attain a bound."""
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
        for _ in range(_SECANTS):
            potential = [
                value - worth * place
                for value, place in zip(self.potential, self.at, strict=True)
            ]
            layers = self.bound(potential, self.run, max_runs)
            runs = self._trace(layers, potential)
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
        return self._search(potential, layers, limited=max_runs is not None)

    def _marginal(self) -> int:
        """Return the price at which the cheapest time adds up to the duration."""
        missing = self.task.duration
        for price, length in self.prices:
            missing -= length
            if missing <= 0:
                return price
        return self.prices[-1][0]

    def _search(
        self, potential: list[int], layers: list[_Layer], *, limited: bool
    ) -> list[Span]:
        """Return the optimum by a best-first search; the layers bound what is to come.

        A state is a place, the duration so far and the number of runs left, with a run going or without. Moves to a
        state that is as promising as the current one need no heap.
        """
        at, room, asked = self.at, self.room, self.task.duration
        min_run, run = self.task.min_run, self.run
        origin = (0, 0, len(layers) - 1, False)
        parents: dict[tuple[int, int, int, bool], tuple[int, int, int, bool]] = {}
        heap = [(layers[-1].idle[0], 0, origin, origin)]
        while heap:
            promise, paid, state, parent = heappop(heap)
            if state in parents:
                continue
            parents[state] = parent
            index, total, left, going = state
            layer = layers[left]
            moves: list[tuple[int, int, tuple[int, int, int, bool]]] = []
            if going:
                if total == asked:
                    if promise == paid:
                        return self._path(parents, state)
                    # The bound foresaw more runs; without them this is what it costs.
                    del parents[state]
                    heappush(heap, (paid, paid, state, parent))
                    continue
                if self.linked[index]:
                    longer = total + at[index + 1] - at[index]
                    if longer <= asked:
                        cost = paid + potential[index + 1] - potential[index]
                        to_come = layer.ending[index + 1] - potential[index + 1]
                        moves.append(
                            (cost + to_come, cost, (index + 1, longer, left, True))
                        )
                fewer = left - limited
                after = self.next_start[index]
                if (
                    (fewer or not limited)
                    and asked - total >= min_run
                    and room[after] >= asked - total
                ):
                    moves.append(
                        (
                            paid + layers[fewer].idle[after],
                            paid,
                            (after, total, fewer, False),
                        )
                    )
            else:
                if room[index + 1] >= asked - total:
                    moves.append(
                        (
                            paid + layer.idle[index + 1],
                            paid,
                            (index + 1, total, left, False),
                        )
                    )
                if end := self.first_end[index]:
                    longer = total + at[end] - at[index]
                    if longer <= asked:
                        cost = paid + run + potential[end] - potential[index]
                        to_come = layer.ending[end] - potential[end]
                        moves.append((cost + to_come, cost, (end, longer, left, True)))
            for bound, cost, reached in moves:
                if reached not in parents:
                    heappush(heap, (bound, cost, reached, state))
        raise AssertionError("A duration that is possible has a plan")

    def _path(
        self,
        parents: dict[tuple[int, int, int, bool], tuple[int, int, int, bool]],
        state: tuple[int, int, int, bool],
    ) -> list[Span]:
        """Return the runs on the way to a state in which the last one ends."""
        runs: list[Span] = []
        end = state[0]
        while state[0] or state[3]:
            before = parents[state]
            if state[3] and not before[3]:
                runs.append((self.at[before[0]], self.at[end]))
            elif before[3] and not state[3]:
                end = before[0]
            if before == state:
                break
            state = before
        return runs[::-1]


def _preference(place: int, length: int, task: Task) -> int:
    return -((length - place) ** 2) if task.late else place * place


def _grid(
    segments: list[Segment], length: int, task: Task
) -> tuple[int, int, frozenset[int]]:
    """Return an instant, a step and the remainders (from the instant, by the step) that places have."""
    inner = sorted(
        {
            boundary
            for start, end, _ in segments
            for boundary in (start, end)
            if 0 < boundary < length
        }
    )
    origin = inner[0] if inner else 0
    step = gcd(task.min_run, task.min_pause, *(boundary - origin for boundary in inner))
    step = step or length
    start, end = -origin, length - origin
    floating = {task.duration + one - two for one in (0, start) for two in (0, end)}
    remainders = {0, start, end, *floating, *(-place for place in floating)}
    return origin, step, frozenset(remainder % step for remainder in remainders)


def _places(
    start: int, end: int, origin: int, step: int, remainders: frozenset[int]
) -> list[int]:
    """Return the instants from start to end, both included, that have one of the remainders."""
    return sorted(
        place
        for remainder in remainders
        for place in range(start + (remainder + origin - start) % step, end + 1, step)
    )
