"""A clock for real processes that a test moves; the test itself keeps the real time.

libfaketime is loaded into Home Assistant and the simulator, and reads from a file how far their clocks are from the
real one. Between two moves their time runs as fast as ours.

There are two ways to move a clock:

- `leap` skips time, monotonic clocks included: every timer that is due by then fires. Only forward.
- `set` sets the clock as a person or NTP would, in either direction: running timers are not affected.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
import os
from pathlib import Path
import subprocess
import sys
from typing import Final

import pytest

from scripts.hub_client import HubClient
from scripts.processes import clean_environment

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only on Linux can the clock of a process be moved"
)
"""Marks tests with a moved clock."""

KERNEL: Final = Path(__file__).parent / "kernel"

_NAME: Final = "faketime/libfaketimeMT.so.1"
_FOLDERS: Final = (
    Path(sys.base_prefix) / "lib",
    Path("/usr/lib"),
    Path("/usr/local/lib"),
)

_PROBE: Final = (
    "import threading, time; threading.Event().wait(0.01); print(time.time())"
)


class NoClockError(Exception):
    """The clock of a process cannot be moved on this machine."""


class MovedClock:
    """A clock that runs on from a given instant, for all processes with its environment."""

    def __init__(
        self, folder: Path, start: datetime, *, settable: bool = False
    ) -> None:
        """Write the clock's files into an existing folder.

        A settable clock is moved by `set`, any other one by `leap`. Raises NoClockError.
        """
        self._file = folder / "moved_clock"
        self._offset = timedelta()
        self._pipe = folder / "moved_clock_pipe" if settable else None
        if self._pipe is not None:
            os.mkfifo(self._pipe)
        self._move(start)
        self.environment: Mapping[str, str] = {
            **_preloaded(self._file),
            **_settable(self._pipe),
        }

    def now(self) -> datetime:
        """Return what the clock shows."""
        return datetime.now(UTC) + self._offset

    async def leap(self, client: HubClient, to: datetime) -> None:
        """Skip the time until an instant; return once the hub has noticed.

        Timers that are due have then fired, but what they started may not be finished: wait for its result. A request
        that is under way during the leap times out.
        """
        assert self._pipe is None
        assert to >= self.now()
        # Home Assistant closes a websocket whose client does not answer in time.
        await client.disconnect()
        self._move(to)
        # The first request wakes the event loop, which runs all due timers before it reads the second one.
        for _ in range(2):
            await client.get("/api/")

    def set(self, to: datetime) -> None:
        """Set the clock to an instant."""
        assert self._pipe is not None
        self._move(to)
        # Every waiting timer reads eight bytes, and there are few timers.
        with self._pipe.open("wb", buffering=0) as pipe:
            pipe.write(bytes(64))

    def _move(self, to: datetime) -> None:
        self._offset = to - datetime.now(UTC)
        # The processes may read the file at any moment, so it is replaced atomically.
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._offset.total_seconds():+f}\n")
        new.replace(self._file)


def _preloaded(file: Path) -> dict[str, str]:
    return {
        "LD_PRELOAD": str(library()),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DISABLE_SHM": "1",
        # If the times of files were moved, too, compiled files would count as outdated.
        "NO_FAKE_STAT": "1",
    }


def _settable(pipe: Path | None) -> dict[str, str]:
    if pipe is None:
        return {}
    return {
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Otherwise threads that wait for a lock spin instead of sleeping.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "MOVED_CLOCK_PIPE": str(pipe),
        "PYTHONPATH": str(KERNEL),
    }


@cache
def library() -> Path:
    """Return the path of a libfaketime that works with this interpreter; raise NoClockError if there is none."""
    found = [
        path
        for folder in _FOLDERS
        for pattern in (f"*/{_NAME}", _NAME)
        for path in sorted(folder.glob(pattern))
    ]
    for path in found:
        if _works(path):
            return path
    seen = f" {found[0]} does not work with this Python:" if found else ""
    raise NoClockError(
        f"no clock can be moved here:{seen} install libfaketime 0.9.12 or newer (Debian: libfaketime)"
    )


def _works(path: Path) -> bool:
    """Return whether Python can wait under a moved clock: older versions of libfaketime miss calls that 3.14 uses."""
    moved = {"LD_PRELOAD": str(path), "FAKETIME": "+10y"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            env=clean_environment(moved),
            capture_output=True,
            timeout=10,
            check=True,
            text=True,
        )
    except subprocess.SubprocessError:
        return False
    return float(done.stdout) > datetime.now(UTC).timestamp() + 9e7
