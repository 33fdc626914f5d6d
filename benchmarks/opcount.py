"""Counts steps of the Python interpreter, which are the same on every machine, however busy."""

from collections.abc import Callable
import sys
from time import process_time
from types import CodeType
from typing import Final

_TOOL: Final = sys.monitoring.OPTIMIZER_ID
_EVENT: Final = sys.monitoring.events.INSTRUCTION


def count_steps(work: Callable[[], object]) -> int:
    """Return the number of interpreter instructions of a piece of work.

    Code in C counts as one step, however long it takes: sorting, comparing tuples, reading JSON. One-time work, such as
    filling a cache, counts unless it was done before.
    """
    count = 0

    def step(_code: CodeType, _offset: int) -> None:
        nonlocal count
        count += 1

    sys.monitoring.use_tool_id(_TOOL, "steps")
    sys.monitoring.register_callback(_TOOL, _EVENT, step)
    sys.monitoring.set_events(_TOOL, _EVENT)
    try:
        work()
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.register_callback(_TOOL, _EVENT, None)
        sys.monitoring.free_tool_id(_TOOL)
    return count


def milliseconds(work: Callable[[], object]) -> float:
    """Return the processor time of a piece of work in milliseconds, as a rough figure: the shortest of several runs."""
    taken: list[float] = []
    while len(taken) < 3 or (sum(taken) < 0.05 and len(taken) < 20):
        begin = process_time()
        work()
        taken.append(process_time() - begin)
    return min(taken) * 1000
