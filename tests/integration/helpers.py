"""Helpers for tests with a real Home Assistant: the linked account, its entities, a restart."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
import json
import logging
from typing import override

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.const import DOMAIN
from custom_components.nomos.pricing import local_date
from custom_components.nomos.usage.coordinator import usage_file
from custom_components.nomos.usage.months import month_chunks, month_start
from custom_components.nomos.usage.record import MonthState, MonthStatus, UsageRecord
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.json import json_dumps
from homeassistant.util.json import json_loads
from simulator import Simulator
from tests.packaging import INTEGRATION

CLIENT_ID = "nomos-home"

CLIENT_SECRET = "a secret/with+signs:&"

REDIRECT_URI = "https://example.com/auth/external/callback"

EMAIL = "smart@example.com"
"""The customer that most tests are about: one contract, a smart meter, quarter-hourly prices."""

HOUR = timedelta(hours=1)

_HOME_ASSISTANTS = frozenset(
    {
        "access_token",
        "all_day",
        "attribution",
        "description",
        "device_class",
        "end_time",
        "entity_picture",
        "friendly_name",
        "icon",
        "location",
        "max",
        "message",
        "min",
        "mode",
        "options",
        "start_time",
        "state_class",
        "step",
        "unit_of_measurement",
    }
)
"""Attributes that Home Assistant itself names."""

_ANY = frozenset({"access_token", "entity_picture"})
"""Attributes of images that differ each time."""

START = datetime(2026, 6, 10, 8, 3, 7, tzinfo=UTC)
"""A Wednesday morning in summer, in the middle of an interval."""


class LogKeeper(logging.Handler):
    """Collects every line of the log as it would be written to a file."""

    def __init__(self) -> None:
        """Keep everything, down to debug."""
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._formatter = logging.Formatter("%(name)s %(message)s")

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line with its traceback."""
        self.lines.append(self._formatter.format(record))


def secrets_in(nomos: Simulator, text: str) -> list[str]:
    """Return the simulator's secrets that a text contains."""
    # Six digits may occur by chance, and a one-time code is useless without the session's secret.
    secrets = {secret for secret in nomos.secrets if len(secret) > 6}
    assert secrets
    return [secret for secret in secrets if secret in text]


type Advance = Callable[[timedelta], Awaitable[None]]

type SetClock = Callable[[datetime], Awaitable[None]]
"""Sets the clock, which only the kernel\'s timers notice."""


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


async def know_usage(hass: HomeAssistant, nomos: Simulator, email: str) -> None:
    """Store a record with usage known up to today, so that it is requested in the afternoon as usual."""
    today = local_date(datetime.now(UTC))
    for subscription in nomos.customers[email].subscriptions:
        begin = local_date(subscription.start_at or datetime.now(UTC))
        months = {
            month_start(start): MonthState(MonthStatus.SETTLED, today)
            for start, _ in month_chunks(begin, month_start(today))
        }
        months[month_start(today)] = MonthState(MonthStatus.OPEN, today)
        record = UsageRecord(months=months, synced_on=today, reductions_on=today)
        await usage_file(hass, subscription.id).async_save(record)


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


def unnamed_attributes(hass: HomeAssistant, entry: ConfigEntry) -> set[str]:
    """Return the attributes of an account's entities that lack a translated name."""
    texts = json.loads((INTEGRATION / "translations" / "en.json").read_text())["entity"]
    unnamed = set()
    for one in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if state := hass.states.get(one.entity_id):
            named = texts[one.domain][one.translation_key].get("state_attributes", {})
            unnamed |= state.attributes.keys() - _HOME_ASSISTANTS - named.keys()
    return unnamed


def facts(hass: HomeAssistant, entity: er.RegistryEntry) -> object:
    """Return the fields of an entity that we set, for snapshots, since others depend on Home Assistant's version."""
    state = hass.states.get(entity.entity_id)
    assert state
    what = {
        "unique_id": entity.unique_id,
        "translation_key": entity.translation_key,
        "entity_category": entity.entity_category,
        "options": entity.options,
        "state": state.state,
        "attributes": {
            key: value for key, value in state.attributes.items() if key not in _ANY
        },
    }
    return json_loads(json_dumps(what))


def reauth_flows(hass):
    """Return the flows that ask to link again."""
    return [
        flow
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if flow["context"]["source"] == SOURCE_REAUTH
    ]


def count(nomos, kind):
    """Return how many requests of a kind were answered."""
    return nomos.count(kind)


def device_ids(hass, entry):
    """Return the ids of the contracts that have a device."""
    return {
        next(iter(device.identifiers))[1]
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }


async def restart(hass, entry):
    """Unload and set up again, as a restart of Home Assistant does."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


def assert_right(hass, nomos, subscription):
    """Assert that the market's price is shown."""
    truth = nomos.price(subscription.id, datetime.now(UTC))
    shown = state_of(hass, subscription.id, "price").state
    assert float(shown) == pytest.approx(truth.amount / 100)


def personal(nomos, email, entry):
    """Return what support must not see: the customer's personal data and all secrets."""
    customer = nomos.customers[email]
    found = [customer.id, email, "Erika", *entry.subentries, *nomos.secrets]
    for one in customer.subscriptions:
        found += [one.id, one.number, one.plan]
    return [value for value in found if value]
