"""How long after the start of an interval a real Home Assistant shows its price.

    .venv/bin/python -m benchmarks.display_clock --boundaries 2

This waits for real quarter-hours, up to a quarter of an hour for each.
"""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sys
from tempfile import TemporaryDirectory

from scripts.develop import wait_for_price
from scripts.hub import PROJECT, Hub, HubSettings, wait_until_running
from scripts.processes import Child, free_port
from scripts.sign_in import Customer, link

QUARTER = timedelta(minutes=15)


async def measure(folder: Path, boundaries: int) -> None:
    """Start both processes, link the account, and return when the state was written at each boundary."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    hub = Hub(HubSettings(folder=folder, port=free_port(), api_url=url))
    command = [sys.executable, "-m", "simulator", "--port", str(port)]
    command += ["--redirect-uri", f"{hub.url}/auth/external/callback"]
    with Child(
        "simulator", command, log=folder / "simulator.log", cwd=PROJECT, env={}
    ) as simulator:
        hub.spawn()
        try:
            await simulator.wait_for_output("READY", timeout=30)
            await hub.wait_until_serving()
            async with hub.client() as client, Customer(url) as customer:
                await client.onboard(user="owner", password="owner-password")
                await wait_until_running(client)
                begin = datetime.now(UTC)
                await link(client, customer)
                shown = await wait_for_price(client, since=begin)
                for _ in range(boundaries):
                    boundary = datetime.fromtimestamp(
                        (datetime.now(UTC).timestamp() // 900 + 1) * 900, UTC
                    )
                    await asyncio.sleep(
                        (boundary - datetime.now(UTC)).total_seconds() + 2
                    )
                    state = await client.state(shown.entity_id)
                    assert state is not None
                    written = datetime.fromisoformat(state["last_updated"])
                    late = (written - boundary) / timedelta(milliseconds=1)
                    print(f"{boundary:%H:%M} UTC: written {late:.1f} ms after")
        finally:
            hub.kill()


def main() -> None:
    """Measure the boundaries, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boundaries", type=int, default=1)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), arguments.boundaries))


if __name__ == "__main__":
    main()
