"""Tests of rotated tokens: they are in the journal before they are used, and read from it after a power cut."""

import asyncio
import json
import os
import threading

import pytest

from custom_components.nomos.account.tokens import (
    async_ancestors,
    async_replace_link,
    async_write_ahead,
)
from custom_components.nomos.const import DOMAIN
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.core import HomeAssistant
from scripts.sign_in import Customer
from tests.integration.account.helpers import power_cut
from tests.integration.helpers import (
    EMAIL,
    HOUR,
    Advance,
    assert_right,
    make_entry,
    reauth_flows,
    restart,
)


@pytest.mark.parametrize("rotations", [1, 2, 7])
async def test_power_cut_after_rotation(
    hass: HomeAssistant, nomos, linked, advance: Advance, rotations
) -> None:
    """The journal has all tokens that rotated since the config entry was written."""
    entry = await linked()
    on_disk = dict(entry.data)
    for _ in range(rotations):
        nomos.expire_access_tokens(EMAIL)
        await entry.runtime_data.account.async_refresh()
    newest = entry.data["token"]["refresh_token"]
    assert newest != on_disk["token"]["refresh_token"]
    await power_cut(hass, entry, on_disk)
    assert entry.data["token"]["refresh_token"] == newest
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None
    assert not reauth_flows(hass)


async def test_journal_is_written_before_the_token_is_used(
    hass: HomeAssistant, nomos, linked, files
) -> None:
    """The token is on disk before the first request that uses it."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    seen = []

    def read(*_):
        [path] = files("token").values()
        stored = json.loads(path.read_text())["data"]["token"]
        seen.append(stored["access_token"])

    nomos.faults.add(kind="mutate", match="subscriptions", skip=1, change=read)
    await entry.runtime_data.account.async_refresh()
    assert seen == [entry.data["token"]["access_token"]]


async def test_new_link_wins_over_an_old_journal(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """After the customer linked again, the journal of the old link is ignored."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    nomos.revoke(EMAIL)
    fresh = make_entry(nomos).data
    hass.config_entries.async_update_entry(entry, data=fresh)
    await restart(hass, entry)
    assert entry.data["token"]["refresh_token"] == fresh["token"]["refresh_token"]
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None


async def test_refresh_while_a_new_link_is_written(
    hass: HomeAssistant, nomos, linked, advance: Advance, files, monkeypatch
) -> None:
    """No refresh of the old link starts while the new link is being written, only to finish after it."""
    entry = await linked()
    await advance(2 * HOUR)
    fresh = make_entry(nomos).data
    reached, go, fsync = threading.Event(), threading.Event(), os.fsync

    def slow(descriptor: int) -> None:
        reached.set()
        go.wait(60)
        fsync(descriptor)

    tokens = nomos.count("token")
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", slow)
        linking = hass.async_create_task(async_replace_link(hass, entry, fresh))
        while not reached.is_set():
            await asyncio.sleep(0)
        request = hass.async_create_task(entry.runtime_data.account.async_refresh())
        for _ in range(5000):
            if nomos.count("token") > tokens:
                break
            await asyncio.sleep(0)
        go.set()
        await linking
        await request
    newest = fresh["token"]["refresh_token"]
    assert nomos.count("token") == tokens
    assert entry.data["token"]["refresh_token"] == newest
    [journal] = files("token").values()
    assert json.loads(journal.read_text())["data"]["token"]["refresh_token"] == newest
    assert entry.runtime_data.account.last_error is None


async def test_power_cut_after_a_new_link_with_other_credentials(
    hass: HomeAssistant, nomos, linked, advance: Advance
) -> None:
    """The journal holds the client for which the new token was issued."""
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential("another", "secret"), "another"
    )
    entry = await linked()
    on_disk = dict(entry.data)
    fresh = {**make_entry(nomos).data, "auth_implementation": "another"}
    await async_write_ahead(hass, entry, fresh, await async_ancestors(hass, entry))
    await power_cut(hass, entry, on_disk)
    assert dict(entry.data) == fresh


async def test_restored_backup(
    hass: HomeAssistant, nomos, linked, advance: Advance, files
) -> None:
    """After a backup with an old token was restored, there is one prompt to link again, and prices stay."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    [journal] = files("token").values()
    backup = dict(entry.data), journal.read_bytes()
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data=backup[0])
    journal.write_bytes(backup[1])
    await hass.config_entries.async_setup(entry.entry_id)
    for _ in range(8):
        await advance(HOUR)
    assert len(reauth_flows(hass)) == 1
    subscription = nomos.customers[EMAIL].subscriptions[0]
    assert_right(hass, nomos, subscription)


async def test_unfinished_files_are_deleted(
    hass: HomeAssistant, nomos, linked, files
) -> None:
    """An unfinished file that a power cut left, perhaps with tokens, is deleted at the next start."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    [journal] = files("token").values()
    unfinished = journal.with_name(f"{journal.name}.tmp")
    unfinished.write_text("half a token")
    await restart(hass, entry)
    assert not unfinished.exists()
    assert journal.exists()
    unfinished.write_text("half a token")
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not unfinished.exists()


@pytest.mark.usefixtures("current_request_with_host")
@pytest.mark.parametrize("rotations", [0, 1])
async def test_power_cut_just_after_linking_again(
    hass: HomeAssistant, nomos, linked, advance: Advance, rotations, hass_client_no_auth
) -> None:
    """The token of a new link is on the disk before Home Assistant stores the entry."""
    entry = await linked()
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    nomos.revoke(EMAIL)
    on_disk = dict(entry.data)
    result = await entry.start_reauth_flow(hass)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    async with Customer(nomos.url, EMAIL) as customer:
        back = await customer.sign_in(result["url"])
    client = await hass_client_no_auth()
    await client.get(back.relative())
    result = await hass.config_entries.flow.async_configure(result["flow_id"])
    assert result["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    for _ in range(rotations):
        nomos.expire_access_tokens(EMAIL)
        await entry.runtime_data.account.async_refresh()
    newest = entry.data["token"]["refresh_token"]
    await power_cut(hass, entry, on_disk)
    assert entry.data["token"]["refresh_token"] == newest
    nomos.expire_access_tokens(EMAIL)
    await entry.runtime_data.account.async_refresh()
    assert entry.runtime_data.account.last_error is None
    assert not reauth_flows(hass)
