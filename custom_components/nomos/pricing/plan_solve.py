"""The search for interruptible runs of exactly one total duration, over the places of ``plan_places``.

``Line.bound`` solves the problem with the duration priced instead of prescribed (Lagrange), a linear pass. At any
worth of the duration, its value plus the worth of the duration asked is a lower bound of the cost. Secants tune the
worth over the boundaries first, which are few (plans on them are plans on all places, too). Solutions that miss the
duration are mended into plans that have it, an upper bound. Then the worth is tuned over the anchored places, with the
number of runs priced as well: where a run that starts or ends there makes every plan dearer than the mended one, a
place is out of question (``plan_reach``), and so are the floating places between two of them. That leaves few places,
on which the worth is tuned again, with the number of runs prescribed. What is found there bounds every plan that is
better than the mended one. Where the two meet, the mended solution is the optimum. Otherwise ``plan_exact`` closes the
gap, by the same bounds.

Where the mended plan is so dear that many places are left, only the best of them are tried first. The optimum may be
found there; if not, a better plan and better prices are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .plan_exact import Exact
from .plan_line import Bound, Line
from .plan_places import Places
from .plan_reach import Reach
from .plan_task import Span

_SECANTS: Final = 8
"""How often the worth of the duration is tuned at most, over the same places."""
_FEW_SECANTS: Final = 4
"""The same over the boundaries when the number of runs is free: elsewhere the worth is another one anyway."""
_AGAIN: Final = 2
"""The same over the anchored places, having been tuned over the boundaries."""
_BOUNDS: Final = 2
"""How many of the last bounds are used to close the gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """When few places are tried first. What is found is the same; how long it takes is not."""

    many: int = 1600
    """That many places, times the limit to the number of runs (two for none), are so many."""
    few: int = 60
    """How many anchored places are tried first, at least."""
    part: int = 16
    """And which part of the gap between the bound and the best plan known, at least."""


