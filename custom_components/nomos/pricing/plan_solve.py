"""The search for interruptible runs of exactly one total duration, over the places of ``plan_places``.

``Line.bound`` solves the problem with the duration priced instead of prescribed (Lagrange), a linear pass. At any
worth of the duration, its value plus the worth of the duration asked is a lower bound of the cost. Secants tune the
worth over the boundaries first, which are few (plans on them are plans on all places, too). Each solution that misses
the duration is mended into one that has it, an upper bound. Then all places are passed once there and once back, with
the number of runs priced as well: where a run that starts or ends there makes every plan dearer than the mended one,
the place is out of question (reduced costs). That leaves a tenth or less of the places, on which the worth is tuned
again. What is found there bounds every plan that is better than the mended one. Where the two meet, the mended
solution is the optimum. Otherwise ``plan_exact`` closes the gap, by the same bounds.
"""

from collections.abc import Iterator
from typing import Final

from .plan_exact import Exact
from .plan_line import Bound, Line
from .plan_places import Places
from .plan_task import Span

_SECANTS: Final = 40
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
    tuner = _Tuner(places, limit)
    bounds = tuner.tune(places.boundaries, _SECANTS)
    if most is not None and tuner.most_runs > most:
        return None
    best, cost = tuner.mended()
    line = places.refined(*tuner.within(bounds[-1], cost))
    bounds = tuner.tune(line, _MIDDLE)[-_BOUNDS:]
    if most is not None and tuner.most_runs > most:
        return None
    again, less = tuner.mended()
    if cost is None or (less is not None and less < cost):
        best, cost = again, less
    if cost is None or cost > max(tuner.least(bound) for bound in bounds):
        layers = len(bounds[0].layers)
        # With no runs left none starts; of any number there is one layer.
        starts = [
            _starts(line, bounds, left, places.run, places.task.duration, cost)
            if left or layers == 1
            else []
            for left in range(layers)
        ]
        best = Exact(places, line, bounds).solve(starts, cost) or best
    if most is not None and len(best) > most:
        return None
    return best


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

    def within(self, bound: Bound, most: int | None) -> tuple[list[int], list[int]]:
        """Return which anchored places come into question, and after which the floating ones do.

        The number of runs is priced, too, at what the last one is worth by a bound over fewer places.
        """
        line, run = self._places.line, self._places.run
        if most is None:
            return list(range(line.size)), list(range(line.size - 1))
        # The preference is worth less than a run, here and there, and not linear like the cost.
        less = most - bound.worth * self._asked + 4 * run
        if self._limit:
            price = bound.layers[-2].idle[0] - bound.layers[-1].idle[0]
            run += price
            less += price * self._limit
        return line.within(
            line.bound(bound.worth, run, None),
            run,
            less,
            between=bool(self._places.grid.floating),
        )

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
                if price is not None:
                    self._worth = price * self._places.scale
                elif self._worth != self._places.endless:
                    self._worth = self._places.endless
                else:
                    # So much time is not to be had on these places.
                    break
        return bounds

    def mended(self) -> tuple[list[Span], int | None]:
        """Return the best plan that is near the solutions, and what it costs."""
        best: list[Span] = []
        least: int | None = None
        for spans in self._found:
            costs = [self._cost(*span) for span in spans]
            together = sum(costs)
            variants = [(spans, together)]
            variants += [
                (spans[:index] + spans[index + 1 :], together - cost)
                for index, cost in enumerate(costs)
            ]
            for variant, base in variants:
                for place, span, more in self._mends(variant):
                    if least is None or base + more < least:
                        least = base + more
                        best = variant.copy()
                        best[place] = span
        return best, least

    def _cost(self, start: int, end: int) -> int:
        """Return what a run costs."""
        potential = self._places.potential
        return self._places.run + potential(end) - potential(start)

    def _mends(self, runs: list[Span]) -> Iterator[tuple[int, Span, int]]:
        """Yield ways to give runs the duration asked by moving one edge: which run, how it is then, what it costs more."""
        task, potential = self._places.task, self._places.potential
        missing = self._asked - sum(end - start for start, end in runs)
        if not missing:
            if runs:
                yield 0, runs[0], 0
            return
        pause = max(task.min_pause, 1)
        ended = -pause
        for index, (start, end) in enumerate(runs):
            if end - start + missing >= max(task.min_run, 1):
                opens, closes = self._places.block(start)
                moved = start - missing
                if moved >= max(opens, ended + pause):
                    more = potential(start) - potential(moved)
                    yield index, (moved, end), more
                moved = end + missing
                if moved <= closes and (
                    index + 1 == len(runs) or moved + pause <= runs[index + 1][0]
                ):
                    more = potential(moved) - potential(end)
                    yield index, (start, moved), more
            ended = end


def _starts(
    line: Line, bounds: list[Bound], left: int, run: int, asked: int, most: int | None
) -> list[int]:
    """Return where a run may start with a number of runs left in a plan that costs less than most."""
    starts = [index for index, end in enumerate(line.first_end) if end]
    if most is None:
        return starts
    for bound in bounds:
        layer, potential = bound.layers[left], bound.potential
        idle, ending = layer.idle, layer.ending
        gap = most - bound.layers[-1].idle[0] - bound.worth * asked - run
        starts = [
            index
            for index in starts
            if ending[line.first_end[index]] - potential[index] - idle[index] < gap
        ]
    return starts
