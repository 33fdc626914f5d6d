"""How long a house with twenty loads blocks the event loop when tomorrow's prices arrive.

    .venv/bin/python -m benchmarks.publication

A real Home Assistant core with the real recorder on a file and all default entities. The simulated Nomos is another
process. Between 13:30 and 16:45, tomorrow's prices arrive and are corrected; the clock jumps from one timer to the
next. The processor time of each callback of the event loop in which code of the integration ran is measured.
"""

import argparse
import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
import os
from pathlib import Path
import random
from tempfile import TemporaryDirectory
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers import entity_registry as er

from .fake_time import FakeTime, LeapingClock
from .hub import LOADS, add_loads, enter_account, hub
from .monitors import LoopTime, States
from .simulator_process import SimulatorProcess, simulator_process
from .tables import table

START: Final = datetime(2026, 6, 10, 9, 3, 7, tzinfo=UTC)
CONTRACT_BEGIN: Final = date(2026, 6, 1)
BEFORE: Final = timedelta(hours=2, minutes=15)
AFTERNOON: Final = timedelta(hours=3, minutes=30)
_KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    **LOADS,
    "Washer": {
        "duration": {"hours": 2},
        "end": "07:00:00",
        "repeat": "on_demand",
        "power": 0.5,
        "devices": ["input_boolean.device"],
    },
    "My car": {
        "capacity": 60,
        "power": 11,
        "charge_sensor": "sensor.charge",
        "target": 80,
        "lowest_charge": 10,
        "plugged_sensor": "binary_sensor.plugged",
        "repeat": "on_demand",
        "end": "07:00:00",
        "min_run": 30,
        "min_pause": 15,
        "devices": ["input_boolean.device"],
    },
}


def loads(count: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield loads of all kinds in turn: names and settings."""
    kinds = list(_KINDS.items())
    for number in range(count):
        name, settings = kinds[number % len(kinds)]
        own = dict(settings)
        if "devices" in own:
            own["devices"] = [f"input_boolean.device_{number}"]
        yield f"{name} {number}", own


async def play(folder: Path, nomos: SimulatorProcess, count: int) -> str:
    """Simulate the publication for a number of loads; return the results as a Markdown table."""
    fake = FakeTime(START, nomos.move_to)
    random.seed(7)
    with fake.replace_real():
        async with hub(folder, recorder=True) as hass:
            clock = LeapingClock(hass, fake)
            hass.states.async_set("sensor.charge", "30", {"unit_of_measurement": "%"})
            hass.states.async_set("binary_sensor.plugged", "on")
            for number in range(count):
                hass.states.async_set(f"input_boolean.device_{number}", "off")
            entry = await enter_account(hass, nomos, loads=False)
            add_loads(hass, entry, dict(loads(count)))
            await clock.drive(hass.config_entries.async_setup(entry.entry_id))
            assert entry.state is ConfigEntryState.LOADED
            for load in entry.runtime_data.loads.all.values():
                load.async_switch(on=True)
            await clock.advance(BEFORE)
            nomos.requests()
            loop, states = LoopTime(), States()
            with states.watching(hass), loop.watching():
                await clock.advance(AFTERNOON)
            ours = [
                one.entity_id
                for one in er.async_entries_for_config_entry(
                    er.async_get(hass), entry.entry_id
                )
                if one.disabled_by is None
            ]
            clock.release()
            written = sum(states.changed[one] for one in ours)
            in_vain = sum(states.in_vain[one] for one in ours)
            requests = sum(nomos.requests().values())
    return report(loop) + (
        f"\n{count} loads, {len(ours)} entities: {written} states written, {in_vain} in vain, {requests} requests,"
        f" {len(loop.stretches)} callbacks.\n"
    )


def report(loop: LoopTime) -> str:
    """Return the longest callbacks by the first function that was entered."""
    longest = sorted(loop.longest.items(), key=lambda item: -item[1])
    rows = [
        (f"`{name}`", f"{1000 * taken:.1f} ms", f"{1000 * loop.causes[name]:.0f} ms")
        for name, taken in longest[:8]
    ]
    return table(("first entered", "longest callback", "all of them"), rows)


def main() -> None:
    """Measure the publication, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, default=20)
    count = parser.parse_args().loads
    with (
        TemporaryDirectory() as folder,
        simulator_process(START, CONTRACT_BEGIN) as nomos,
    ):
        os.environ["NOMOS_API_URL"] = nomos.url
        print(asyncio.run(play(Path(folder), nomos, count)))


if __name__ == "__main__":
    main()
