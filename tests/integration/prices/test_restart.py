"""Tests of what survives a restart, on a real disk: prices and contracts."""

import asyncio
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path

import pytest

from custom_components.nomos.prices.conversion import price_file
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from tests.integration.helpers import (
    EMAIL,
    HOUR,
    Advance,
    assert_right,
    reauth_flows,
    restart,
    state_of,
)

QUARTER = timedelta(minutes=15)


async def test_warm_restart_sends_no_request(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """If everything is stored, a restart causes no request, and the rest of the day is as usual."""
    entry = await linked()
    await advance(9 * HOUR)
    table = entry.runtime_data.prices[subscription.id].data
    requests = len(nomos.requests)
    await restart(hass, entry)
    for _ in range(3):
        await advance(timedelta(minutes=5))
    assert entry.runtime_data.prices[subscription.id].data == table
    assert len(nomos.requests) == requests
    assert_right(hass, nomos, subscription)
    await advance(24 * HOUR)
    assert_right(hass, nomos, subscription)


async def test_restart_without_network(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """A hub that starts without internet has its prices, and gets the missing ones once it is online."""
    entry = await linked()
    nomos.faults.add(kind="reset")
    await advance(HOUR)
    await restart(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert_right(hass, nomos, subscription)
    await advance(8 * HOUR)
    assert_right(hass, nomos, subscription)
    nomos.faults.clear()
    await advance(3 * HOUR)
    await advance(6 * HOUR)
    assert_right(hass, nomos, subscription)


async def test_restart_with_old_prices(
    hass: HomeAssistant, nomos, linked, subscription, freezer
) -> None:
    """Prices that have run out while the hub was off are requested at once."""
    entry = await linked()
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(days=9))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert_right(hass, nomos, subscription)


async def test_restart_with_old_prices_does_not_wait(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, freezer
) -> None:
    """Home Assistant's startup does not wait for a missing response."""
    entry = await linked()
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(days=9))
    fault = nomos.faults.add(kind="delay", seconds=20)
    async with asyncio.timeout(10):
        await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, subscription.id, "price").state == "unavailable"
    fault.times = 0
    await advance(timedelta(seconds=21))
    assert_right(hass, nomos, subscription)


async def test_restart_of_a_revoked_account(
    hass: HomeAssistant, nomos, linked, freezer
) -> None:
    """There is a prompt to link again; known prices are shown even if another contract has none."""
    entry = await linked("solar@example.com")
    contracts = {
        one.type: one for one in nomos.customers["solar@example.com"].subscriptions
    }
    assert await hass.config_entries.async_unload(entry.entry_id)
    await price_file(hass, contracts["feed_in"].id).async_remove()
    freezer.tick(2 * HOUR)
    nomos.revoke("solar@example.com")
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert len(reauth_flows(hass)) == 1
    assert_right(hass, nomos, contracts["consumption"])
    assert state_of(hass, contracts["feed_in"].id, "payout").state == "unavailable"


