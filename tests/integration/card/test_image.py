"""Tests of the price images: access, changes, and a hub without a font."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import hass_frontend
from PIL import Image
import pytest

from custom_components.nomos.card import picture
from homeassistant.components.image import async_get_image
from homeassistant.const import STATE_UNAVAILABLE, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from tests.integration.helpers import Advance, entity_id, restart

KEYS = ("chart_light", "chart_dark")


@pytest.fixture
async def pictures(
    hass: HomeAssistant, subscription, linked, advance: Advance
) -> dict[str, str]:
    """Enable and return both image entities; Home Assistant reloads the account half a minute later."""
    await linked()
    found = {key: entity_id(hass, subscription.id, key, Platform.IMAGE) for key in KEYS}
    for one in found.values():
        assert hass.states.get(one) is None
        er.async_get(hass).async_update_entity(one, disabled_by=None)
    await advance(timedelta(seconds=31))
    return found


async def test_light_and_dark(
    hass: HomeAssistant, nomos, pictures, hass_client, hass_client_no_auth
) -> None:
    """Both are served as PNG, to authorized users only."""
    client, stranger = await hass_client(), await hass_client_no_auth()
    grounds = {}
    for key, entity in pictures.items():
        reply = await client.get(f"/api/image_proxy/{entity}")
        assert reply.status == 200
        assert reply.content_type == "image/png"
        image = Image.open(BytesIO(await reply.read()))
        assert image.size == (800, 480)
        grounds[key] = image.convert("RGB").getpixel((2, 2))
        assert (await stranger.get(f"/api/image_proxy/{entity}")).status == 403
    assert grounds == {"chart_light": (255, 255, 255), "chart_dark": (28, 28, 28)}


async def test_changes_with_the_interval(
    hass: HomeAssistant, pictures, hass_client, advance: Advance
) -> None:
    """It is drawn once per interval."""
    client, entity = await hass_client(), pictures["chart_light"]

    async def look() -> tuple[str, bytes]:
        reply = await client.get(f"/api/image_proxy/{entity}")
        return hass.states.get(entity).state, await reply.read()

    first = await look()
    await advance(timedelta(minutes=5))
    assert await look() == first
    await advance(timedelta(minutes=10))
    second = await look()
    assert second[0] > first[0]
    assert second[1] != first[1]


async def test_language(hass: HomeAssistant, pictures, hass_client) -> None:
    """Its texts are in the hub's language."""
    client, entity = await hass_client(), pictures["chart_light"]
    english = await (await client.get(f"/api/image_proxy/{entity}")).read()
    hass.config.language = "de"
    [entry] = hass.config_entries.async_entries("nomos")
    await restart(hass, entry)
    assert await (await client.get(f"/api/image_proxy/{entity}")).read() != english


async def test_prices_run_out(
    hass: HomeAssistant, nomos, pictures, advance: Advance
) -> None:
    """After the last known price there is no image."""
    await nomos.stop()
    await advance(timedelta(days=3))
    for entity in pictures.values():
        assert hass.states.get(entity).state == STATE_UNAVAILABLE
        with pytest.raises(HomeAssistantError):
            await async_get_image(hass, entity)


async def test_without_a_font(
    hass: HomeAssistant,
    pictures,
    hass_client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without the frontend's fonts, the log says why there is no image."""
    picture._font.cache_clear()
    monkeypatch.setattr(hass_frontend, "where", lambda: tmp_path)
    client = await hass_client()
    reply = await client.get(f"/api/image_proxy/{pictures['chart_dark']}")
    assert reply.status == 500
    assert "The picture of the prices cannot be drawn: OSError" in caplog.text
    picture._font.cache_clear()
