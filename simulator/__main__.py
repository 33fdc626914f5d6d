"""Run the simulator: `python -m simulator --port 8765`."""

import argparse
import asyncio
from datetime import datetime
from pathlib import Path
import signal
import sys

from .simulator import (
    DEFAULT_CLIENT_ID,
    DEFAULT_CLIENT_SECRET,
    DEFAULT_REDIRECT_URIS,
    Simulator,
)


def _instant(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    return value if value.tzinfo is not None else value.astimezone()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="A stand-in for Nomos on a loopback port.",
    )
    parser.add_argument(
        "--port", type=int, required=True, help="TCP port; 0 takes any free one"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="loopback address to listen on"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="fixes ids, prices and usage"
    )
    parser.add_argument(
        "--now",
        type=_instant,
        help="start of the clock (ISO 8601); it runs on from there",
    )
    parser.add_argument(
        "--market",
        type=Path,
        help="CSV file (time,price_eur_mwh) whose days are replayed",
    )
    parser.add_argument("--client-id", default=DEFAULT_CLIENT_ID)
    parser.add_argument("--client-secret", default=DEFAULT_CLIENT_SECRET)
    parser.add_argument(
        "--redirect-uri",
        action="append",
        help="may be given several times; replaces the defaults",
    )
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    simulator = Simulator(
        seed=arguments.seed,
        now=arguments.now,
        market_file=arguments.market,
        client_id=arguments.client_id,
        client_secret=arguments.client_secret,
        redirect_uris=arguments.redirect_uri or DEFAULT_REDIRECT_URIS,
    )
    await simulator.start(arguments.port, arguments.host)
    print(f"READY {simulator.url}", flush=True)
    try:
        await stopped.wait()
    finally:
        await simulator.stop()


def main() -> int:
    """Run until a signal ends it; return the exit code."""
    try:
        asyncio.run(_run(_arguments()))
    except (OSError, ValueError) as err:
        print(f"The simulator cannot start: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
