"""Fixtures: a real Home Assistant core, a simulated Nomos behind a real socket, and a clock that tests move."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
import logging
from pathlib import Path
import random
from typing import Any
from unittest.mock import PropertyMock, patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.nomos.account import pacing as pace
from custom_components.nomos.const import DOMAIN
from custom_components.nomos.usage import importer
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from scripts.sign_in import Customer
from simulator import Simulator
from tests.integration.helpers import (
    CLIENT_ID,
    CLIENT_SECRET,
    EMAIL,
    REDIRECT_URI,
    START,
    Advance,
    LogKeeper,
    SetClock,
    know_usage,
    make_entry,
    secrets_in,
)
from tests.integration.leaks import left_behind, remembered
from tests.integration.soak.clock import kernel_timers, notify_timers


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let tests use the loopback interface."""


@pytest.fixture(autouse=True)
def quiet_access_log() -> None:
    """Silence the test client's access log, which Home Assistant does not have and cannot format a frozen time."""
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load the integration from this folder."""


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give every test its own config folder, since the integration keeps files there."""
    return hass_tmp_config_dir


@pytest.fixture
async def german_hub(hass: HomeAssistant) -> None:
    """Put the hub in Germany, since windows of loads and texts use local time."""
    await hass.config.async_set_time_zone("Europe/Berlin")


@pytest.fixture(autouse=True)
def seeded_random() -> None:
    """Use the same jitter in every run; the tests of the schedule cover its extremes."""
    random.seed(20260610)


@pytest.fixture(autouse=True)
def quiet_database() -> None:
    """Keep the recorder's SQL statements out of the log that is searched for secrets."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip pauses, since the clock is frozen."""

    async def pause(_seconds: float) -> None:
        await asyncio.sleep(0)

    for module in (pace, importer):
        monkeypatch.setattr(module, "sleep", pause)


@pytest.fixture(autouse=True)
def instance(hass_storage: dict[str, Any]) -> None:
    """Give the hub a fixed id, which also fixes its phase in the spread of requests."""
    hass_storage["core.uuid"] = {"version": 1, "data": {"uuid": "5e7"}}


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return a snapshot in Home Assistant's format."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def now() -> datetime:
    """Return the start of the test; override it by parametrisation."""
    return START


@pytest.fixture
def market_file() -> Path | None:
    """Return the file of prices that the market replays; override it by parametrisation."""
    return None


@pytest.fixture
async def nomos(
    now: datetime,
    market_file: Path | None,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    socket_enabled: None,
) -> AsyncIterator[Simulator]:
    """Return a running simulator that follows the test's clock."""
    freezer.move_to(now)
    simulator = Simulator(
        seed=7,
        market_file=market_file,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uris=("https://example.com", "https://my.home-assistant.io"),
    )
    # In frozen time, all requests would count against the limit of one second.
    simulator.configure(rate_limit=None)
    await simulator.start()
    monkeypatch.setenv("NOMOS_API_URL", simulator.url)
    yield simulator
    await simulator.stop()


@pytest.fixture(autouse=True)
def clean_log(nomos: Simulator) -> Iterator[None]:
    """Fail a test if the debug log contains a secret of the simulator, or a complaint by Home Assistant about us.

    Home Assistant complains about blocking calls in its event loop and about deprecated uses. Its own log of all events
    is left out, since it takes a sixth of the time; the states are searched for secrets instead.
    """
    keeper, root = LogKeeper(), logging.getLogger()
    events, level = logging.getLogger("homeassistant.core"), root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    events.setLevel(logging.INFO)
    yield
    events.setLevel(logging.NOTSET)
    root.setLevel(level)
    root.removeHandler(keeper)
    log = "\n".join(keeper.lines)
    assert not secrets_in(nomos, log)
    about_us = [line for line in keeper.lines if f"'{DOMAIN}'" in line]
    assert not [line for line in about_us if "custom integration" in line]


@pytest.fixture(autouse=True)
async def nothing_is_left_behind(
    hass: HomeAssistant, nomos: Simulator
) -> AsyncIterator[None]:
    """Unload and remove every account after the test; fail if anything of it is left behind.

    Before that, check that no state contains a secret.
    """
    yield
    assert not secrets_in(nomos, "\n".join(map(repr, hass.states.async_all())))
    entries = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if entry.state.recoverable:
            assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not left_behind(hass)
    for entry in entries:
        await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not remembered(hass, {entry.entry_id for entry in entries})


@pytest.fixture
def subscription(nomos):
    """Return the contract that most tests are about."""
    return nomos.customers[EMAIL].subscriptions[0]


@pytest.fixture
def files(hass: HomeAssistant):
    """Return a function that lists the integration's files by name."""

    def listing(name=""):
        folder = Path(hass.config.path(".storage"))
        return {path.name: path for path in folder.glob(f"nomos.{name}*")}

    return listing


@pytest.fixture
async def credentials(hass: HomeAssistant, nomos: Simulator) -> None:
    """Enter the application credentials."""
    assert await async_setup_component(hass, "application_credentials", {})
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(CLIENT_ID, CLIENT_SECRET, "Nomos credentials")
    )


@pytest.fixture
def entity_registry_enabled_by_default() -> Iterator[None]:
    """Enable every new entity, so that snapshots hold all of them."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        PropertyMock(return_value=True),
    ):
        yield


@pytest.fixture
def advance(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Advance:
    """Return a function that advances the clock and runs everything that is due."""

    async def move(delta: timedelta) -> None:
        freezer.tick(delta)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    return move


@pytest.fixture
def kernel() -> Iterator[dict[int, int]]:
    """Replace the kernel's timers."""
    with kernel_timers() as timers:
        yield timers


@pytest.fixture
def set_clock(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, kernel: dict[int, int]
) -> SetClock:
    """Return a function that sets the clock, which only the kernel's timers report."""

    async def move(to: datetime) -> None:
        freezer.move_to(to)
        notify_timers(kernel)
        # The event loop has to poll its files first.
        await asyncio.sleep(0)
        await hass.async_block_till_done(wait_background_tasks=True)

    return move


@pytest.fixture
def usage_known() -> bool:
    """Return whether a linked account has already requested usage today; tests of usage override it."""
    return True


@pytest.fixture
async def linked(
    hass: HomeAssistant, nomos: Simulator, credentials: None, usage_known: bool
) -> Callable[..., Awaitable[MockConfigEntry]]:
    """Return a function that sets up a customer's linked account."""

    async def link(email: str = "smart@example.com") -> MockConfigEntry:
        entry = make_entry(nomos, email)
        entry.add_to_hass(hass)
        if usage_known:
            await know_usage(hass, nomos, email)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        return entry

    return link


@pytest.fixture
def walk(hass, nomos, hass_client_no_auth):
    """Return a function that takes a flow from its external step to its result."""

    async def through(result, email="smart@example.com", *, allow=True, wait=None):
        assert result["type"] is FlowResultType.EXTERNAL_STEP, result
        async with Customer(nomos.url, email) as customer:
            back = await customer.sign_in(result["url"], allow=allow)
        assert str(back).startswith(REDIRECT_URI)
        if wait:
            wait()
        client = await hass_client_no_auth()
        response = await client.get(back.relative())
        assert response.status == 200
        return await hass.config_entries.flow.async_configure(result["flow_id"])

    return through
