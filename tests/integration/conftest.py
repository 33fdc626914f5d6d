"""A real Home Assistant core, a simulated Nomos on a real socket, and a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
import logging
from pathlib import Path
import random
from typing import Any, override
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
from custom_components.nomos.pricing import local_date
from custom_components.nomos.usage import sync as usage_fetch
from custom_components.nomos.usage.record import UsageRecord
from custom_components.nomos.usage.record_file import encode_record, usage_file
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.json import json_dumps
from homeassistant.setup import async_setup_component
from homeassistant.util.json import json_loads
from scripts.linking import Customer
from simulator import Simulator

from .leaks import left_behind, remembered

CLIENT_ID = "nomos-home"
CLIENT_SECRET = "a secret/with+signs:&"
REDIRECT_URI = "https://example.com/auth/external/callback"

EMAIL = "smart@example.com"
"""The customer whom most tests are about: one contract, a smart meter, prices by the quarter-hour."""

HOUR = timedelta(hours=1)

START = datetime(2026, 6, 10, 8, 3, 7, tzinfo=UTC)
"""A Wednesday morning in summer, in the middle of an interval."""


class LogKeeper(logging.Handler):
    """Keeps every line of the log as a file would hold it."""

    def __init__(self) -> None:
        """Keep everything, down to debug."""
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._formatter = logging.Formatter("%(name)s %(message)s")

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line with its traceback."""
        self.lines.append(self._formatter.format(record))


type Advance = Callable[[timedelta], Awaitable[None]]


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let tests talk to loopback."""


@pytest.fixture(autouse=True)
def quiet_access_log() -> None:
    """Keep the test client's own access log out: it cannot tell a frozen time, and is not Home Assistant's."""
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load the integration from this folder."""


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give every test a config folder of its own: the integration keeps files there."""
    return hass_tmp_config_dir


@pytest.fixture
async def german_hub(hass: HomeAssistant) -> None:
    """Hang the hub in Germany: windows of loads, and what a person says, are by the clock on the wall."""
    await hass.config.async_set_time_zone("Europe/Berlin")


@pytest.fixture(autouse=True)
def dice() -> None:
    """Throw the same jitter in every run: what it does at its extremes is a matter of the schedule's own tests."""
    random.seed(20260610)