def solve(places: Places, effort: Effort | None = None) -> list[Span] | None:
    """Return the optimum for exactly the duration of the task, which has to be possible."""
    task = places.task
    limit = task.max_runs
    effort = effort or Effort()
    if limit is None or (task.min_run and task.duration // task.min_run <= limit):
        return _Search(places, effort).best()
    # It may be that the number of runs is no constraint.
    free = _Search(places, effort, most=limit)
    runs = free.best()
    if runs is None:
        runs = _Search(places, effort, limit, worth=free.worth).best()
    return runs


def _price(bound: Bound) -> int:
    """Return what another run would spare, at the worth of a bound with a limited number of runs."""
    fewer, most = bound.layers[-2:]
    return fewer.idle[0] - most.idle[0]


@dataclass(frozen=True, slots=True)
class _Point:
    """A plan, how long it runs in total, and what it costs with a run at its own price."""

    spans: list[Span]
    total: int
    cost: int

    def dearer(self, price: int) -> int:
        """Return what it costs with a run that is dearer."""
        return self.cost + price * len(self.spans)


_NOTHING: Final = _Point([], 0, 0)


class _Search:
    """Finds the worth of the duration at which solutions come closest to the duration asked, and the optimum from there."""

    def __init__(
        self,
        places: Places,
        effort: Effort,
        limit: int | None = None,
        *,
        most: int | None = None,
        worth: int | None = None,
    ) -> None:
        """Prepare the search.

        Args:
            places: where runs may start and end.
            effort: when few places are tried first.
            limit: to the number of runs, if it counts.
            most: give up as soon as it looks like more runs.
            worth: the first one of the duration. By default it is the price at which the cheapest time adds up to it.

        """
        self._places = places
        self._effort = effort
        self._limit = limit
        self._most = most
        self._asked = asked = places.task.duration
        self.worth = places.marginal(asked) if worth is None else worth
        self._ahead = 1
        # The last solutions: below the duration asked, and not below it.
        self._low: _Point | None = None
        self._high: _Point | None = None
        # The best plan of the duration, and what it costs.
        self._best: list[Span] = []
        self._cost: int | None = None

    def best(self) -> list[Span] | None:
        """Return the optimum; None when it was given up."""
        places = self._places
        limited = self._limit is not None
        rounds = _SECANTS if limited else _FEW_SECANTS
        bound = self._tune(places.boundaries, rounds, tolerance=places.scale)[-1]
        if self._gives_up():
            return None
        price = _price(bound) if limited else 0
        known = self._low, self._high
        bounds = self._tune(places.line, _AGAIN, price=price, tolerance=places.scale)
        if self._gives_up():
            return None
        bound = max(bounds, key=self._least)
        for try_few in (True, False):
            line, most = self._thinned(bound, price, try_few=try_few)
            if limited:
                # Where runs are priced there may be more or fewer of them.
                self._low, self._high = known
            bounds = self._tune(line)[-_BOUNDS:]
            if self._gives_up():
                return None
            if found := self._exact(line, bounds, most):
                self._best = found
                break
            if most is None or self._cost is None or most >= self._cost:
                break
            # No plan costs less than that, but the few places have led to a better plan and to better prices.
            known = self._low, self._high
            bound = max(bounds, key=self._least)
            price = _price(bound) if limited else 0
            bound = places.line.bound(bound.worth, places.run + price, None)
        return None if self._has_too_many(self._best) else self._best

    def _exact(
        self, line: Line, bounds: list[Bound], most: int | None
    ) -> list[Span] | None:
        """Return the optimum if it costs less than most and less than the best plan known, and lies on some places."""
        if self._cost is not None:
            most = self._cost if most is None else min(most, self._cost)
        if most is not None and most <= max(map(self._least, bounds)):
            return None
        return Exact(self._places, line, bounds).solve(most)

    def _gives_up(self) -> bool:
        """Return whether the solutions found last have more runs than there may be."""
        return any(
            self._has_too_many(point.spans)
            for point in (self._low, self._high)
            if point
        )

    def _has_too_many(self, runs: list[Span]) -> bool:
        return self._most is not None and len(runs) > self._most

    def _least(self, bound: Bound) -> int:
        """Return what a plan costs at least."""
        return bound.layers[-1].idle[0] + bound.worth * self._asked

    def _tune(
        self,
        line: Line,
        rounds: int = _SECANTS,
        *,
        price: int | None = None,
        tolerance: int = 0,
    ) -> list[Bound]:
        """Approach the duration by secants; return the bounds on the way.

        Args:
            line: the places.
            rounds: how many bounds at most.
            price: what each run costs more; then their number is free.
            tolerance: which gap to the best plan known is small enough.

        """
        run, dearer = self._places.run, price or 0
        saved = dearer * (self._limit or 0)
        limit = self._limit if price is None else None
        bounds: list[Bound] = []
        for _ in range(rounds):
            bound = line.bound(self.worth, run + dearer, limit)
            bounds.append(bound)
            runs = line.trace(bound)
            point = _Point(
                [(line.at[start], line.at[end]) for start, end in runs],
                line.total(runs),
                line.cost(runs, run),
            )
            if point.total < self._asked:
                self._low = point
            else:
                self._high = point
            if self._gives_up():
                break
            self._mend(point)
            least = max(map(self._least, bounds)) - saved
            if point.total == self._asked or (
                self._cost is not None and self._cost - least <= tolerance
            ):
                break
            if self._low and self._high:
                self.worth = self._secant(self._low, self._high, dearer)
                if self.worth == bound.worth:
                    break
            elif not self._further(point, dearer):
                break
        self.worth = max(bounds, key=self._least).worth
        return bounds

    def _secant(self, low: _Point, high: _Point, dearer: int) -> int:
        """Return the worth of the duration at which two solutions are equally good."""
        more = high.dearer(dearer) - low.dearer(dearer)
        return more // (high.total - low.total)

    def _further(self, last: _Point, dearer: int) -> bool:
        """Choose a worth at which there may be a solution on the other side; return whether there is one."""
        places, asked = self._places, self._asked
        enough = last.total > asked
        if self.worth == places.endless and not enough:
            # So much time is not to be had on these places.
            return False
        here = there = places.marginal(asked)
        # As much more or less time as is missing, and ever more of it.
        while there == here:
            target = asked + self._ahead * (asked - last.total)
            self._ahead *= 2
            if target <= 0 or self.worth == places.endless:
                self.worth = self._secant(_NOTHING, last, dearer)
                return True
            there = places.marginal(target)
        self.worth = min(self.worth + there - here, places.endless)
        return True

    def _thinned(
        self, bound: Bound, price: int, *, try_few: bool
    ) -> tuple[Line, int | None]:
        """Return the places that come into question for plans that cost less than something, and what; None for all.

        That is what the best plan known costs. If many places are left then, few may be tried first.

        Args:
            bound: over the anchored places, for any number of runs.
            price: what each run costs more.
            try_few: whether the search goes on when no better plan is found.

        """
        places, limit, effort = self._places, self._limit, self._effort
        line, grid = places.line, places.grid
        if self._cost is None:
            every = range(line.size)
            return places.refined(every, filter(line.linked.__getitem__, every)), None
        # The preference is worth less than a run, here and there, and not linear like the cost.
        less = places.slack + price * (limit or 0) - bound.worth * self._asked
        most = self._cost + less
        reach = Reach(line, bound, places.run + price, most, grid.apart)
        kept, gaps = reach.below(most)
        count = len(kept) + len(gaps) * len(grid.floating)
        if try_few and count * (limit or 2) > effort.many:
            least = bound.layers[-1].idle[0] + places.slack
            share = least + (most - least) // effort.part
            few = max(reach.least(effort.few), share) + 1
            if few < most:
                most = few
                kept, gaps = reach.below(most)
        return places.refined(kept, gaps), most - less

    def _mend(self, point: _Point) -> None:
        """Keep the best plan that is near a solution: with an edge moved, and perhaps without one of the runs."""
        spans = point.spans
        if self._limit is None or len(spans) <= self._limit:
            self._keep(spans, point.cost, point.total)
        elif len(spans) > self._limit + 1:
            return
        potential, run = self._places.potential, self._places.run
        for index, (start, end) in enumerate(spans):
            cost = point.cost - run - potential(end) + potential(start)
            total = point.total - end + start
            # What is taken instead of the run will not be had for less than it is worth.
            if self._cost is None or (
                cost + self.worth * (self._asked - total) < self._cost
            ):
                self._keep(spans[:index] + spans[index + 1 :], cost, total)

    def _keep(self, spans: list[Span], cost: int, total: int) -> None:
        """Keep the best of the plans that are like one but for an edge, if it is better than the one known."""
        for index, span, more in self._mends(spans, self._asked - total):
            if self._cost is None or cost + more < self._cost:
                self._cost = cost + more
                self._best = [*spans[:index], span, *spans[index + 1 :]]

    def _mends(self, runs: list[Span], missing: int) -> Iterator[tuple[int, Span, int]]:
        """Yield ways to make up for what is missing by moving one edge: which run, how it is then, what it costs more."""
        task, potential = self._places.task, self._places.potential
        if not missing:
            if runs:
                yield 0, runs[0], 0
            return
        pause = max(task.min_pause, 1)
        least = max(task.min_run, 1)
        ended = -pause
        for index, (start, end) in enumerate(runs):
            if end - start + missing >= least:
                opens, closes = self._places.block(start)
                moved = start - missing
                if moved >= max(opens, ended + pause):
                    yield index, (moved, end), potential(start) - potential(moved)
                moved = end + missing
                if moved <= closes and (
                    index + 1 == len(runs) or moved + pause <= runs[index + 1][0]
                ):
                    yield index, (start, moved), potential(moved) - potential(end)
            ended = end