async def test_prices_that_could_not_be_stored_are_stored_later(
    hass: HomeAssistant,
    nomos,
    linked,
    advance: Advance,
    subscription,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once the disk has room again, known prices are stored, even if none is new."""
    entry = await linked()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        for _ in range(20):
            await advance(QUARTER)
    for _ in range(10):
        await advance(QUARTER)
    nomos.faults.add(kind="reset")
    await restart(hass, entry)
    for _ in range(24):
        await advance(QUARTER)
        assert_right(hass, nomos, subscription)


async def test_restart_with_old_prices_and_without_network(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, freezer
) -> None:
    """A hub without a price still starts, sends few requests, and has prices soon after Nomos does."""
    entry = await linked()
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(days=9))
    nomos.faults.add(kind="status", status=503)
    requests = len(nomos.requests)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, subscription.id, "price").state == "unavailable"
    assert state_of(hass, subscription.id, "contract_status").state == "active"
    for _ in range(24):
        await advance(HOUR)
    assert len(nomos.requests) - requests < 80
    nomos.faults.clear()
    for _ in range(4):
        await advance(timedelta(minutes=10))
    assert_right(hass, nomos, subscription)


async def test_restart_with_a_gap(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """Missing prices are requested a minute or two after the start, not during it."""
    hole = datetime(2026, 6, 10, 16, tzinfo=UTC)
    nomos.configure(missing=[(hole, hole + HOUR)])
    entry = await linked()
    nomos.configure(missing=[])
    requests = nomos.count("prices")
    await restart(hass, entry)
    assert nomos.count("prices") == requests
    await advance(timedelta(minutes=2, seconds=1))
    assert nomos.count("prices") == requests + 1
    assert entry.runtime_data.prices[subscription.id].data.at(hole)


async def test_unchanged_files_are_not_written(
    hass: HomeAssistant, nomos, linked, advance: Advance, files
) -> None:
    """Files are written once a day at most."""
    await linked()
    written = {name: path.stat().st_mtime_ns for name, path in files().items()}
    assert len(written) == 3
    writes = dict.fromkeys(written, 0)
    for _ in range(2 * 96):
        await advance(timedelta(minutes=15))
        for name, path in files().items():
            if name in written and written[name] != path.stat().st_mtime_ns:
                written[name] = path.stat().st_mtime_ns
                writes[name] += 1
    assert [count for name, count in writes.items() if "prices" in name] == [2]
    assert [count for name, count in writes.items() if "account" in name] == [1]
    assert [count for name, count in writes.items() if "usage" in name] == [2]


@pytest.mark.parametrize(
    "interval",
    [
        [0, 900, "cheap", [None, None, None]],
        [0, 900, True, [None, None, None]],
        [0, 0, 1.0, [None, None, None]],
        [0, 1e30, 1.0, [None, None, None]],
        [0, 900, 1.0, [None, None]],
        None,
    ],
)
async def test_invalid_stored_price(
    hass: HomeAssistant, nomos, linked, files, subscription, interval
) -> None:
    """A file with one invalid interval is set aside."""
    entry = await linked()
    assert await hass.config_entries.async_unload(entry.entry_id)
    [path] = files("prices").values()
    stored = json.loads(path.read_text())
    stored["data"].append(interval)
    path.write_text(json.dumps(stored))
    requests = nomos.count("prices")
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert_right(hass, nomos, subscription)
    assert nomos.count("prices") == requests + 1


async def test_files_are_private(
    hass: HomeAssistant, nomos, linked, advance: Advance, files
) -> None:
    """Only Home Assistant's user can read them, and only the journal holds a token."""
    entry = await linked()
    await advance(2 * HOUR)
    await entry.runtime_data.account.async_refresh()
    assert set(files()) == {
        *files("prices"),
        *files("account"),
        *files("usage"),
        f"nomos.token.{entry.entry_id}",
    }
    for name, path in files().items():
        assert path.stat().st_mode & 0o077 == 0
        has_token = entry.data["token"]["refresh_token"] in path.read_text()
        assert has_token == name.startswith("nomos.token")


async def test_removal_leaves_nothing(
    hass: HomeAssistant, nomos, linked, advance: Advance, files
) -> None:
    """The files are deleted with the account."""
    entry = await linked("solar@example.com")
    await advance(2 * HOUR)
    await entry.runtime_data.account.async_refresh()
    assert len(files()) == 6
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not files()


async def test_removal_without_the_list_of_contracts(
    hass: HomeAssistant, nomos, linked, files
) -> None:
    """The files of contracts are deleted even if the file that lists them is lost."""
    entry = await linked("solar@example.com")
    [listing] = files("account").values()
    listing.unlink()
    assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not files()


async def test_file_of_a_vanished_subscription(
    hass: HomeAssistant, nomos, linked, advance: Advance, files
) -> None:
    """The stored prices of a contract are deleted with it."""
    await linked("solar@example.com")
    gone = nomos.customers["solar@example.com"].subscriptions[0]
    assert len(files("prices")) == 2
    nomos.remove_subscription(gone.id)
    for _ in range(2):
        await advance(24 * HOUR)
    assert len(files("prices")) == 1
    assert len(files("usage")) == 1


async def test_supply_that_began_while_off(
    hass: HomeAssistant, nomos, linked, advance: Advance, freezer
) -> None:
    """A contract that began while the hub was off is noticed within minutes."""
    entry = await linked("pending@example.com")
    subscription = nomos.customers["pending@example.com"].subscriptions[0]
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.move_to(subscription.start_at + timedelta(days=3, hours=5))
    await hass.config_entries.async_setup(entry.entry_id)
    for _ in range(6):
        await advance(timedelta(minutes=1))
    assert_right(hass, nomos, subscription)


async def test_full_disk(
    hass: HomeAssistant, nomos, linked, files, subscription, caplog
) -> None:
    """A failed write is logged once and repeated once there is room; everything else works."""
    entry = await linked()
    storage = Path(hass.config.path(".storage"))
    storage.rename(storage.with_name("storage-full"))
    # With a file in place of the folder, nothing can be written into it.
    storage.write_text("")
    for _ in range(3):
        nomos.expire_access_tokens(EMAIL)
        await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None
    warnings = [
        one
        for one in caplog.records
        if one.levelname == "WARNING" and "Could not write" in one.getMessage()
    ]
    assert len(warnings) == 1
    assert_right(hass, nomos, subscription)
    storage.unlink()
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    assert files("token")
    assert "can be written again" in caplog.text


async def test_interrupted_write(
    hass: HomeAssistant, nomos, linked, files, subscription, monkeypatch
) -> None:
    """If the disk fails during a write, the old file stays intact, and no unfinished file is left."""
    entry = await linked()
    [path] = files("prices").values()
    before = path.read_bytes()

    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    nomos.correct_price(subscription.id, datetime.now(UTC), 12.0)
    await entry.runtime_data.prices[subscription.id].async_refresh()
    assert state_of(hass, subscription.id, "price").state == "0.12"
    assert path.read_bytes() == before
    assert len(files("prices")) == 1
