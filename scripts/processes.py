"""Programs that scripts and tests start, monitor and stop.

These are not asyncio's processes since, in tests, a process outlives the event loop in which it was started.
"""

import asyncio
from collections.abc import Mapping, Sequence
import contextlib
import os
from pathlib import Path
import signal
import socket
import subprocess
from typing import Self


class ChildError(Exception):
    """A child ended or did not start; the message has the last lines of its output."""


class Child:
    """A program in its own process group, whose output goes to a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str],
    ) -> None:
        """Start the program."""
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=clean_environment(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches only the parent, which stops its children in the right order.
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def output(self) -> str:
        """The output of this run so far."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def last_lines(self, lines: int = 20) -> str:
        """The last lines of the output of this run."""
        return "\n".join(self.output().splitlines()[-lines:])

    def ensure_running(self) -> None:
        """Raise ChildError if the program has ended."""
        if self.exit_code is not None:
            raise ChildError(
                f"{self.name} ended with exit code {self.exit_code}. Its last lines:\n{self.last_lines()}"
            )

    async def wait_for_output(self, text: str, *, timeout: float) -> str:
        """Wait for a line that contains the text; return it."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for line in self.output().splitlines():
                        if text in line:
                            return line
                    self.ensure_running()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise ChildError(
                f"{self.name} did not print {text!r}. Its last lines:\n{self.last_lines()}"
            ) from None

    async def stop(self, *, patience: float = 20) -> None:
        """Ask the program to exit; kill it if it does not."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.exit_code is None:
                    await asyncio.sleep(0.05)
        self.kill()

    def kill(self) -> None:
        """Kill the program and everything that it started."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        # The id of a reaped leader may be reused by another process, but not while its group has members; a group
        # without members raises ProcessLookupError, or on a Mac PermissionError.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def __enter__(self) -> Self:
        """Use the child in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the program."""
        self.kill()


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with additions, prepared for a child."""
    # Without compiled files, every start of Home Assistant takes seconds longer.
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Return whether a program could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
