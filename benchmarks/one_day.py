"""What a day costs a hub.

    .venv/bin/python -m benchmarks.one_day

A real Home Assistant core with the real recorder on a file, the default entities, three flexible loads and the usage
of a contract that began in the month before last. The simulated Nomos is another process. The clock jumps from one
timer to the next, so that everything that is scheduled within 24 hours happens. The day begins two hours after the
account was linked. It is simulated three times, each in a process of its own: with the integration, without it, and
with it while memory is traced.
"""

import argparse
import asyncio
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
import gc
import json
import os
from pathlib import Path
import random
import subprocess
import sys
from tempfile import TemporaryDirectory
import tracemalloc
from typing import Any, Final

from custom_components.nomos.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.recorder import get_instance

from . import budgets
from .database import Contents, contents_of
from .fake_time import FakeTime, LeapingClock
from .hub import DATABASE, enter_account, hub
from .monitors import PACKAGE, LoopTime, States, Writes
from .simulator_process import SimulatorProcess, simulator_process
from .tables import table

START: Final = datetime(2026, 6, 10, 8, 3, 7, tzinfo=UTC)
CONTRACT_BEGIN: Final = date(2026, 4, 20)
WARM_UP: Final = timedelta(hours=2)
HOUR: Final = timedelta(hours=1)
HOURS: Final = 24


class Play(StrEnum):
    """How a day is simulated."""

    WITH = "with"
    WITHOUT = "without"
    TRACED = "traced"


@dataclass(slots=True)
class Day:
    """The measurements of a day.

    Attributes:
        begin: requests by kind from linking to the start of the day, including those of the usage import.
        requests: requests of the day by kind.
        entities: the number of the contract's default entities.
        load_entities: the number of the three loads' entities.
        changed: the number of changed states that were written, by entity.
        in_vain: the number of unchanged states that were written, by entity.
        largest: the entity with the largest attributes, and their size as JSON in bytes.
        before: the integration's contents in the database before the day.
        after: the same after the day.
        loop_seconds: processor time of our callbacks in the event loop, in seconds.
        loop_longest: that of the longest of them.
        loop_causes: their sum by the first function that was entered.
        storage_times: the number of writes to files in `.storage`.
        storage_bytes: the number of bytes written to them.
        resident: resident memory of the process after the day, in bytes.
        peak: its highest value.
        traced: the memory allocated by our code after each hour, in bytes.
    """

    begin: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    entities: int = 0
    load_entities: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    in_vain: dict[str, int] = field(default_factory=dict)
    largest: tuple[str, int] = ("", 0)
    before: Contents = field(default_factory=Contents)
    after: Contents = field(default_factory=Contents)
    loop_seconds: float = 0.0
    loop_longest: float = 0.0
    loop_causes: dict[str, float] = field(default_factory=dict)
    storage_times: dict[str, int] = field(default_factory=dict)
    storage_bytes: dict[str, int] = field(default_factory=dict)
    resident: int = 0
    peak: int = 0
    traced: list[int] = field(default_factory=list)


def memory(key: str) -> int:
    """Return a figure of this process's memory in bytes: VmRSS is the current one, VmHWM the peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def traced_bytes() -> int:
    """Return the bytes that the integration's code has allocated and not freed."""
    ours = tracemalloc.Filter(inclusive=True, filename_pattern=f"{PACKAGE}/*")
    snapshot = tracemalloc.take_snapshot().filter_traces([ours])
    return sum(one.size for one in snapshot.statistics("filename"))


async def _contents(hass: HomeAssistant, folder: Path, ours: list[str]) -> Contents:
    await get_instance(hass).async_block_till_done()
    return await hass.async_add_executor_job(contents_of, folder / DATABASE, ours)


def _entities(hass: HomeAssistant, entry_id: str) -> list[er.RegistryEntry]:
    entries = er.async_entries_for_config_entry(er.async_get(hass), entry_id)
    return [one for one in entries if one.disabled_by is None]


