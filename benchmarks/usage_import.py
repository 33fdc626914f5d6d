"""How long an import of fourteen months of usage blocks a real Home Assistant.

    .venv/bin/python -m benchmarks.usage_import
    .venv/bin/python -m benchmarks.usage_import --count

A Home Assistant core with a recorder on a file, and the simulator in its own process. A ticker in the event loop
measures its own delay. Since other work on the machine delays it, too, it also measures for how long of the delay this
process was running.

Python's full garbage collections stop everything, for longer the more objects there are. One starts once the objects
that have outlived two young collections since the last one are a quarter of all older ones. With ``--count``, these
objects are counted instead of measuring times, since each count takes some 20 ms.
"""

import argparse
import asyncio
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
import gc
from multiprocessing import get_context
from multiprocessing.connection import Connection
import os
from pathlib import Path
import sqlite3
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, thread_time
from types import MappingProxyType
from typing import Any, override

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.runtime import NomosConfigEntry
from custom_components.nomos.statistics import RECORDER
from custom_components.nomos.usage.coordinator import UsageCoordinator
from homeassistant import loader
from homeassistant.bootstrap import async_from_config_dict
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from simulator import Simulator
from simulator.berlin import add_months, local_date, midnight

EMAIL = "smart@example.com"
TICK = 0.002


@dataclass(slots=True)
class Lateness:
    """The delays of the ticker.

    Attributes:
        stretches: start and end of each delay, and for how long of it this process was running; in seconds.
        collections: start and end of each full garbage collection.
        grown_old: the number of objects that outlived two young collections, if they are counted.
        counting: whether they are counted.
    """

    stretches: list[tuple[float, float, float]] = field(default_factory=list)
    collections: list[tuple[float, float]] = field(default_factory=list)
    grown_old: int = 0
    counting: bool = False
    _begin: float = 0.0

    def collecting(self, phase: str, info: dict[str, int]) -> None:
        """Record a garbage collection."""
        if info["generation"] == 1 and self.counting:
            old = len(gc.get_objects(2))
            self.grown_old += old if phase == "stop" else -old
        if info["generation"] != 2:
            return
        if phase == "start":
            self._begin = perf_counter()
        else:
            self.collections.append((self._begin, perf_counter()))

    @property
    def own_delays(self) -> list[float]:
        """Return the delays that this process caused."""
        return [min(end - begin, ran) for begin, end, ran in self.stretches]

    @override
    def __str__(self) -> str:
        """Return the longest delays as text."""
        if self.counting:
            return f"{self.grown_old} objects grew old; {len(self.collections)} full collections"
        wall = longest(end - begin for begin, end, _ in self.stretches)
        collected = longest(end - begin for begin, end in self.collections)
        return (
            f"longest stretches {wall} ms by the clock, {longest(self.own_delays)} ms of"
            f" running; {len(self.collections)} full collections, of {collected} ms"
        )


def longest(seconds: Iterable[float]) -> str:
    """Return the three longest times in milliseconds."""
    return ", ".join(f"{one * 1000:.0f}" for one in sorted(seconds)[-3:]) or "-"


async def tick(lateness: Lateness) -> None:
    """Run every two milliseconds and record each delay."""
    while True:
        due, ran = perf_counter() + TICK, process_time()
        await asyncio.sleep(TICK)
        lateness.stretches.append((due, perf_counter(), process_time() - ran))


@contextmanager
def ticker(loop: asyncio.AbstractEventLoop, counting: bool) -> Iterator[Lateness]:
    """Run the ticker."""
    lateness = Lateness(counting=counting)
    gc.callbacks.append(lateness.collecting)
    task = loop.create_task(tick(lateness))
    try:
        yield lateness
    finally:
        task.cancel()
        gc.callbacks.remove(lateness.collecting)


async def _simulate(months: int, pipe: Connection) -> None:
    simulator = Simulator(seed=7, redirect_uris=("https://example.com",))
    simulator.configure(rate_limit=None)
    await simulator.start()
    customer = simulator.customers[EMAIL]
    (subscription,) = customer.subscriptions
    first = add_months(local_date(datetime.now(UTC)), -months)
    simulator.set_subscription(subscription.id, start_at=midnight(first))
    pipe.send((simulator.url, customer.id, simulator.issue_tokens(EMAIL), first))
    while not await asyncio.to_thread(pipe.poll, 1):
        pass
    pipe.send(len(simulator.requests))
    await simulator.stop()


