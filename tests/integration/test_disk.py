"""Tests of a disk that is full or read-only for a while: no new data is lost."""

from collections.abc import Iterator
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import errno
import json
import os
from pathlib import Path
import subprocess

import pytest

from custom_components.nomos.loads.ledger import EMPTY_LEDGER
from custom_components.nomos.loads.manager import load_file
from custom_components.nomos.loads.plan import LoadMemory
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from tests.integration.helpers import (
    EMAIL,
    HOUR,
    Advance,
    assert_right,
    reauth_flows,
    restart,
)
from tests.integration.loads.helpers import add, moment, runs_now, until

QUARTER = timedelta(minutes=15)


class Disk:
    """A small file system that is mounted at a folder."""

    def __init__(self, folder: Path) -> None:
        """Mount it."""
        self.folder = folder
        folder.mkdir(exist_ok=True)
        _mount("-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder))

    def break_it(self, kind: str) -> None:
        """Make the disk full or read-only."""
        if kind == "full":
            with (
                contextlib.suppress(OSError),
                (self.folder / "others").open("wb", buffering=0) as file,
            ):
                while True:
                    file.write(bytes(4096))
        else:
            _mount("-o", "remount,ro", str(self.folder))

    def repair(self, kind: str) -> None:
        """Make the disk writable again."""
        if kind == "full":
            (self.folder / "others").unlink()
        else:
            _mount("-o", "remount,rw", str(self.folder))

    def unmount(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", str(self.folder)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@pytest.fixture
def disk(hass: HomeAssistant) -> Iterator[Disk]:
    """Put Home Assistant's storage folder on its own small file system."""
    try:
        disk = Disk(Path(hass.config.path(".storage")))
    except OSError, subprocess.CalledProcessError:
        pytest.skip("this user may not mount a file system")
    yield disk
    disk.unmount()


def on_disk(files, entry):
    """Return the refresh token in the journal."""
    path = files("token")[f"nomos.token.{entry.entry_id}"]
    return json.loads(path.read_text())["data"]["token"]["refresh_token"]


def messages(caplog, text, name):
    """Return the log lines about a file."""
    return [
        one
        for one in caplog.records
        if text in one.getMessage()
        and name in one.getMessage()
        and one.levelname != "DEBUG"
    ]


@pytest.mark.parametrize("trouble", ["full", "read-only"])
@pytest.mark.parametrize("then", ["request", "boundary", "unload", "stop"])
async def test_token_is_written_again(
    hass: HomeAssistant,
    nomos,
    linked,
    advance: Advance,
    files,
    caplog,
    disk: Disk,
    trouble,
    then,
) -> None:
    """A token that could not be written is on disk after the next event, and in use after a power cut."""
    entry = await linked()
    account = entry.runtime_data.account
    nomos.expire_access_tokens(EMAIL)
    await account.async_refresh()
    stored = dict(entry.data)
    caplog.clear()
    disk.break_it(trouble)
    for _ in range(2):
        nomos.expire_access_tokens(EMAIL)
        await account.async_refresh()
    await account.async_refresh()
    newest = entry.data["token"]["refresh_token"]
    assert on_disk(files, entry) == stored["token"]["refresh_token"] != newest
    disk.repair(trouble)
    if then == "request":
        await account.async_refresh()
    elif then == "boundary":
        requests = len(nomos.requests)
        await advance(QUARTER)
        assert len(nomos.requests) == requests
    elif then == "unload":
        assert await hass.config_entries.async_unload(entry.entry_id)
    else:
        hass.bus.async_fire_internal(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await hass.async_block_till_done()
    assert on_disk(files, entry) == newest
    assert len(messages(caplog, "Could not write", "nomos.token")) == 1
    assert len(messages(caplog, "can be written again", "nomos.token")) == 1
    assert not [name for name in files() if name.endswith(".tmp")]

    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data=stored)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None
    assert not reauth_flows(hass)


async def test_token_is_written_again_without_prices(
    hass: HomeAssistant, nomos, linked, advance: Advance, files, disk: Disk
) -> None:
    """Without prices and requests there is no boundary, but the token is still on disk soon."""
    nomos.faults.add("set_fields", "prices", values={"items": []})
    entry = await linked()
    nomos.faults.clear()
    nomos.faults.add("rate_limit", "prices", retry_after=7200)
    disk.break_it("full")
    old = {**entry.data["token"], "expires_at": datetime.now(UTC).timestamp()}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": old})
    await advance(timedelta(minutes=40))
    newest = entry.data["token"]["refresh_token"]
    assert newest != old["refresh_token"]
    assert not files("token")
    disk.repair("full")
    requests = len(nomos.requests)
    await advance(QUARTER + timedelta(seconds=7))
    assert len(nomos.requests) == requests
    assert on_disk(files, entry) == newest


async def test_reload_on_a_full_disk(
    hass: HomeAssistant, nomos, linked, advance: Advance, files, disk: Disk
) -> None:
    """The predecessors of the newest token are known even if the account is reloaded meanwhile."""
    entry = await linked()
    stored = dict(entry.data)
    disk.break_it("full")
    for _ in range(3):
        nomos.expire_access_tokens(EMAIL)
        await entry.runtime_data.account.async_refresh()
        await restart(hass, entry)
    newest = entry.data["token"]["refresh_token"]
    disk.repair("full")
    await advance(QUARTER)
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data=stored)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.data["token"]["refresh_token"] == newest


async def test_token_lasts_while_the_journal_is_behind(
    hass: HomeAssistant, nomos, linked, files, disk: Disk
) -> None:
    """As long as no new token can be stored, the old one is used until Nomos rejects it."""
    entry = await linked()
    account = entry.runtime_data.account

    async def ask_late() -> int:
        """Send a request after the token has expired by the hub's clock; return the number of token requests."""
        token = {**entry.data["token"], "expires_at": datetime.now(UTC).timestamp() - 7}
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "token": token}
        )
        before = nomos.count("token")
        await account.async_refresh()
        assert account.last_error is None
        asked: int = nomos.count("token") - before
        return asked

    assert await ask_late() == 1
    disk.break_it("full")
    assert await ask_late() == 1
    assert await ask_late() == 0
    nomos.expire_access_tokens(EMAIL)
    assert await ask_late() == 1
    newest = entry.data["token"]["refresh_token"]
    assert await ask_late() == 0
    disk.repair("full")
    assert await ask_late() == 1
    assert on_disk(files, entry) == entry.data["token"]["refresh_token"] != newest


