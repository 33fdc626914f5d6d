"""The distribution of the suite over processes (`pytest -n`): file by file, but long tests first and split up.

A file's tests stay together, since they may share a Home Assistant that takes seconds to start. Without `-n` only the
order changes.
"""

from typing import override

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST_FIRST = (
    # Minutes of computing for each simulated year.
    "tests/integration/test_soak.py::test_soak[3-",
    "tests/integration/test_soak.py::test_soak[2-",
    "tests/integration/test_soak.py::test_soak[1-",
    "tests/integration/test_soak.py",
    # Half a minute or less each.
    "tests/e2e",
    "tests/planner/test_optimum.py",
    "tests/integration/blueprints",
    "tests/integration",
)
"""Prefixes of the ids of the longest tests, longest first; others follow in the order of collection."""

SPLIT = (
    "tests/browser/test_journey.py",
    "tests/integration/test_soak.py",
    "tests/planner/test_optimum.py",
)
"""Files whose tests may run in separate processes."""


def rank(test: str) -> int:
    """Return the rank of a test by its id."""
    places = (n for n, start in enumerate(LONGEST_FIRST) if test.startswith(start))
    return next(places, len(LONGEST_FIRST))


def group(test: str) -> str:
    """Return the group of tests that share a process, by a test's id."""
    return test if test.startswith(SPLIT) else test.partition("::")[0]


def longest_first(items: list[pytest.Item]) -> None:
    """Sort the tests, the longest first."""
    items.sort(key=lambda item: rank(item.nodeid))


class SplitScheduling(LoadScopeScheduling):
    """Gives the next group of tests to the first free process."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
