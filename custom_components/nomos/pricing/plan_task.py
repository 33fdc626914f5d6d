"""What the planner's searches are about: prices over time, and a load that may pause, in whole numbers."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

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
    result = segments[:1]
    for segment in segments[1:]:
        start, end, price = segment
        before = result[-1]
        if before[2] == price and before[1] == start:
            result[-1] = (before[0], end, price)
        else:
            result.append(segment)
    return result


def blocks[T: tuple[Any, ...]](stretches: list[T]) -> list[list[T]]:
    """Return sorted stretches, each with its start and end first, grouped into those without a gap between them."""
    if not stretches:
        return []
    cuts = [
        index
        for index, (one, two) in enumerate(pairwise(stretches), 1)
        if one[1] != two[0]
    ]
    return [
        stretches[first:last] for first, last in pairwise([0, *cuts, len(stretches)])
    ]
