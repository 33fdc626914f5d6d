"""A hub for measurements: a real Home Assistant core linked to a simulated Nomos, with the real recorder on request."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.loads.load import SUBENTRY_TYPE
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from homeassistant.helpers.recorder import async_initialize_recorder
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .simulator_process import CLIENT_ID, CLIENT_SECRET, SimulatorProcess

RECORDER: Final = "recorder"
DATABASE: Final = "home-assistant_v2.db"

LOADS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Dishwasher": {
        "duration": {"hours": 2, "minutes": 15},
        "start": "20:00:00",
        "end": "07:00:00",
        "contiguous": True,
        "power": 1.2,
    },
    "Car": {
        "duration": {"hours": 4, "minutes": 0},
        "contiguous": False,
        "power": 11,
        "min_run": 30,
        "min_pause": 15,
        "max_runs": 3,
    },
    "Hot water": {
        "duration": {"hours": 1, "minutes": 30},
        "start": "10:00:00",
        "end": "18:00:00",
        "contiguous": False,
        "power": 2,
        "min_run": 30,
    },
}
"""Three typical loads: contiguous overnight, in a few runs at any time, in several runs by day."""

_COMMON: Final = ("application_credentials", "sensor", "binary_sensor", "calendar")
"""Components that the integration needs and every hub has anyway."""


@asynccontextmanager
async def hub(folder: Path, *, recorder: bool) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant in Germany, with its files in a folder."""
    storage = folder / ".storage"
    storage.mkdir(exist_ok=True)
    # This determines the hub's phase in the spread of requests.
    uuid = {"version": 1, "minor_version": 1, "key": "core.uuid", "data": {"uuid": "7"}}
    (storage / "core.uuid").write_text(json.dumps(uuid))
    async with async_test_home_assistant(config_dir=str(folder)) as hass:
        await hass.config.async_set_time_zone("Europe/Berlin")
        hass.data.pop(DATA_CUSTOM_COMPONENTS)
        frame.async_setup(hass)
        if recorder:
            async_initialize_recorder(hass)
            config = {RECORDER: {"db_url": f"sqlite:///{folder / DATABASE}"}}
            assert await async_setup_component(hass, RECORDER, config)
        for domain in _COMMON:
            assert await async_setup_component(hass, domain, {})
        await hass.async_start()
        await hass.async_block_till_done()
        try:
            yield hass
        finally:
            await hass.async_stop(force=True)


def add_loads(
    hass: HomeAssistant,
    entry: ConfigEntry,
    loads: Mapping[str, Mapping[str, Any]] = LOADS,
) -> None:
    """Add loads to an account, as finished forms do."""
    for name, settings in loads.items():
        hass.config_entries.async_add_subentry(
            entry,
            ConfigSubentry(
                data=MappingProxyType(dict(settings)),
                subentry_type=SUBENTRY_TYPE,
                title=name,
                unique_id=None,
            ),
        )


async def enter_account(
    hass: HomeAssistant, nomos: SimulatorProcess, *, loads: bool
) -> MockConfigEntry:
    """Add the customer's account to the hub, as a finished flow does, without setting it up."""
    credential = ClientCredential(CLIENT_ID, CLIENT_SECRET, "Nomos credentials")
    await async_import_client_credential(hass, DOMAIN, credential)
    expires_at = dt_util.utcnow().timestamp() + nomos.token["expires_in"]
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Benchmark",
        # Names of stored files contain the id, so that a second start finds them.
        entry_id="benchmark",
        unique_id=nomos.customer,
        data={
            "auth_implementation": DOMAIN,
            "token": {**nomos.token, "expires_at": expires_at},
        },
    )
    entry.add_to_hass(hass)
    if loads:
        add_loads(hass, entry)
    return entry
