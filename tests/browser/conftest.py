"""Options of the browser tests."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.browser.journey")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the journey take pictures; only known where this folder is named on the command line."""
    group = parser.getgroup("browser")
    group.addoption(
        "--pictures", type=Path, default=None, help="keep the pictures of the journey"
    )


@pytest.fixture(autouse=True)
def _real_sockets(socket_enabled: None) -> None:
    """Let these tests talk to the processes; the test plugin forbids sockets."""
