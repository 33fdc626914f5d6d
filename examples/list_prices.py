"""List today's electricity prices of a customer of Nomos.

    NOMOS_ACCESS_TOKEN=... python examples/list_prices.py
    NOMOS_ACCESS_TOKEN=... python examples/list_prices.py --url http://127.0.0.1:8080

Needs Python 3.14 and aiohttp. The access token comes from Nomos' OAuth server and is valid for an hour.
"""

import argparse
import asyncio
from datetime import datetime
import os
from pathlib import Path
import sys
from zoneinfo import ZoneInfo

import aiohttp

# The client is not published as a package yet.
sys.path.append(str(Path(__file__).parents[1] / "custom_components" / "nomos"))

from api import API_URL, NomosClient, NomosError

BERLIN = ZoneInfo("Europe/Berlin")


async def list_prices(url: str, access_token: str) -> None:
    """Print a line for each interval of today, for each running contract."""
    today = datetime.now(BERLIN).date()

    async def get_access_token() -> str:
        return access_token

    async with aiohttp.ClientSession() as session:
        client = NomosClient(session, get_access_token, base_url=url)
        for contract in await client.subscriptions():
            if contract.inactive:
                continue
            print(f"{contract.type} contract")
            prices = await client.prices(contract.id, today, today)
            for item in prices.items or ():
                price = "unknown" if item.amount is None else f"{item.amount:.2f}"
                print(f"{item.start.astimezone(BERLIN):%H:%M} {price} ct/kWh")


def main() -> None:
    """Read the command line, and print prices or an error."""
    parser = argparse.ArgumentParser(description="List today's prices.")
    parser.add_argument("--url", default=API_URL, help="the address of the API")
    url = parser.parse_args().url
    if not (access_token := os.environ.get("NOMOS_ACCESS_TOKEN")):
        parser.error("NOMOS_ACCESS_TOKEN holds no access token")
    try:
        asyncio.run(list_prices(url, access_token))
    except NomosError as err:
        sys.exit(f"{type(err).__name__}: {err}")


if __name__ == "__main__":
    main()
