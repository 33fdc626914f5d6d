"""Options of the test suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line choose the year of the soak."""
    group = parser.getgroup("soak", "the soak of tests/integration/test_soak.py")
    group.addoption("--soak-days", type=int, default=None, help="simulate so many days")
    group.addoption(
        "--soak-seed", type=int, default=None, help="run one seed (those of CI)"
    )