async def play(folder: Path, nomos: SimulatorProcess, how: Play) -> Day:
    """Simulate a day and return its measurements."""
    fake, day = FakeTime(START, nomos.move_to), Day()
    random.seed(7)
    with fake.replace_real():
        async with hub(folder, recorder=True) as hass:
            clock = LeapingClock(hass, fake)
            entry_id = ""
            if how is not Play.WITHOUT:
                entry = await enter_account(hass, nomos, loads=True)
                entry_id = entry.entry_id
                await clock.drive(hass.config_entries.async_setup(entry_id))
                assert entry.state is ConfigEntryState.LOADED
            await clock.advance(WARM_UP)
            entities = _entities(hass, entry_id)
            ours = [one.entity_id for one in entities]
            day.begin = dict(nomos.requests())
            day.before = await _contents(hass, folder, ours)
            loop, writes, states = LoopTime(), Writes(), States()
            with writes.watching(), states.watching(hass):
                if how is Play.TRACED:
                    for _ in range(HOURS):
                        await clock.advance(HOUR)
                        day.traced.append(traced_bytes())
                else:
                    with loop.watching():
                        await clock.advance(HOURS * HOUR)
            day.requests = dict(nomos.requests())
            day.after = await _contents(hass, folder, ours)
            clock.release()
            gc.collect()
            day.resident, day.peak = memory("VmRSS"), memory("VmHWM")
            day.load_entities = sum(
                one.config_subentry_id is not None for one in entities
            )
            day.entities = len(entities) - day.load_entities
            day.changed = {one: states.changed[one] for one in ours}
            day.in_vain = {
                one: states.in_vain[one] for one in ours if states.in_vain[one]
            }
            day.largest = _largest(hass, ours)
            day.loop_seconds = sum(loop.stretches)
            day.loop_longest = max(loop.stretches, default=0.0)
            day.loop_causes = dict(loop.causes)
            day.storage_times, day.storage_bytes = (
                dict(writes.times),
                dict(writes.bytes),
            )
    return day


def _largest(hass: HomeAssistant, ours: list[str]) -> tuple[str, int]:
    sizes = {
        one: len(json_bytes(state.attributes))
        for one in ours
        if (state := hass.states.get(one)) is not None
    }
    return max(sizes.items(), key=lambda item: item[1], default=("", 0))


def play_here(how: Play) -> Day:
    """Simulate a day in this process."""
    if how is Play.TRACED:
        tracemalloc.start()
    with (
        TemporaryDirectory() as folder,
        simulator_process(START, CONTRACT_BEGIN) as nomos,
    ):
        os.environ["NOMOS_API_URL"] = nomos.url
        return asyncio.run(play(Path(folder), nomos, how))


def play_all() -> dict[Play, dict[str, Any]]:
    """Simulate the day in every way, one after the other, each in its own process."""
    found = {}
    for how in Play:
        command = [sys.executable, "-m", "benchmarks.one_day", "--play", how]
        done = subprocess.run(
            command, check=True, timeout=400, stdout=subprocess.PIPE, text=True
        )
        found[how] = json.loads(done.stdout.splitlines()[-1])
    return found


def _counted(kinds: dict[str, int]) -> str:
    pairs = sorted(kinds.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in pairs)


def _grown(day: dict[str, Any], key: str) -> Counter[str]:
    grown = Counter(day["after"][key])
    grown.subtract(day["before"][key])
    return Counter({name: count for name, count in grown.items() if count})


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


type _Row = tuple[str, object, object, str]
"""The name of a figure, its value, its budget, details."""


