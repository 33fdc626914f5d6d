"""Tests of messages about tomorrow and about negative prices."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.integration.blueprints import QUARTER, device, go_to, use
from tests.integration.helpers import Advance, entity_id, restart
from tests.integration.loads.helpers import table_of

SEND = [
    {
        "action": "test.send",
        "data": {"title": "{{ title }}", "message": "{{ message }}"},
    }
]


ENGLISH = "Tomorrow (2026-06-11) power costs"
GERMAN = "Morgen (11.06.) kostet Strom im Durchschnitt"


@pytest.mark.parametrize(
    ("hub", "inputs", "words"),
    [
        ("en", {}, ENGLISH),
        ("de", {}, GERMAN),
        ("fr", {}, ENGLISH),
        ("de", {"language": "en"}, ENGLISH),
        ("en", {"language": "de"}, GERMAN),
    ],
)
async def test_tomorrow(
    hass: HomeAssistant, linked, advance: Advance, subscription, hub, inputs, words
) -> None:
    """There is one message a day, once tomorrow is known, in the hub's language unless another is chosen."""
    hass.config.language = hub
    entry = await linked()
    sent = async_mock_service(hass, "test", "send")
    await use(
        hass,
        "tomorrow_notification",
        contract=device(hass, subscription),
        send=SEND,
        **inputs,
    )
    await go_to(advance, datetime(2026, 6, 10, 21, 45, tzinfo=UTC))
    [call] = sent
    message = call.data["message"]
    assert message.startswith(words)
    day = table_of(entry).day(datetime(2026, 6, 11, tzinfo=UTC).date())
    mean = f"{day.average * 100:.1f}"
    assert (mean.replace(".", ",") if words == GERMAN else mean) in message
    assert "3 h" in message


async def test_language_without_the_sensor_of_tomorrow(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription
) -> None:
    """The language is also known if that sensor is disabled."""
    hass.config.language = "de"
    begin = datetime(2026, 6, 10, 10, tzinfo=UTC)
    nomos.correct_price(subscription.id, begin, -1.0)
    entry = await linked()
    tomorrow = entity_id(
        hass, subscription.id, "tomorrow_available", Platform.BINARY_SENSOR
    )
    er.async_get(hass).async_update_entity(
        tomorrow, disabled_by=er.RegistryEntryDisabler.USER
    )
    await restart(hass, entry)
    sent = async_mock_service(hass, "test", "send")
    await use(hass, "negative_price", contract=device(hass, subscription), send=SEND)
    await go_to(advance, begin + timedelta(minutes=1))
    [call] = sent
    assert call.data["message"].startswith("Der Strompreis ist bis 12:15 Uhr negativ")


@pytest.mark.parametrize(
    ("hub", "words"),
    [
        (
            "en",
            "The electricity price is negative until 13:00, down to -4.0 ct/kWh.",
        ),
        (
            "de",
            "Der Strompreis ist bis 13:00 Uhr negativ und sinkt bis auf -4,0 ct/kWh.",
        ),
    ],
)
async def test_negative(
    hass: HomeAssistant, nomos, linked, advance: Advance, subscription, hub, words
) -> None:
    """There is a message when the price turns negative, with the end and the lowest price."""
    hass.config.language = hub
    begin = datetime(2026, 6, 10, 10, tzinfo=UTC)
    for number in range(4):
        nomos.correct_price(subscription.id, begin + number * QUARTER, -1.0 - number)
    await linked()
    sent = async_mock_service(hass, "test", "send")
    await use(hass, "negative_price", contract=device(hass, subscription), send=SEND)
    await go_to(advance, begin - timedelta(minutes=1))
    assert not sent
    await go_to(advance, begin + timedelta(hours=2))
    [call] = sent
    assert call.data["message"] == words