@pytest.mark.usefixtures("german_hub")
@pytest.mark.parametrize("trouble", ["full", "read-only"])
async def test_everything_is_written_again(
    hass: HomeAssistant,
    nomos,
    linked,
    advance: Advance,
    files,
    subscription,
    caplog,
    disk: Disk,
    trouble,
) -> None:
    """Prices, contracts, usage and loads that could not be written are on disk after the next boundary."""
    disk.break_it(trouble)
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="18:00:00")
    await until(advance, moment(hass, load_id, "next_start"))
    await advance(timedelta(seconds=7))
    assert runs_now(hass, load_id)
    assert not [path for path in files().values() if path.stat().st_size]
    disk.repair(trouble)
    await advance(QUARTER)
    kinds = {"account", "prices", "usage", "loads"}
    assert {name.split(".")[1] for name in files()} >= kinds
    for kind in kinds:
        assert len(messages(caplog, "Could not write", f"nomos.{kind}")) == 1
        assert len(messages(caplog, "can be written again", f"nomos.{kind}")) == 1
    load, requests = entry.runtime_data.loads.all[load_id], len(nomos.requests)
    await restart(hass, entry)
    assert entry.runtime_data.loads.all[load_id].memory == load.memory
    assert load.memory.task is not None
    assert len(nomos.requests) == requests
    assert_right(hass, nomos, subscription)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
