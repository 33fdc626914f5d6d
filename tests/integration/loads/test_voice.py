"""Tests of loads by voice: Home Assistant has sentences for the switch, but none for buttons."""

import pytest

from homeassistant.components.conversation import async_converse
from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.core import Context, HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.loads.helpers import DISHWASHER, add, shown

pytestmark = pytest.mark.usefixtures("german_hub")

SENTENCES = {
    "en": ("turn on Dishwasher Planned", "turn off Dishwasher Planned"),
    "de": ("schalte Dishwasher Geplant an", "schalte Dishwasher Geplant aus"),
}


@pytest.mark.parametrize("language", SENTENCES)
async def test_by_voice(hass: HomeAssistant, linked, language: str) -> None:
    """A load can be requested and withdrawn by voice in both languages, without any setup."""
    hass.config.language = language
    for name in ("homeassistant", "intent", "conversation"):
        assert await async_setup_component(hass, name, {})
    entry = await linked()
    dishwasher = await add(hass, entry, DISHWASHER, repeat="on_demand")
    planned = shown(hass, dishwasher, "planned", "switch")
    assert planned.state == "off"
    assert async_should_expose(hass, "conversation", planned.entity_id)
    for sentence, state in zip(SENTENCES[language], ("on", "off"), strict=True):
        result = await async_converse(
            hass, sentence, None, Context(), language=language
        )
        assert result.response.error_code is None, sentence
        await hass.async_block_till_done(wait_background_tasks=True)
        assert shown(hass, dishwasher, "planned", "switch").state == state
    assert shown(hass, dishwasher, "status").state in {"not_asked", "done"}
