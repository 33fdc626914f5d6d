"""Runs every benchmark that takes minutes at most, and writes benchmarks/RESULTS.md.

    scripts/bench

If one fails or is missing, the results say so and the whole run fails.
"""

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
import os
from pathlib import Path
import platform
import re
import subprocess
import sys
from time import monotonic
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = PROJECT / "benchmarks" / "RESULTS.md"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark, a program of its own.

    Attributes:
        name: the module.
        title: what it measures.
        reading: how to read its output.
        arguments: its command line.
        markdown: whether it prints Markdown.
        timeout: seconds after which it counts as failed.
        shown: whether its output goes into the results.
    """

    name: str
    title: str
    reading: str
    arguments: tuple[str, ...] = ()
    markdown: bool = True
    timeout: int = 240
    shown: bool = True


BENCHMARKS: Final = (
    Benchmark(
        "one_day",
        "A day on the hub",
        "24 simulated hours of a real Home Assistant core with the real recorder: default entities, three flexible loads"
        " and usage. Counts and sizes with a budget are checked by `tests/integration/recorder/test_budgets.py` and"
        " `tests/integration/prices/test_coordinator.py`; times and memory are only reported.",
    ),
    Benchmark(
        "publication",
        "Twenty loads when prices arrive",
        "Processor time of callbacks of the event loop, half past one to a quarter to five, by what of the integration was"
        " entered first; the budget is 5 ms each. `tests/integration/loads/test_many.py` checks that loads do not share a"
        " callback.",
    ),
    Benchmark(
        "microbench",
        "What single functions cost",
        "In instructions of the Python interpreter, the same in every run. Growth is the exponent between the smallest"
        " and the largest size: 1 is linear, 0 independent of the size. What C does (sorting, comparing, reading JSON)"
        " counts as single steps. `tests/benchmarks/test_growth.py` checks the growth.",
    ),
    Benchmark(
        "setup_time",
        "Starting",
        "Medians of five. Cold: nothing is stored and Nomos, on the same machine, is asked. Warm: prices are stored."
        " A test checks that a start imports nothing that Home Assistant has not imported anyway.",
    ),
    Benchmark(
        "planner",
        "Planning",
        "Processor time of a plan in milliseconds, median and maximum over several random price tables.",
        ("--tables", "4", "--sizes", "96", "192"),
        markdown=False,
    ),
    Benchmark(
        "savings",
        "A year of loads",
        "What planning costs above the optimum, and against other ways to start, in EUR a year; what it means:"
        " [docs/savings.md](../docs/savings.md).",
        timeout=600,
    ),
    Benchmark(
        "usage_import",
        "Importing usage",
        "Fourteen months of quarter-hours into a recorder's database, in real time."
        " `tests/benchmarks/test_usage_import.py` checks how many objects grow old meanwhile.",
        markdown=False,
    ),
    Benchmark(
        "card",
        "Drawing the card",
        "Script time of a drawing of two days and three loads in Chromium.",
        markdown=False,
    ),
    Benchmark(
        "fleet",
        "A fleet",
        "The scheduling code itself, for up to a million hubs. Tables and pictures: [docs/fleet.md](../docs/fleet.md).",
        ("--write",),
        markdown=False,
        timeout=400,
        shown=False,
    ),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a benchmark: its output, or why there is none."""

    text: str
    failed: bool
    seconds: float


def is_there(one: Benchmark) -> bool:
    """Return whether the program is part of this copy of the project."""
    place = PROJECT / "benchmarks" / one.name
    return place.with_suffix(".py").exists() or place.is_dir()


def run(one: Benchmark) -> Outcome:
    """Run a benchmark in its own process."""
    if not is_there(one):
        return Outcome("Not measured: this part is missing.", True, 0)
    command = [sys.executable, "-m", f"benchmarks.{one.name}", *one.arguments]
    begin = monotonic()
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=one.timeout,
        )
    except subprocess.TimeoutExpired:
        why = f"Not measured: it took longer than {one.timeout} seconds."
        return Outcome(why, True, monotonic() - begin)
    seconds = monotonic() - begin
    if done.returncode:
        said = (done.stderr.strip() or "nothing").splitlines()[-1]
        return Outcome(f"Not measured: it failed, with `{said}`.", True, seconds)
    return Outcome(done.stdout.strip(), False, seconds)


def machine() -> str:
    """Describe the computer, without its name."""
    model = re.search(r"^model name\s*: (.*)$", _read("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    facts = {
        "Processor": f"{model[1] if model else platform.machine()},"
        f" {os.process_cpu_count()} cores",
        "Memory": f"{int(memory[1]) / 1e6:.1f} GB" if memory else "unknown",
        "System": _system(),
        "Python": platform.python_version(),
        "Home Assistant": version("homeassistant"),
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Load at the start": f"{os.getloadavg()[0]:.1f} programs wanted to run at once",
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.system()
    return f"{name}, {platform.system()} {platform.release().split('-')[0]}, {platform.machine()}"


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text() if file.exists() else ""


def section(one: Benchmark, outcome: Outcome) -> str:
    """Return the section of a benchmark in the results."""
    parts = [f"## {one.title}", one.reading]
    if outcome.failed or (one.shown and one.markdown):
        parts.append(outcome.text)
    elif one.shown:
        parts.append(f"```\n{outcome.text}\n```")
    command = " ".join((f"benchmarks.{one.name}", *one.arguments))
    parts.append(f"`.venv/bin/python -m {command}`, {outcome.seconds:.0f} seconds")
    return "\n\n".join(parts)


def main() -> int:
    """Run all or the named benchmarks, and write the results; return the number of failures."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [one.name for one in BENCHMARKS]
    parser.add_argument(
        "only", nargs="*", help=f"of {', '.join(known)}: print these, write nothing"
    )
    only = parser.parse_args().only
    if unknown := set(only) - set(known):
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    begin, about, failed, sections = monotonic(), machine(), 0, []
    for one in BENCHMARKS:
        if only and one.name not in only:
            continue
        print(f"{one.title} …", end=" ", file=sys.stderr, flush=True)
        outcome = run(one)
        failed += outcome.failed
        said = outcome.text if outcome.failed else f"{outcome.seconds:.0f} s"
        print(said, file=sys.stderr, flush=True)
        sections.append(section(one, outcome))
    if only:
        print("\n\n".join(sections))
        return failed
    head = (
        "# Results\n\nWritten by `scripts/bench`, in"
        f" {monotonic() - begin:.0f} seconds. Counts, sizes and steps are the same on any machine, within a few percent;"
        " times are not, and nothing is asserted of them.\n\n" + about
    )
    RESULTS.write_text("\n\n".join([head, *sections]) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
