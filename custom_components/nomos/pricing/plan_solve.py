"""The search for interruptible runs of exactly one total duration, over the places of ``plan_places``.

``Line.bound`` solves the problem with the duration priced instead of prescribed (Lagrange), a linear pass. At any
worth of the duration, its value plus the worth of the duration asked is a lower bound of the cost. Secants tune the
worth, over the boundaries first, then over the anchored places, which are few (plans on either are plans on all
places too), last over all places, and only what is found there counts as a bound. Each solution that misses the
duration is mended into one that has it, an upper bound. Where the two meet, the mended solution is the optimum. Otherwise a best-first search (A*) closes the gap: what is to come costs no less
than any bound says, so the highest one counts, and whatever is promised above the mended solution is left out. For
the same reason it skips starts: where starting alone costs as much more as the gap, in comparison with the best that
the bound knows from there on, no better plan does so.
"""

from bisect import bisect_left
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from .plan_places import Bound, Line, Places, Span

_SECANTS: Final = 40
_FINAL: Final = 2
_BOUNDS: Final = 3
_MIDDLE: Final = 12


def solve(places: Places) -> list[Span] | None:
    """Return the optimum for exactly the duration of the task, which has to be possible."""
    task = places.task
    limit = task.max_runs
    if limit is None or (task.min_run and task.duration // task.min_run <= limit):
        return _solve(places, None)
    # It may be that the number of runs is no constraint.
    return _solve(places, None, most=limit) or _solve(places, limit)


def _solve(
    places: Places, limit: int | None, most: int | None = None
) -> list[Span] | None:
    """Return the optimum with a limit to the number of runs that counts; None when it looks like more than most."""
    line = places.line
    tuner = _Tuner(places, limit)
    bounds: list[Bound] = []
    for finer in places.lines:
        rounds = _FINAL if finer is line else _MIDDLE
        bounds = tuner.tune(finer, rounds if bounds else _SECANTS)
        if most is not None and tuner.most_runs > most:
            return None
    bounds = bounds[-_BOUNDS:]
    best, cost = tuner.mended()
    if cost is None or cost > max(tuner.least(bound) for bound in bounds):
        best = _Search(places, bounds, (best, cost)).run()
    if most is not None and len(best) > most:
        return None
    return [(line.at[start], line.at[end]) for start, end in best]


class _Tuner:
    """Finds the worth of the duration at which the solutions come closest to the duration asked."""

    def __init__(self, places: Places, limit: int | None) -> None:
        """Start at the price at which the cheapest time adds up to the duration."""
        self._places = places
        self._limit = limit
        self._asked = places.task.duration
        self._worths = iter(
            [places.marginal(self._asked * factor) for factor in (1, 2, 4)]
        )
        self._worth = next(self._worths) * places.scale
        self._low: tuple[int, int] = (0, 0)
        self._high: tuple[int, int] | None = None
        # The runs of the last solutions: below the duration asked, above it and (third) of the very same.
        self._found: list[list[Span]] = [[], [], []]

    @property
    def most_runs(self) -> int:
        """Return how many runs there are at most in the solutions found last."""
        return max(len(runs) for runs in self._found)

    def least(self, bound: Bound) -> int:
        """Return what a plan costs at least."""
        return bound.layers[-1].idle[0] + bound.worth * self._asked

    def tune(self, line: Line, rounds: int) -> list[Bound]:
        """Approach the duration by secants; return the bounds on the way."""
        asked, run = self._asked, self._places.run
        bounds: list[Bound] = []
        for index in range(_SECANTS):
            bound = line.bound(self._worth, run, self._limit)
            bounds.append(bound)
            runs = line.trace(bound)
            total = line.total(runs)
            spans = [(line.at[start], line.at[end]) for start, end in runs]
            if total == asked:
                self._found[2] = spans
                break
            reached = total, line.cost(runs, run)
            if total < asked:
                self._found[0] = spans
                if reached == self._low and self._high:
                    break
                self._low = reached
            else:
                self._found[1] = spans
                if reached == self._high:
                    break
                self._high = reached
            low, high = self._low, self._high
            if high:
                self._worth = (high[1] - low[1]) // (high[0] - low[0])
                if index + 1 >= rounds:
                    break
            else:
                price = next(self._worths, None)
                self._worth = (
                    self._places.endless
                    if price is None
                    else price * self._places.scale
                )
        return bounds

    def mended(self) -> tuple[list[Span], int | None]:
        """Return the best plan (by the indices of places) that is near the solutions, and what it costs."""
        line = self._places.line
        best: list[Span] = []
        least: int | None = None
        for spans in self._found:
            if not spans:
                continue
            runs = [
                (bisect_left(line.at, start), bisect_left(line.at, end))
                for start, end in spans
            ]
            variants = [
                runs,
                *(runs[:index] + runs[index + 1 :] for index in range(len(runs))),
            ]
            for variant in variants:
                base = line.cost(variant, self._places.run)
                for place, start, end, more in self._mends(variant):
                    if least is None or base + more < least:
                        least = base + more
                        best = variant.copy()
                        best[place] = start, end
        return best, least

    def _mends(self, runs: list[Span]) -> Iterator[tuple[int, int, int, int]]:
        """Yield ways to give runs the duration asked by moving one edge: run, its start, its end, what it costs more."""
        line, task = self._places.line, self._places.task
        at, potential = line.at, line.potential
        missing = self._asked - line.total(runs)
        if not missing:
            if runs:
                yield 0, *runs[0], 0
            return
        for index, (start, end) in enumerate(runs):
            if at[end] - at[start] + missing < max(task.min_run, 1):
                continue
            moved = at[start] - missing
            place = bisect_left(at, moved)
            if (
                place < line.size
                and at[place] == moved
                and line.last[place] == line.last[start]
                and (not index or place >= line.next_start[runs[index - 1][1]])
            ):
                yield index, place, end, potential[start] - potential[place]
            moved = at[end] + missing
            place = bisect_left(at, moved)
            if (
                place < line.size
                and at[place] == moved
                and line.last[place] == line.last[start]
                and (
                    index + 1 == len(runs)
                    or line.next_start[place] <= runs[index + 1][0]
                )
            ):
                yield index, start, place, potential[place] - potential[end]


type _State = tuple[int, int, int, bool]


class _Search:
    """A best-first search for runs of exactly the duration asked, by bounds.

    A state is a place, the duration so far, the number of runs left, and whether a run is going. Places are only
    those that come into question with that number of runs left, counted.
    """

    def __init__(
        self,
        places: Places,
        bounds: list[Bound],
        best: tuple[list[Span], int | None],
    ) -> None:
        """Find the places that come into question."""
        self._places = places
        self._line = places.line
        self._bounds = bounds
        self._best, self._most = best
        self._limited = len(bounds[0].layers) > 1
        self._starts = [self._kept(left) for left in range(len(bounds[0].layers))]

    def _kept(self, left: int) -> list[int]:
        """Return where runs may start with a number of runs left, for all that the bounds say."""
        if not left and self._limited:
            return []
        first_end = self._line.first_end
        starts = [index for index, end in enumerate(first_end) if end]
        if self._most is None:
            return starts
        for bound in self._bounds:
            layer, potential = bound.layers[left], bound.potential
            idle, ending = layer.idle, layer.ending
            least = bound.layers[-1].idle[0] + bound.worth * self._places.task.duration
            gap = self._most - least - self._places.run
            starts = [
                index
                for index in starts
                if ending[first_end[index]] - potential[index] - idle[index] < gap
            ]
        return starts

    def run(self) -> list[Span]:
        """Return the runs of the optimum as indices of places."""
        line, places = self._line, self._places
        at, potential, last = line.at, line.potential, line.last
        asked, min_run, most = places.task.duration, places.task.min_run, self._most
        allowed, step, room = places.grid.starts, places.grid.step, places.room
        origin = places.grid.origin
        limited = self._limited
        pausing = [
            [(bound.worth, bound.layers[left].idle) for bound in self._bounds]
            for left in range(len(self._starts))
        ]
        going = [
            [
                (bound.worth, bound.layers[left].ending, bound.potential)
                for bound in self._bounds
            ]
            for left in range(len(self._starts))
        ]
        first: _State = (0, 0, len(self._starts) - 1, False)
        parents: dict[_State, _State] = {}
        heap: list[tuple[int, int, _State, _State]] = []
        if self._starts[-1]:
            heap.append((0, 0, first, first))
        while heap:
            _, paid, state, parent = heappop(heap)
            if state in parents:
                continue
            parents[state] = parent
            position, total, left, runs = state
            missing = asked - total
            if not runs:
                starts = self._starts[left]
                index = starts[position]
                position += 1
                if (
                    position < len(starts)
                    and missing <= room[after := starts[position]]
                ):
                    promise = paid + max(
                        [worth * missing + idle[after] for worth, idle in pausing[left]]
                    )
                    if most is None or promise < most:
                        heappush(
                            heap, (promise, paid, (position, total, left, False), state)
                        )
                if (at[index] - origin) % step not in allowed[total % step]:
                    continue
                end = line.first_end[index]
                paid += places.run - potential[index]
            else:
                if not missing:
                    return self._path(parents, state)
                index = position
                end = index + 1
                if (
                    min_run <= missing
                    and total % step in allowed
                    and (left > 1 or not limited)
                ):
                    fewer = left - limited
                    starts = self._starts[fewer]
                    after = bisect_left(starts, line.next_start[index])
                    if after < len(starts) and missing <= room[place := starts[after]]:
                        promise = paid + max(
                            [
                                worth * missing + idle[place]
                                for worth, idle in pausing[fewer]
                            ]
                        )
                        if most is None or promise < most:
                            heappush(
                                heap,
                                (promise, paid, (after, total, fewer, False), state),
                            )
                paid -= potential[index]
            # The next end from which the rest can still be run: all of it in the last run.
            more = left > 1 or not limited
            begin, final = at[index], last[index]
            if not more:
                end = max(end, bisect_left(at, begin + missing))
            while end <= final:
                rest = missing - at[end] + begin
                if rest <= 0 or (
                    more and rest >= min_run and (asked - rest) % step in allowed
                ):
                    break
                end += 1
            else:
                continue
            missing = rest
            if missing < 0:
                continue
            paid += potential[end]
            promise = paid
            if missing:
                promise += max(
                    [
                        worth * missing + ending[end] - start[end]
                        for worth, ending, start in going[left]
                    ]
                )
            if most is None or promise < most:
                heappush(
                    heap, (promise, paid, (end, asked - missing, left, True), state)
                )
        return self._best

    def _path(self, parents: dict[_State, _State], state: _State) -> list[Span]:
        """Return the runs on the way to a state in which the last one ends."""
        runs: list[Span] = []
        end = state[0]
        while (before := parents[state]) != state:
            if state[3] and not before[3]:
                runs.append((self._starts[before[2]][before[0]], end))
            elif before[3] and not state[3]:
                end = before[0]
            state = before
        return runs[::-1]
