"""How long the integration takes to start.

    .venv/bin/python -m benchmarks.setup_time

Setup of an account: from ``async_setup_entry`` to the first state of the price, cold (nothing is stored, so requests
are sent) and warm (prices are stored), on a real Home Assistant core with the simulated Nomos in another process.
Imports: every module that a start needs, in a fresh interpreter that has already imported Home Assistant.
"""

import argparse
import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
from statistics import median
import subprocess
import sys
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, callback

from .hub import enter_account, hub
from .simulator_process import SimulatorProcess, simulator_process
from .tables import table

ROUNDS: Final = 5

HOME: Final = (
    "homeassistant.bootstrap",
    "homeassistant.components.application_credentials",
    "homeassistant.components.binary_sensor",
    "homeassistant.components.calendar",
    "homeassistant.components.recorder.statistics",
    "homeassistant.components.sensor",
    "homeassistant.helpers.config_entry_oauth2_flow",
    "homeassistant.helpers.update_coordinator",
)
"""Modules that a hub imports before the integration."""

START_UP: Final = (
    "custom_components.nomos",
    "custom_components.nomos.application_credentials",
    "custom_components.nomos.binary_sensor",
    "custom_components.nomos.calendar",
    "custom_components.nomos.config_flow",
    "custom_components.nomos.sensor",
)
"""The integration's modules that Home Assistant imports at startup."""

_IMPORT: Final = f"""
import importlib, json, sys, time
for name in {HOME!r}:
    importlib.import_module(name)
known = set(sys.modules)
print("BEGIN", file=sys.stderr, flush=True)
begin, clock = time.process_time(), time.perf_counter()
for name in {START_UP!r}:
    importlib.import_module(name)
taken = time.process_time() - begin, time.perf_counter() - clock
print(json.dumps([*taken, sorted(set(sys.modules) - known)]))
"""


@dataclass(frozen=True, slots=True)
class Imports:
    """The cost of importing the integration.

    Attributes:
        processor: its processor time in seconds.
        wall: its wall-clock time in seconds.
        modules: the modules that Home Assistant had not imported before.
        heaviest: the slowest of them, each including its imports, in microseconds.
    """

    processor: float
    wall: float
    modules: tuple[str, ...]
    heaviest: tuple[tuple[str, int], ...] = ()

    @property
    def foreign(self) -> list[str]:
        """Return the modules that do not belong to the integration."""
        return [one for one in self.modules if not one.startswith("custom_components")]


def imports(*, detailed: bool = False) -> Imports:
    """Import the integration in a fresh interpreter that has already imported Home Assistant."""
    options = ["-X", "importtime"] if detailed else []
    done = subprocess.run(
        [sys.executable, *options, "-c", _IMPORT],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[1],
    )
    processor, wall, modules = json.loads(done.stdout.splitlines()[-1])
    listed = done.stderr.partition("BEGIN\n")[2].splitlines()
    times = [
        (name.strip(), int(cumulative))
        for line in listed
        if line.startswith("import time:")
        for _, cumulative, name in [line.removeprefix("import time:").split("|")]
        if cumulative.strip().isdigit() and name.strip() in modules
    ]
    heaviest = sorted(times, key=lambda item: -item[1])
    return Imports(processor, wall, tuple(modules), tuple(heaviest))


async def start(
    folder: Path, nomos: SimulatorProcess, *, keep: Any = None
) -> tuple[float, float, Any]:
    """Set up the account in a new hub; return the wall-clock and processor seconds, and the entry's data."""
    async with hub(folder, recorder=False) as hass:
        entry = await enter_account(hass, nomos, loads=True)
        if keep is not None:
            hass.config_entries.async_update_entry(entry, data=keep)
        first = _first_state(hass)
        begin, ran = perf_counter(), process_time()
        setup = asyncio.ensure_future(hass.config_entries.async_setup(entry.entry_id))
        async with asyncio.timeout(60):
            await first
        taken = perf_counter() - begin, process_time() - ran
        await setup
        assert entry.state is ConfigEntryState.LOADED
        await hass.async_block_till_done()
        return *taken, dict(entry.data)


def _first_state(hass: HomeAssistant) -> asyncio.Future[None]:
    found: asyncio.Future[None] = hass.loop.create_future()

    @callback
    def see(event: Event[Any]) -> None:
        if event.data["entity_id"].endswith("current_price") and not found.done():
            found.set_result(None)

    hass.bus.async_listen(EVENT_STATE_CHANGED, see)
    return found


def starts() -> dict[str, list[tuple[float, float]]]:
    """Set up cold and warm, several times each."""
    found: dict[str, list[tuple[float, float]]] = {"cold": [], "warm": []}
    now = datetime.now(UTC)
    with simulator_process(now, (now - timedelta(days=3)).date()) as nomos:
        os.environ["NOMOS_API_URL"] = nomos.url
        for _ in range(ROUNDS):
            with TemporaryDirectory() as folder:
                keep = None
                for how, taken in found.items():
                    wall, ran, keep = asyncio.run(start(Path(folder), nomos, keep=keep))
                    taken.append((wall, ran))
                    asked = sum(nomos.requests().values())
                    assert (asked > 0) == (how == "cold")
    return found


def report() -> str:
    """Return the figures as Markdown."""
    rows = [
        (
            f"set-up to the first price, {how}",
            f"{median(wall for wall, _ in taken) * 1000:.0f} ms",
            f"{median(ran for _, ran in taken) * 1000:.0f} ms",
            "3 requests" if how == "cold" else "no request",
        )
        for how, taken in starts().items()
    ]
    runs = sorted((imports() for _ in range(ROUNDS)), key=lambda one: one.processor)
    middle, detailed = runs[ROUNDS // 2], imports(detailed=True)
    others = ", ".join(f"`{name}`" for name in middle.foreign) or "none"
    rows.append(
        (
            "importing the package",
            f"{middle.wall * 1000:.0f} ms",
            f"{middle.processor * 1000:.0f} ms",
            f"{len(middle.modules)} modules, of others: {others}",
        )
    )
    own = [
        (f"`{name.removeprefix('custom_components.')}`", f"{taken / 1000:.1f} ms")
        for name, taken in detailed.heaviest[:8]
    ]
    return (
        table(("start", "by the clock", "processor", "in detail"), rows)
        + "\nThe longest imports, each with what it imports in turn, as `-X importtime` tells (which makes them"
        " longer):\n\n" + table(("module", "time"), own)
    )


def main() -> None:
    """Measure setups and imports, and print the results."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(report())


if __name__ == "__main__":
    main()