@pytest.fixture(autouse=True)
def quiet_database() -> None:
    """Keep every statement of the recorder's database out of the log that is searched for secrets."""
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pauses pass at once where time stands still."""

    async def pause(_seconds: float) -> None:
        await asyncio.sleep(0)

    for module in (pace, usage_fetch):
        monkeypatch.setattr(module, "sleep", pause)


@pytest.fixture(autouse=True)
def instance(hass_storage: dict[str, Any]) -> None:
    """Give the hub an identity, and with it always the same place in the spread of requests."""
    hass_storage["core.uuid"] = {"version": 1, "data": {"uuid": "5e7"}}


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return a snapshot that is kept beside Home Assistant's."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def now() -> datetime:
    """Return when the test begins; to be overridden by parametrisation."""
    return START


@pytest.fixture
def market_file() -> Path | None:
    """Return the file of prices that the market replays; to be overridden by parametrisation."""
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
    # Requests of one frozen second would all count against the limit.
    simulator.configure(rate_limit=None)
    await simulator.start()
    monkeypatch.setenv("NOMOS_API_URL", simulator.url)
    yield simulator
    await simulator.stop()


@pytest.fixture(autouse=True)
def clean_log(nomos: Simulator) -> Iterator[None]:
    """Fail every test whose debug log holds a secret that the simulator knows, or a complaint of Home Assistant's.

    It complains of what blocks its loop, and of what an integration uses that a coming release will not have.
    """
    keeper, root = LogKeeper(), logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(level)
    root.removeHandler(keeper)
    log = "\n".join(keeper.lines)
    # Six digits may turn up by chance; a one-time code is worthless without the session's secret.
    secrets = {secret for secret in nomos.secrets if len(secret) > 6}
    assert secrets
    assert not [secret for secret in secrets if secret in log]
    about_us = [line for line in keeper.lines if f"'{DOMAIN}'" in line]
    assert not [line for line in about_us if "custom integration" in line]


@pytest.fixture(autouse=True)
async def nothing_is_left_behind(
    hass: HomeAssistant, nomos: Simulator
) -> AsyncIterator[None]:
    """Unload and remove every account after the test, and fail if anything of it is left."""
    yield
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
    """Return the contract of the customer whom most tests are about."""
    return nomos.customers[EMAIL].subscriptions[0]


@pytest.fixture
def files(hass: HomeAssistant):
    """Return a function that lists the integration's files by their names."""

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
    """Let Home Assistant enable every new entity, so that snapshots see them all."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        PropertyMock(return_value=True),
    ):
        yield


@pytest.fixture
def advance(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Advance:
    """Return a function that moves the clock and lets everything that is due happen."""

    async def move(delta: timedelta) -> None:
        freezer.tick(delta)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    return move


def make_entry(nomos: Simulator, email: str = "smart@example.com") -> MockConfigEntry:
    """Return a config entry as a finished flow stores it."""
    customer = nomos.customers[email]
    token = nomos.issue_tokens(email)
    expires_at = datetime.now(UTC).timestamp() + token["expires_in"]
    return MockConfigEntry(
        domain=DOMAIN,
        title="4X44EMKX",
        unique_id=customer.id,
        data={
            "auth_implementation": DOMAIN,
            "token": {**token, "expires_at": expires_at},
        },
    )


@pytest.fixture
def usage_known() -> bool:
    """Return whether a linked account has asked for usage today already; to be overridden where that is the matter."""
    return True


async def know_usage(hass: HomeAssistant, nomos: Simulator, email: str) -> None:
    """Let usage be known up to today, so that it is asked for in the afternoon as on every other day."""
    today = local_date(datetime.now(UTC))
    for subscription in nomos.customers[email].subscriptions:
        record = UsageRecord(
            looked_to=today, settled_to=today.replace(day=1), reductions_on=today
        )
        await usage_file(hass, subscription.id).async_save(
            encode_record(subscription.id, record)
        )


@pytest.fixture
async def linked(
    hass: HomeAssistant, nomos: Simulator, credentials: None, usage_known: bool
) -> Callable[..., Awaitable[MockConfigEntry]]:
    """Return a function that sets up the linked account of a customer."""

    async def link(email: str = "smart@example.com") -> MockConfigEntry:
        entry = make_entry(nomos, email)
        entry.add_to_hass(hass)
        if usage_known:
            await know_usage(hass, nomos, email)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        return entry

    return link


def entity_id(
    hass: HomeAssistant, subscription_id: str, key: str, platform: str = Platform.SENSOR
) -> str:
    """Return the entity id of a subscription's entity."""
    found = er.async_get(hass).async_get_entity_id(
        platform, DOMAIN, f"{subscription_id}_{key}"
    )
    assert found, f"No entity {key}"
    return found


def state_of(
    hass: HomeAssistant, subscription_id: str, key: str, platform: str = Platform.SENSOR
):
    """Return the state object of a subscription's entity."""
    state = hass.states.get(entity_id(hass, subscription_id, key, platform))
    assert state, f"No state of {key}"
    return state


def facts(hass: HomeAssistant, entity: er.RegistryEntry) -> object:
    """Return what an entity is by our doing, for snapshots: every Home Assistant has fields of its own besides."""
    state = hass.states.get(entity.entity_id)
    assert state
    what = {
        "unique_id": entity.unique_id,
        "translation_key": entity.translation_key,
        "entity_category": entity.entity_category,
        "options": entity.options,
        "state": state.state,
        "attributes": state.attributes,
    }
    return json_loads(json_dumps(what))


def reauth_flows(hass):
    """Return the prompts to link again."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


def count(nomos, kind):
    """Return how many requests of a kind were answered."""
    return nomos.count(kind)


def device_ids(hass, entry):
    """Return the subscriptions that have a device."""
    return {
        next(iter(device.identifiers))[1]
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }


async def restart(hass, entry):
    """Unload and set up, as a restart of Home Assistant does."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def assert_right(hass, nomos, subscription):
    """Assert that the market's price is shown."""
    truth = nomos.price(subscription.id, datetime.now(UTC))
    shown = state_of(hass, subscription.id, "price").state
    assert float(shown) == pytest.approx(truth.amount / 100)


@pytest.fixture
def walk(hass, nomos, hass_client_no_auth):
    """Return a function that walks a flow from its external step to its end."""

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
