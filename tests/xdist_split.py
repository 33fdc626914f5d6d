"""How the suite is shared out among processes (`pytest -n`): whole files, but for the long tests, which come first.

A file's tests stay together, since they may share a Home Assistant that takes seconds to start. Without `-n` only the
order changes.
"""

from typing import override

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST_FIRST = (
    # Minutes of computing, one year after the other.
    "tests/integration/test_soak.py::test_soak[3-",
    "tests/integration/test_soak.py::test_soak[2-",
    "tests/integration/test_soak.py::test_soak[1-",
    "tests/integration/test_soak.py",
    # Half a minute or less.
    "tests/e2e",
    "tests/planner/test_optimum.py",
    "tests/integration/blueprints",
    "tests/integration",
)
"""Where the ids of the tests begin that take longest, in that order; all others follow as they were found."""

SPLIT = (
    "tests/browser/test_journey.py",
    "tests/integration/test_soak.py",
    "tests/planner/test_optimum.py",
)
"""Files whose tests may run in different processes."""


def rank(test: str) -> int:
    """Return a test's place in the order, by its id."""
    places = (n for n, start in enumerate(LONGEST_FIRST) if test.startswith(start))
    return next(places, len(LONGEST_FIRST))


def group(test: str) -> str:
    """Return the group of tests that run in one process, by the id of one of them."""
    return test if test.startswith(SPLIT) else test.partition("::")[0]


def longest_first(items: list[pytest.Item]) -> None:
    """Bring the tests into the order in which they are shared out."""
    items.sort(key=lambda item: rank(item.nodeid))


class SplitScheduling(LoadScopeScheduling):
    """Gives out group by group, in the order of the tests, to whichever process is free."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
