"""Test of a real hub whose disk is full for some seconds while the refresh token is rotated."""

import asyncio
from collections.abc import Iterator
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
import subprocess

import pytest

from scripts.hub import wait_until_running
from scripts.hub_client import HubClient
from scripts.sign_in import DOMAIN, Customer
from tests.e2e.processes import start_processes
from tests.e2e.proxy import TokenProxy
from tests.e2e.test_kill import CUSTOMER, Trial


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Path]:
    """Give the hub's storage folder a small file system of its own."""
    storage = tmp_path / "hub" / ".storage"
    storage.mkdir(parents=True)
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(storage)],
            check=True,
            capture_output=True,
        )
    except OSError, subprocess.CalledProcessError:
        pytest.skip("this user may not mount a file system")
    yield storage
    subprocess.run(["umount", str(storage)], check=True)


def fill(folder: Path) -> Path:
    """Fill the file system of a folder; return the file that takes all the space."""
    others = folder / "others"
    with contextlib.suppress(OSError), others.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return others


async def ask(client: HubClient, days_ago: int) -> None:
    """Make the hub request the prices of a past day, which it does not store."""
    day = str((datetime.now(UTC) - timedelta(days=days_ago)).date())
    await client.post(
        f"/api/services/{DOMAIN}/get_prices?return_response",
        {"start": day, "end": day},
    )


async def test_disk_that_is_full_around_a_rotation(
    tmp_path: Path, storage: Path
) -> None:
    """After some requests, a clean stop and a start, the newest token is in use, and the link still works."""
    async with (
        TokenProxy() as proxy,
        start_processes(tmp_path / "hub", proxy) as processes,
        Customer(processes.simulator_url, CUSTOMER) as customer,
    ):
        await customer.control("POST", "settings", {"rate_limit": None})
        trial = Trial(processes=processes, proxy=proxy, customer=customer)
        await trial.link()
        linked = proxy.newest
        await processes.hub.start()
        async with processes.hub.client(processes.token) as client:
            await wait_until_running(client)
            others = fill(storage)
            await customer.control("POST", "expire_access_tokens")
            await ask(client, 3)
            assert proxy.newest != linked
            assert not trial.newest_in_journal()
            # Meanwhile Home Assistant tries to store its entry, and gives up.
            await asyncio.sleep(5)
            others.unlink()
            for days_ago in (4, 5, 6):
                await ask(client, days_ago)
            assert trial.newest_in_journal()
            assert not trial.newest_in_entry()
        await processes.hub.stop()
        since = datetime.now(UTC)
        await processes.hub.start()
        async with processes.hub.client(processes.token) as client:
            assert await trial.check_account(client, since) == "kept"
        await processes.hub.stop()