def simulate(months: int, pipe: Connection) -> None:
    """Run the simulator until a message arrives."""
    asyncio.run(_simulate(months, pipe))


async def link(
    hass: HomeAssistant, customer: str, token: dict[str, Any]
) -> UsageCoordinator:
    """Set up the account as a finished flow does; return its usage coordinator."""
    assert await async_setup_component(hass, "application_credentials", {})
    await async_import_client_credential(
        hass,
        DOMAIN,
        ClientCredential("nomos-home", "nomos-home-secret", "Nomos credentials"),
    )
    expires_at = datetime.now(UTC).timestamp() + token["expires_in"]
    entry: NomosConfigEntry = ConfigEntry(
        data={
            "auth_implementation": DOMAIN,
            "token": {**token, "expires_at": expires_at},
        },
        discovery_keys=MappingProxyType({}),
        domain=DOMAIN,
        minor_version=1,
        options=None,
        source=SOURCE_USER,
        subentries_data=None,
        title="Benchmark",
        unique_id=customer,
        version=1,
    )
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    (usage,) = entry.runtime_data.usage.values()
    return usage


async def core(folder: Path, database: Path) -> HomeAssistant:
    """Return a running Home Assistant with a recorder and little else."""
    hass = HomeAssistant(str(folder))
    loader.async_setup(hass)
    hass.config.skip_pip = True
    config = {
        "homeassistant": {},
        RECORDER: {"db_url": f"sqlite:///{database}", "commit_interval": 5},
    }
    assert await async_from_config_dict(config, hass) is hass
    await hass.async_start()
    return hass


def size_of(database: Path) -> int:
    """Return the size of a database with its write-ahead log."""
    return sum(path.stat().st_size for path in database.parent.glob("home.db*"))


def rows_of(database: Path) -> int:
    """Return the number of hours in the long-term statistics."""
    with closing(sqlite3.connect(database)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM statistics").fetchone()
    return int(rows)


async def measure(folder: Path, months: int, *, counting: bool) -> None:
    """Run an import and measure it."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=simulate, args=(months, theirs))
    process.start()
    try:
        url, customer, token, first = await asyncio.to_thread(ours.recv)
        os.environ["NOMOS_API_URL"] = url
        database = folder / "home.db"
        hass = await core(folder, database)
        usage = await link(hass, customer, token)
        await get_instance(hass).async_block_till_done()
        before = size_of(database)
        if counting:
            # Anything before this is not part of the import.
            gc.collect()
        with ticker(hass.loop, counting) as idle:
            await asyncio.sleep(5)
        begin, worked, own = perf_counter(), process_time(), thread_time()
        with ticker(hass.loop, counting) as busy:
            await usage.async_refresh()
        seconds = perf_counter() - begin
        worked, own = process_time() - worked, thread_time() - own
        assert usage.last_error is None, usage.last_error
        begin_again = perf_counter()
        with ticker(hass.loop, counting) as quiet:
            await usage.async_refresh()
        again = perf_counter() - begin_again
        await hass.async_stop(force=True)
        report(first, seconds, worked, own, again)
        print(f"nothing to do:  {idle}")
        print(f"the import:     {busy}")
        print(f"a daily look:   {quiet}")
        growth = size_of(database) - before
        rows = rows_of(database)
        print(f"{rows} rows, {growth / 1e6:.1f} MB, {growth / rows:.0f} bytes a row")
        ours.send(None)
        print(f"{ours.recv()} requests, the daily look and the link included")
    finally:
        process.terminate()
        process.join()


def report(
    first: date, seconds: float, worked: float, own: float, again: float
) -> None:
    """Print the results."""
    print(
        f"since {first}: {seconds:.1f} s, of which {worked:.1f} s processor time"
        f" ({own:.1f} s in the event loop); the same day again {again:.2f} s"
    )


def main() -> None:
    """Measure an import, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=14)
    parser.add_argument("--count", action="store_true", help="count objects, not time")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), arguments.months, counting=arguments.count))


if __name__ == "__main__":
    main()