async def test_file_system_without_fsync(
    hass: HomeAssistant, nomos, linked, files, caplog, monkeypatch, number
) -> None:
    """Files are also written on a file system without fsync."""

    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", refuse)
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    assert on_disk(files, entry) == entry.data["token"]["refresh_token"]
    assert "Could not write" not in caplog.text


@pytest.fixture
def load_writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which every write of the loads is added."""
    written: list[str] = []
    fsync = os.fsync

    def count(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        if name.startswith("nomos.loads."):
            written.append(name)
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", count)
    return written


@pytest.mark.usefixtures("german_hub")
async def test_writes_of_a_day_with_twenty_loads(
    hass: HomeAssistant, nomos, linked, advance: Advance, load_writes, report_figures
) -> None:
    """Loads that begin at the same time cause one write."""
    entry = await linked()
    for number in range(20):
        hours, minutes = divmod(30 + 15 * (number % 7), 60)
        await add(
            hass,
            entry,
            name=f"Load {number}",
            duration={"hours": hours, "minutes": minutes, "seconds": 0},
            start=f"{number % 4 * 6:02}:00:00",
            end=f"{(number % 4 * 6 + 12) % 24:02}:00:00",
            contiguous=number % 3 > 0,
        )
    # The time at which they were added is written, too.
    await advance(timedelta(seconds=3))
    load_writes.clear()
    begun: dict[str, LoadMemory] = {}
    moments = set()
    for _ in range(96):
        for step in (QUARTER - timedelta(seconds=3), timedelta(seconds=3)):
            await advance(step)
            for key, load in entry.runtime_data.loads.all.items():
                memory = replace(load.memory, ledger=EMPTY_LEDGER)
                if memory.task and memory != begun.get(key):
                    begun[key] = memory
                    moments.add(datetime.now(UTC))
    report_figures(
        f"A day with 20 loads: {len(load_writes)} writes, {len(moments)} moments at which loads began"
    )
    assert len(begun) == 20
    assert len(load_writes) == len(moments) < 20


@pytest.mark.usefixtures("german_hub")
@pytest.mark.parametrize("end", ["unload", "stop"])
async def test_load_that_has_just_begun(
    hass: HomeAssistant, nomos, linked, advance: Advance, files, end
) -> None:
    """A clean stop within a second of a load's start still stores that start."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="18:00:00")
    await until(advance, moment(hass, load_id, "next_start"))
    assert runs_now(hass, load_id)
    [path] = files("loads").values()

    def stored_task() -> object:
        return json.loads(path.read_text())["data"][load_id]["task"]

    assert stored_task() is None
    if end == "unload":
        assert await hass.config_entries.async_unload(entry.entry_id)
    else:
        hass.bus.async_fire_internal(EVENT_HOMEASSISTANT_FINAL_WRITE)
        await hass.async_block_till_done()
    assert stored_task() is not None


@pytest.mark.usefixtures("german_hub")
async def test_load_that_began_is_written_within_seconds(
    hass: HomeAssistant, nomos, linked, advance: Advance, files
) -> None:
    """Soon after the start, it even survives a power cut."""
    entry = await linked()
    load_id = await add(hass, entry, start="10:00:00", end="18:00:00")
    await until(advance, moment(hass, load_id, "next_start"))
    await advance(timedelta(seconds=2.5))
    [path] = files("loads").values()
    assert list(json.loads(path.read_text())["data"]) == [load_id]


async def test_cancelled_caller_does_not_stop_a_write(
    hass: HomeAssistant, nomos, linked, advance: Advance, files, subscription
) -> None:
    """A write goes on in its thread, and the next one waits for it."""
    entry = await linked()
    file = load_file(hass, entry)
    for number in range(7):
        task = hass.async_create_task(file.async_save({"number": number}))
        task.cancel()
    await file.async_write()
    [path] = files("loads").values()
    assert json.loads(path.read_text())["data"] == {"number": 6}
    await advance(HOUR)
    assert_right(hass, nomos, subscription)
