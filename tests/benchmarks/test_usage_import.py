"""Tests that importing usage creates few objects that Python's garbage collector has to track."""

from collections.abc import Callable
from pathlib import Path
import re
import subprocess
import sys

PROJECT = Path(__file__).parents[2]

MONTHS = 3

GROWN_OLD = 2_500
"""How many objects for each month may outlive two young collections.

Once they are a quarter of all older objects, a full collection starts and stops Home Assistant for some tenths of a
second; a small home has about 350,000 objects. Most of the remaining ones are the recorder's.
"""


def test_few_objects_grow_old(report_figures: Callable[[str], None]) -> None:
    """Of a month's thousands of readings, prices and hours, hardly any is a lasting object.

    It runs in its own process, since the test's log would count, too.
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
