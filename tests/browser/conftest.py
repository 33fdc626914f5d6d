"""Options of the browser tests."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.browser.journey", "tests.browser.ready_dashboard")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for pictures; pytest knows it only if the command line names this folder."""
    group = parser.getgroup("browser")
    group.addoption(
        "--pictures", type=Path, default=None, help="keep the pictures of the journey"
    )


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Allow sockets, which the test plugin blocks, for connections to the processes."""
