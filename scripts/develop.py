"""Start a real Home Assistant with this integration, and a simulated Nomos to link it to."""

import argparse
import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
import shutil
import signal
import sys

from homeassistant.util import dt as dt_util
from scripts.hub import PROJECT, RESTART_EXIT_CODE, Hub, HubSettings, wait_until_running
from scripts.hub_client import HubClient, HubError, Json
from scripts.processes import Child, ChildError, port_is_free
from scripts.sign_in import (
    CLIENT_ID,
    CLIENT_SECRET,
    CUSTOMER,
    DOMAIN,
    Customer,
    LinkError,
    link,
    link_again,
)

USER = "nomos"
PASSWORD = "nomos"

DEFAULT_FOLDER = PROJECT / ".dev" / "config"
MARK = ".nomos-develop"
"""The file that marks a configuration folder as created by this command."""


class DevelopError(Exception):
    """The environment cannot start; the message is for the user."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """The current price as Home Assistant shows it."""

    entity_id: str
    device_id: str
    state: str


def say(text: str) -> None:
    """Print at once, even into a pipe."""
    print(text, flush=True)


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/develop",
        description="Start a real Home Assistant with this integration, and a stand-in Nomos to link it to. "
        "The account is linked when the line READY appears. Ctrl-C ends everything.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--ha-port",
        type=int,
        default=8123,
        metavar="P",
        help="Home Assistant's port (%(default)s)",
    )
    parser.add_argument(
        "--nomos-port",
        type=int,
        default=8124,
        metavar="Q",
        help="the stand-in's port (%(default)s)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="DIR",
        help="Home Assistant's configuration folder, created if there is none, kept for the next start (.dev/config)",
    )
    parser.add_argument(
        "--market",
        type=Path,
        metavar="FILE",
        help="CSV file of day-ahead prices for the stand-in",
    )
    parser.add_argument(
        "--language",
        default="en",
        metavar="CODE",
        help="Home Assistant's language (%(default)s)",
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="begin with an empty configuration folder and no linked account; print what to enter to link it",
    )
    return parser.parse_args(arguments)


class Environment:
    """The simulated Nomos and the Home Assistant."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Prepare both without starting them."""
        self.options = options
        self.nomos_url = f"http://127.0.0.1:{options.nomos_port}"
        folder: Path = options.config.resolve()
        self.hub = Hub(
            HubSettings(
                folder=folder,
                port=options.ha_port,
                api_url=self.nomos_url,
                language=options.language,
            )
        )
        self.simulator: Child | None = None

    def check(self) -> None:
        """Report problems early."""
        if self.options.market is not None and not self.options.market.is_file():
            raise DevelopError(f"there is no file {self.options.market}")
        for what, port in (
            ("Home Assistant", self.options.ha_port),
            ("the stand-in Nomos", self.options.nomos_port),
        ):
            if not port_is_free(port):
                raise DevelopError(
                    f"port {port}, meant for {what}, is taken; choose another (see --help)"
                )
        if (process := self.hub.running()) is not None:
            number = f", process {process}," if process else ""
            raise DevelopError(
                f"a Home Assistant{number} is running in {self.hub.settings.folder}; end it, or choose another --config"
            )

    def prepare(self) -> None:
        """Create the configuration folder; empty it first if it is to be fresh.

        A folder that this command did not create is left alone: configuration folders look alike, and the wrong one may
        be that of somebody's home.
        """
        folder = self.hub.settings.folder
        is_ours = folder == DEFAULT_FOLDER or (folder / MARK).exists()
        if folder.exists() and not is_ours and any(folder.iterdir()):
            raise DevelopError(
                f"{folder} was not created by this command, so it is left alone; choose another --config"
            )
        if self.options.fresh and folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()
        for log in ("simulator.log", self.hub.log.name):
            (folder / log).unlink(missing_ok=True)
        # The simulator forgets everything between two starts, and its market may differ, so delete stored prices.
        for kept in folder.glob(f".storage/{DOMAIN}*"):
            kept.unlink()

    async def start(self) -> Price | None:
        """Start everything; return the current price once Home Assistant shows it."""
        folder = self.hub.settings.folder
        try:
            self.prepare()
            self.simulator = self._start_simulator(folder / "simulator.log")
            say(
                f"Starting the stand-in Nomos at {self.nomos_url} and Home Assistant at {self.hub.url} ..."
            )
            self.hub.spawn()
        except OSError as error:
            raise DevelopError(
                f"{error.filename or folder} cannot be replaced ({error.strerror}); "
                f"remove {folder}, or choose another --config"
            ) from None
        await self.simulator.wait_for_output("READY", timeout=30)
        await self.hub.wait_until_serving()
        async with self.hub.client() as client, Customer(self.nomos_url) as customer:
            await self._settle(client)
            if self.options.fresh:
                return None
            since = dt_util.utcnow()
            entries = await client.entries(DOMAIN)
            if entries:
                say(
                    "Linking the account again: the stand-in has forgotten its tokens ..."
                )
                await link_again(client, customer, entries[0]["entry_id"])
            else:
                say("Linking the account ...")
                await link(client, customer)
            return await wait_for_price(client, since=since)

    def _start_simulator(self, log: Path) -> Child:
        command = [
            sys.executable,
            "-m",
            "simulator",
            "--port",
            str(self.options.nomos_port),
        ]
        for host in ("127.0.0.1", "localhost"):
            command += [
                "--redirect-uri",
                f"http://{host}:{self.options.ha_port}/auth/external/callback",
            ]
        if self.options.market is not None:
            command += ["--market", str(self.options.market.resolve())]
        return Child("the stand-in Nomos", command, log=log, cwd=PROJECT, env={})

    async def _settle(self, client: HubClient) -> None:
        """Log in, and wait until Home Assistant is running."""
        await self._enter(client)
        await wait_until_running(client)

    async def _enter(self, client: HubClient) -> None:
        if self.hub.is_onboarded:
            try:
                await client.log_in(user=USER, password=PASSWORD)
            except HubError as error:
                raise DevelopError(
                    f"{error}; remove {self.hub.settings.folder} or choose another --config"
                ) from None
        else:
            await client.onboard(
                user=USER, password=PASSWORD, language=self.options.language
            )

    async def watch(self) -> None:
        """Raise if a child ends, but start Home Assistant again if it asks for a restart."""
        while True:
            await asyncio.sleep(0.5)
            if self.simulator is not None:
                self.simulator.ensure_running()
            if self.hub.child is None:
                continue
            if self.hub.child.exit_code == RESTART_EXIT_CODE:
                say("Home Assistant restarts ...")
                await self.hub.start()
                async with self.hub.client() as client:
                    await self._settle(client)
            self.hub.child.ensure_running()

    async def stop(self) -> None:
        """Stop both."""
        stops = [self.hub.stop(patience=15)]
        if self.simulator is not None:
            stops.append(self.simulator.stop(patience=5))
        await asyncio.gather(*stops)

    def kill(self) -> None:
        """Kill both."""
        self.hub.kill()
        if self.simulator is not None:
            self.simulator.kill()


