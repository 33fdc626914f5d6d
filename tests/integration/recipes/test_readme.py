"""Tests of the automation in the readme, in both languages: it always switches off what it switched on."""

from datetime import timedelta

import pytest

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
from tests.integration.blueprints import QUARTER, Relays
from tests.integration.helpers import Advance, entity_id
from tests.integration.recipes import blocks

languages = pytest.mark.parametrize(
    ("language", "page"), [("en", "README.md"), ("de", "README.de.md")]
)
CHEAP_NOW = {
    "en": "binary_sensor.nomos_cheap_now",
    "de": "binary_sensor.nomos_jetzt_gunstig",
}


async def automate(hass: HomeAssistant, page: str) -> Relays:
    """Set up the automation of a page; return the switch of the water heater."""
    relays = Relays(hass, "water_heater")
    [example] = blocks(page)
    config = parse_yaml(example)
    assert isinstance(config, dict)
    assert await async_setup_component(
        hass, "automation", {"automation": {"alias": "used", **config}}
    )
    await hass.async_block_till_done()
    return relays


def heats(hass: HomeAssistant) -> bool:
    """Return whether the water heater is on."""
    return hass.states.get("switch.water_heater").state == "on"


@languages
async def test_a_day(
    hass: HomeAssistant, linked, subscription, advance: Advance, language, page
) -> None:
    """Water is heated exactly while power is cheap."""
    hass.config.language = language
    await linked()
    await automate(hass, page)
    cheap_now = CHEAP_NOW[language]
    assert cheap_now == entity_id(
        hass, subscription.id, "cheap_now", platform="binary_sensor"
    )
    seen = []
    for _ in range(96):
        await advance(QUARTER)
        is_cheap = hass.states.get(cheap_now).state == "on"
        assert heats(hass) == is_cheap
        seen.append(is_cheap)
    assert set(seen) == {True, False}


async def test_prices_are_gone(hass: HomeAssistant, linked, advance: Advance) -> None:
    """The water heater is switched off when it is unknown whether power is cheap."""
    entry = await linked()
    await automate(hass, "README.md")
    while not heats(hass):
        await advance(QUARTER)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert not heats(hass)


async def test_restart(hass: HomeAssistant, linked, advance: Advance) -> None:
    """A water heater that was on when Home Assistant stopped is switched off at startup if power is not cheap."""
    await linked()
    await advance(timedelta(seconds=1))
    assert hass.states.get(CHEAP_NOW["en"]).state == "off"
    hass.set_state(CoreState.starting)
    relays = await automate(hass, "README.md")
    relays.turn("water_heater", "on")
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert not heats(hass)
