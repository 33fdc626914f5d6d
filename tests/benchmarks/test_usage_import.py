"""The import of usage leaves Python's garbage collector little to follow, whatever it does meanwhile."""

from collections.abc import Callable
from pathlib import Path
import re
import subprocess
import sys

PROJECT = Path(__file__).parents[2]

MONTHS = 3

GROWN_OLD = 2_500
"""Objects for each month that may outlive two young collections.

As many as are a quarter of what there was before bring about a full collection, which stops Home Assistant for some
tenths of a second; a small home has about 350,000. Most of those that are left are the recorder's.
"""


def test_few_objects_grow_old(report_figures: Callable[[str], None]) -> None:
    """A month is thousands of readings, prices and hours, and hardly any of them is an object that lasts.

    In a process of its own: what a test writes to its log would count, too.
    """
    command = [sys.executable, "-m", "benchmarks.usage_import", "--count"]
    done = subprocess.run(
        [*command, "--months", str(MONTHS)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found = re.search(r"the import: +(\d+) objects grew old", done.stdout)
    assert found is not None
    grown_old = int(found[1])
    report_figures(f"usage: {grown_old} objects grew old in {MONTHS} months")
    assert 0 < grown_old <= MONTHS * GROWN_OLD
