"""What a plan costs at least that starts or ends a run at some place, with the duration priced (reduced costs)."""

from collections.abc import Iterable
from itertools import accumulate

from .plan_line import Bound, Line, differences, sums


class Reach:
    """What a plan costs at least that starts or ends a run at some place of a line, or after it.

    That is the least up to there and the least from there on, so it takes one pass there and one back.

    One edge may lie between the places, so far apart from them at least, if that is not nothing. Then a run or a
    pause without a minimum next to it may be as short as can be. Such an edge costs at least what it costs up to
    the next place, and from the last place on; and the potential lies between theirs.
    """

    def __init__(
        self, line: Line, bound: Bound, run: int, most: int, apart: int
    ) -> None:
        """Pass the line.

        Args:
            line: the places.
            bound: the least from each place on, for any number of runs.
            run: what each run costs.
            most: plans that cost as much or more are of no interest.
            apart: how far an edge that is not at a place is from all of them at least; 0 if there is none.

        """
        self._line, self._apart = line, apart
        self._potential = potential = bound.potential
        (layer,) = bound.layers
        far = most + 2 * max(map(abs, potential)) - 2 * layer.idle[0]
        leasts, goings = self._up_to(run, far)
        rests = list(map(layer.idle.__getitem__, line.next_start))
        ends = map([*layer.ending, far].__getitem__, line.end_or_none)
        endings = [end + run for end in ends]
        starting, stopping = endings, rests
        idle, busy = leasts, goings
        if apart and not line.task.min_pause:
            stopping = layer.idle
            idle = _lower(leasts, sums(goings, potential))
        if apart and not line.task.min_run:
            starting = [end + run for end in layer.ending]
            begun = (one + run for one in differences(idle, potential))
            busy = _lower(goings, begun)
        self._edges = _lower(
            sums(sums(busy, potential), stopping),
            sums(differences(idle, potential), starting),
        )
        self._gaps: list[int] = []
        if apart:
            lows = _lower(potential, potential[1:])
            highs = map(max, potential, potential[1:], strict=False)
            self._gaps = _lower(
                sums(sums(goings[1:], lows), rests),
                sums(differences(leasts[1:], highs), endings),
            )

    def least(self, places: int) -> int:
        """Return what the cheapest places have in common: so many of them cost as little or less."""
        edges = sorted(self._edges)
        return edges[min(places, len(edges)) - 1]

    def below(self, most: int) -> tuple[list[int], list[int]]:
        """Return where runs of a plan may start or end that comes to less than most: at places, and after places.

        The first and the last of each block are among them.
        """
        line, potential, apart = self._line, self._potential, self._apart
        kept = {0, *line.last, *(last + 1 for last in line.last)}
        kept.update(index for index, value in enumerate(self._edges) if value < most)
        kept.discard(line.size)
        gaps = [
            index
            for index, value in enumerate(self._gaps)
            if value < most
            and line.linked[index]
            and value
            < most
            - abs(potential[index + 1] - potential[index])
            * apart
            // (line.at[index + 1] - line.at[index])
        ]
        return sorted(kept), gaps

    def _up_to(self, run: int, far: int) -> tuple[list[int], list[int]]:
        """Return the least up to each place, with no run going and with one."""
        line = self._line
        begun = [far] * (line.size + 1)
        ended = [0] + [far] * line.size
        instant_run = self._apart and not line.task.min_run
        instant_pause = self._apart and not line.task.min_pause
        least, going = 0, far
        for value, linked, first, after, begin, end in zip(
            self._potential,
            line.linked,
            line.first_end,
            line.next_start,
            begun,
            ended,
            strict=False,
        ):
            if begin < going:
                going = begin
            if end < least:
                least = end
            stopped = going + value
            if instant_pause and stopped < least:
                least = stopped
            if first:
                started = least + run - value
                if started < begun[first]:
                    begun[first] = started
                if instant_run and started < going:
                    going = started
                    stopped = going + value
            if stopped < ended[after]:
                ended[after] = stopped
            if not linked:
                going = far
        goings: list[int] = []
        while (index := len(goings)) < line.size:
            goings += accumulate(begun[index : line.last[index] + 1], min)
        return list(accumulate(ended[: line.size], min)), goings


def _lower(ones: Iterable[int], others: Iterable[int]) -> list[int]:
    """Return the lower of two values each."""
    return list(map(min, ones, others, strict=False))
