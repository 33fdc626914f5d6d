"""Fixtures: a hub in Germany with real prices, and EMHASS."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import subprocess
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from tests.integration.conftest import *  # noqa: F403  # the fixtures of a running hub
from tests.integration.helpers import Advance
from tests.shared_data import find_shared

HOUSEHOLD = {
    "set_use_battery": True,
    "battery_minimum_state_of_charge": 0.1,
    "number_of_deferrable_loads": 0,
    "load_forecast_method": "list",
}
"""The non-default configuration of EMHASS: a battery, and no need for history."""

type Plan = list[dict[str, Any]]
"""The steps of a plan of EMHASS, each with the price it was optimised for."""


@pytest.fixture(autouse=True)
def in_germany(german_hub: None) -> None:
    """Put the hub in Germany."""


@pytest.fixture  # type: ignore[no-redef]
def market_file() -> Path | None:
    """Return the file of real prices; without it, the simulator invents prices."""
    return find_shared("data/day_ahead_de_lu_2025.csv")


@pytest.fixture(scope="session")
def emhass_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start EMHASS; return its URL."""
    folder = tmp_path_factory.mktemp("emhass")
    (folder / "config.json").write_text(json.dumps(HOUSEHOLD))
    nothing = str(folder / "nothing")
    places = {
        "DATA_PATH": str(folder),
        "CONFIG_PATH": str(folder / "config.json"),
        "LEGACY_CONFIG_PATH": nothing,
        "OPTIONS_PATH": nothing,
        "SECRETS_PATH": nothing,
        # Without a token, EMHASS does not read its configuration from a Home Assistant.
        "SUPERVISOR_TOKEN": "",
        "TIME_ZONE": "Europe/Berlin",
    }
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [
                os.environ["NOMOS_EMHASS_PYTHON"],
                Path(__file__).with_name("emhass_server.py"),
            ],
            env=os.environ | places,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout
        port = process.stdout.readline().strip()
        assert port, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@dataclass(frozen=True, kw_only=True)
class Emhass:
    """EMHASS, with the same clock as the hub."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    advance_hub: Advance
    url: str

    async def request(self, method: str, path: str, **content: Any) -> tuple[int, Any]:
        """Send a request; return the status and the body of the response."""
        session = async_get_clientsession(self.hass)
        async with session.request(method, self.url + path, **content) as answer:
            return answer.status, await answer.text()

    async def set_clock(self, instant: datetime) -> None:
        """Set the clock of EMHASS."""
        status, _ = await self.request("POST", "/clock", data=instant.isoformat())
        assert status == 200

    async def advance(self, delta: timedelta) -> None:
        """Move both clocks and run everything that is due."""
        await self.set_clock(datetime.now(UTC) + delta)
        await self.advance_hub(delta)

    async def plan(self) -> Plan | None:
        """Return the plan that EMHASS made at the current instant; None if there is none."""
        status, text = await self.request("GET", "/api/v1/plan")
        assert status == 200
        answer = json.loads(text)
        now = datetime.now(UTC).replace(microsecond=0)
        if (made := answer["generated_at"]) is None or (
            datetime.fromisoformat(made) != now
        ):
            return None
        plan: Plan = answer["plan"]
        return plan


@pytest.fixture
async def emhass(
    hass: HomeAssistant,
    nomos: object,
    freezer: FrozenDateTimeFactory,
    advance: Callable[[timedelta], Awaitable[None]],
    emhass_url: str,
) -> Emhass:
    """Return EMHASS with the hub's clock."""
    emhass = Emhass(hass=hass, freezer=freezer, advance_hub=advance, url=emhass_url)
    await emhass.set_clock(datetime.now(UTC))
    return emhass