async def find_price_entity(client: HubClient) -> Json | None:
    """Return the registry entry of the current price of the account's first contract.

    The unique id is not sufficient, since those of `next_price` and `grid_price` also end in `_price`.
    """
    for entity in await client.entities(DOMAIN):
        if entity["translation_key"] == "price" and not entity["disabled_by"]:
            return entity
    return None


async def wait_for_price(
    client: HubClient, *, since: datetime, timeout: float = 60
) -> Price:
    """Wait until the current price is a number that was written after an instant."""
    seen = "no such entity"
    try:
        async with asyncio.timeout(timeout):
            while True:
                if entity := await find_price_entity(client):
                    state = await client.state(entity["entity_id"])
                    seen = state["state"] if state else "no state"
                    if state and _is_number(seen) and _written(state) >= since:
                        return Price(
                            entity_id=entity["entity_id"],
                            device_id=entity["device_id"],
                            state=seen,
                        )
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise HubError(
            f"the current price did not appear in Home Assistant; last seen: {seen}"
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _written(state: Json) -> datetime:
    return datetime.fromisoformat(state["last_reported"])


def _fresh_instructions(environment: Environment) -> str:
    return f"""
To link the account, open {environment.hub.url}/config/integrations/dashboard/add?domain={DOMAIN} and enter
  name           anything, for example Nomos
  client ID      {CLIENT_ID}
  client secret  {CLIENT_SECRET}
and then, on the page of the stand-in Nomos,
  e-mail         {CUSTOMER}
  one-time code  as the page shows it
"""


async def run(options: argparse.Namespace) -> None:
    """Start everything, then keep it running."""
    environment = Environment(options)
    environment.check()
    try:
        price = await environment.start()
        say(f"\nHome Assistant: {environment.hub.url}  (log: {environment.hub.log})")
        say(f"The stand-in Nomos: {environment.nomos_url}")
        if options.fresh:
            say(_fresh_instructions(environment))
        if price:
            say(
                f"The prices: {environment.hub.url}/config/devices/device/{price.device_id}"
            )
        shown = (
            f"entity={price.entity_id} price={price.state}"
            if price
            else "entity=- price=-"
        )
        say(f"READY {environment.hub.url} user={USER} password={PASSWORD} {shown}")
        await environment.watch()
    finally:
        say("Stopping ...")
        try:
            await environment.stop()
        finally:
            environment.kill()


async def _run_until_signal(options: argparse.Namespace) -> None:
    """Run until a signal; a second one kills."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(run(options))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main() -> int:
    """Run the command; return its exit code."""
    options = parse_arguments(sys.argv[1:])
    try:
        asyncio.run(_run_until_signal(options))
    except (ChildError, DevelopError, HubError, LinkError) as error:
        print(f"scripts/develop: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
