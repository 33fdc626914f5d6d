"""Tests of how interpreter steps grow with the number of intervals, which is exact on every machine."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.microbench import PARTS, growth, merge_days, ticks
from benchmarks.opcount import count_steps
from benchmarks.setup_time import START_UP, imports

SIZES = (96, 960)


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_linear(name: str) -> None:
    """Ten times the intervals cost about ten times the steps; a search in a loop would cost a hundred times."""
    counts = {}
    for size in SIZES:
        work = PARTS[name](size)
        work()
        counts[size] = count_steps(work)
    assert growth(counts) < 1.1, counts


def test_steps_are_exact() -> None:
    """Counting twice gives the same number, and a nested loop is noticed."""
    work = merge_days(96)
    work()
    assert count_steps(work) == count_steps(work) > 96

    def squares(size: int) -> int:
        return count_steps(lambda: [(a, b) for a in range(size) for b in range(size)])

    assert growth({size: squares(size) for size in (20, 200)}) > 1.9


@pytest.mark.usefixtures("socket_enabled")
def test_boundary_costs_do_not_depend_on_the_table(tmp_path: Path) -> None:
    """With a hundred days of prices, a boundary takes no more steps than with two."""
    counts = asyncio.run(ticks(tmp_path, (192, 9_600), loads=True))
    assert counts[9_600] <= 1.5 * counts[192]
    # Sensors, calendar and three loads, with all states that they write.
    assert counts[192] < 30_000


def test_no_extra_imports() -> None:
    """Startup imports nothing that Home Assistant has not imported anyway."""
    found = imports()
    assert set(START_UP) <= set(found.modules)
    assert not found.foreign