def _counts(day: dict[str, Any]) -> list[_Row]:
    """Return requests, entities and states."""
    loud = Counter(day["changed"]).most_common(3)
    return [
        (
            "HTTP requests",
            sum(day["requests"].values()),
            budgets.REQUESTS,
            _counted(day["requests"]),
        ),
        (
            "entities by default",
            f"{day['entities']} + {day['load_entities']} of loads",
            "about a dozen and those for diagnosis; 12 a load",
            "",
        ),
        (
            "states written",
            sum(day["changed"].values()),
            budgets.STATES,
            "most: " + ", ".join(f"`{name}` {count}" for name, count in loud),
        ),
        ("states written in vain", sum(day["in_vain"].values()), 0, ""),
    ]


def _disk(day: dict[str, Any], without: dict[str, Any]) -> list[_Row]:
    """Return the figures of the database and of files."""
    rows, grown = _grown(day, "rows"), _grown(day, "file")["bytes"]
    grown_without = _grown(without, "file")["bytes"]
    times, sizes = Counter(day["storage_times"]), Counter(day["storage_bytes"])
    mine = sum(size for name, size in sizes.items() if name.startswith(DOMAIN))
    files = ", ".join(
        f"`{name}` {times[name]}× {size:,} B" for name, size in sizes.most_common()
    )
    largest, size = day["largest"]
    return [
        ("rows in the recorder", sum(rows.values()), budgets.ROWS, _counted(rows)),
        (
            "growth of the database",
            f"{(grown - grown_without) / 1000:.0f} kB",
            f"{budgets.DATABASE_BYTES / 1000:.0f} kB",
            f"{grown / 1000:.0f} kB with, {grown_without / 1000:.0f} kB without the integration",
        ),
        (
            "largest attributes of a state",
            f"{size / 1000:.1f} kB",
            f"{budgets.ATTRIBUTE_BYTES / 1000:.1f} kB; {budgets.RECORDED_BYTES} B recorded",
            f"`{largest}`; the largest that is recorded: {day['after']['attributes']} B",
        ),
        (
            "written to `.storage` by us",
            f"{mine / 1000:.1f} kB",
            f"{budgets.STORAGE_BYTES / 1000:.0f} kB",
            files,
        ),
    ]


def _computing(
    day: dict[str, Any], without: dict[str, Any], traced: dict[str, Any]
) -> list[_Row]:
    """Return the figures of the event loop and of memory."""
    causes = Counter(day["loop_causes"]).most_common(3)

    def memory_row(name: str, key: str, note: str) -> _Row:
        both = f"{_megabytes(day[key])} with, {_megabytes(without[key])} without"
        return name, _megabytes(day[key] - without[key]), "reported", f"{both}{note}"

    return [
        (
            "event loop, in all",
            f"{day['loop_seconds'] * 1000:.0f} ms",
            "reported",
            "first entered: "
            + ", ".join(f"`{name}` {1000 * one:.0f} ms" for name, one in causes),
        ),
        (
            "event loop, longest stretch",
            f"{day['loop_longest'] * 1000:.1f} ms",
            "reported",
            "full garbage collections not counted",
        ),
        memory_row("resident memory", "resident", " the integration"),
        memory_row("peak memory", "peak", "; linking and importing included"),
        (
            "held by our own lines",
            _megabytes(traced["traced"][-1]),
            "reported",
            f"after each hour at most {_megabytes(max(traced['traced']))}; by the tracer",
        ),
    ]


def report(found: dict[Play, dict[str, Any]]) -> str:
    """Return the figures with their budgets as a Markdown table."""
    day, without, traced = (found[how] for how in Play)
    return table(
        ("in 24 hours", "measured", "budget", "in detail"),
        [*_counts(day), *_disk(day, without), *_computing(day, without, traced)],
    ) + (
        f"\nBefore that day, linking and importing the usage since {CONTRACT_BEGIN} took"
        f" {sum(day['begin'].values())} requests: {_counted(day['begin'])}.\n"
    )


def main() -> None:
    """Measure a day, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--play",
        type=Play,
        help="simulate the day in one way and print the result as JSON",
    )
    how = parser.parse_args().play
    print(report(play_all()) if how is None else json.dumps(asdict(play_here(how))))


if __name__ == "__main__":
    main()
