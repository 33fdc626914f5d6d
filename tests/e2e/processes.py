"""The two processes: a real Home Assistant and a stand-in Nomos."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
import sys

from scripts.hub import PROJECT, Hub, HubSettings, wait_until_running
from scripts.processes import Child, free_port
from scripts.sign_in import CLIENT_SECRET, DOMAIN
from tests.e2e.moved_clock import MovedClock
from tests.e2e.proxy import TokenProxy

USER = "owner"
PASSWORD = "owner-password"
_TOKEN_NAME = "tests"
MY_REDIRECT_URI = "https://my.home-assistant.io/redirect/oauth"


@dataclass(kw_only=True)
class Processes:
    """Both processes, and the secrets that they exchanged."""

    hub: Hub
    simulator: Child
    simulator_url: str
    token: str
    secrets: set[str] = field(default_factory=lambda: {CLIENT_SECRET})

    def stored_entries(self) -> list[dict[str, object]]:
        """Return the integration's entries as stored on disk."""
        path = self.hub.settings.folder / ".storage" / "core.config_entries"
        if not path.exists():
            return []
        entries = json.loads(path.read_text())["data"]["entries"]
        return [entry for entry in entries if entry["domain"] == DOMAIN]

    def remember_tokens(self) -> set[str]:
        """Add the tokens that are on disk to the known secrets; return them."""
        tokens = set()
        for entry in self.stored_entries():
            data = entry["data"]
            assert isinstance(data, dict)
            tokens |= {data["token"]["access_token"], data["token"]["refresh_token"]}
        self.secrets |= tokens
        return tokens


@asynccontextmanager
async def start_processes(
    folder: Path,
    proxy: TokenProxy | None = None,
    *,
    language: str = "en",
    my: bool = False,
    clock: MovedClock | None = None,
    market: Path | None = None,
) -> AsyncIterator[Processes]:
    """Start both processes; with a proxy, the hub reaches Nomos through it.

    ``language`` is that of the hub and its first user; ``my`` sends OAuth redirects through My Home Assistant. Both
    processes use ``clock``, if it is given. ``market`` is a file of prices to replay.
    """
    hub_port, simulator_port = free_port(), free_port()
    simulator_url = f"http://127.0.0.1:{simulator_port}"
    nomos_url = simulator_url if proxy is None else await proxy.open(simulator_port)
    environment = {} if clock is None else clock.environment
    hub = Hub(
        HubSettings(
            folder=folder,
            port=hub_port,
            api_url=nomos_url,
            language=language,
            my=my,
            environment=environment,
        )
    )
    command = [sys.executable, "-m", "simulator", "--port", str(simulator_port)]
    for address in (f"{hub.url}/auth/external/callback", MY_REDIRECT_URI):
        command += ["--redirect-uri", address]
    if market is not None:
        command += ["--market", str(market)]
    log = folder / "simulator.log"
    with Child(
        "simulator", command, log=log, cwd=PROJECT, env=environment
    ) as simulator:
        hub.spawn()
        try:
            await simulator.wait_for_output("READY", timeout=30)
            await hub.wait_until_serving()
            async with hub.client() as client:
                await client.onboard(user=USER, password=PASSWORD, language=language)
                await wait_until_running(client)
                token = await client.long_lived_token(_TOKEN_NAME)
            await _until_token_is_stored(folder)
            yield Processes(
                hub=hub, simulator=simulator, simulator_url=nomos_url, token=token
            )
        finally:
            hub.kill()


async def _until_token_is_stored(folder: Path) -> None:
    """Wait until Home Assistant has stored the token: one that stops within a second may forget it."""
    path = folder / ".storage" / "auth"
    async with asyncio.timeout(10):
        while not path.exists() or f'"{_TOKEN_NAME}"' not in path.read_text():
            await asyncio.sleep(0.05)
