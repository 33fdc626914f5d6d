"""Options of the test suite, figures that tests report, and the distribution of tests over processes."""

import asyncio
from collections.abc import Callable, Generator
import gc
import logging
import os
from typing import Any

import pytest
from xdist.remote import Producer

from tests.xdist_split import SplitScheduling, longest_first

FIGURES = "figures"

_REAL_OS = dict(vars(os))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the soak to the command line."""
    group = parser.getgroup("soak", "the soak of tests/integration/test_soak.py")
    group.addoption("--soak-days", type=int, default=None, help="simulate so many days")
    group.addoption(
        "--soak-seed", type=int, default=None, help="run one seed (those of CI)"
    )


def pytest_configure() -> None:
    """Keep the log off the terminal; pytest shows the log of failed tests.

    The test plugin logs to the original stderr, which pytest does not capture, and threads log between tests.
    """
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)
    # Without any handler, logging itself would write warnings to stderr.
    root.addHandler(logging.NullHandler())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first."""
    longest_first(items)


def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> SplitScheduling:
    """Distribute the tests over processes in our own order."""
    config.option.loadscopereorder = False  # keep our own order
    return SplitScheduling(config, log)


@pytest.fixture(autouse=True, scope="module")
def garbage_collection() -> None:
    """Collect garbage between modules, including objects that were frozen while in use.

    It replaces a fixture of the test plugin that never frees such objects: gigabytes in the course of the suite.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
async def enable_event_loop_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse calls from other threads as an event loop in debug mode does, but without that mode.

    It replaces a fixture of the test plugin. Debug mode keeps the stack of every future and every scheduled call, which
    takes a quarter of the time of integration tests.
    """
    loop: Any = asyncio.get_running_loop()

    def checked(schedule: Callable[..., asyncio.Handle]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> asyncio.Handle:
            loop._check_thread()
            return schedule(*args, **options)

        return call

    for name in ("call_soon", "call_at"):
        monkeypatch.setattr(loop, name, checked(getattr(loop, name)))


@pytest.fixture
def report_figures(
    record_property: Callable[[str, object], None],
) -> Callable[[str], None]:
    """Return a function that prints a line below the test results, whether the test passed or failed."""

    def report(line: str) -> None:
        record_property(FIGURES, line)

    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures, which are part of the test reports of all processes."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, line in report.user_properties:
                    if name == FIGURES:
                        terminalreporter.write_line(str(line))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Replace lone surrogates in the log of a test: they cannot be sent from process to process."""
    report = yield
    report.sections = [
        (name, text.encode(errors="replace").decode()) for name, text in report.sections
    ]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Fail a test that leaves a function of `os` patched."""
    yield
    left = [name for name, real in _REAL_OS.items() if vars(os).get(name) is not real]
    assert not left
