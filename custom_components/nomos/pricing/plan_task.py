"""What the planner's searches are about: prices over time, and a load that may pause, in whole numbers."""

from dataclasses import dataclass
from itertools import pairwise

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
