"""Tests of how the card gets to the browser, and that it is removed with the last account."""

from pathlib import Path
import shutil

import pytest

from custom_components.nomos.card import resources as card
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import make_entry, restart

OTHER = "analog@example.com"


@pytest.fixture
async def frontend(hass: HomeAssistant, nomos) -> None:
    """Set up the frontend."""
    assert await async_setup_component(hass, "frontend", {})


def modules(hass: HomeAssistant) -> set[str]:
    """Return those of our modules that a page would load."""
    return {
        url for url in hass.data[DATA_EXTRA_MODULE_URL].urls if "nomos_static" in url
    }


async def test_both_scripts_are_served(
    hass: HomeAssistant, nomos, frontend, linked, hass_client_no_auth
) -> None:
    """The page names the modules, they are served without authentication, and browsers may cache them."""
    assert not modules(hass)
    await linked()
    urls = modules(hass)
    assert sorted(url.split("/")[-1] for url in urls) == [
        "nomos-dashboard.js",
        "nomos-price-card.js",
    ]
    client = await hass_client_no_auth()
    for url in urls:
        reply = await client.get(url)
        assert reply.status == 200
        assert "javascript" in reply.headers["Content-Type"]
        assert reply.headers["Cache-Control"] == "public, max-age=2678400"
        path = Path(card.__file__).parents[1] / "frontend" / url.split("/")[-1]
        assert await reply.read() == path.read_bytes()
    # The card loads the form of its editor from the same folder.
    folder = urls.pop().rsplit("/", 1)[0]
    assert (await client.get(f"{folder}/nomos-price-card-editor.js")).status == 200
    assert (await client.get(f"{folder}/../manifest.json")).status == 404


def test_path_depends_on_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser with the old script in its cache loads the new one."""
    folder = tmp_path / "frontend"
    shutil.copytree(Path(card.__file__).parents[1] / "frontend", folder)
    before = card._version()
    monkeypatch.setattr(card, "_FOLDER", folder)
    assert card._version() == before
    for path in sorted(folder.glob("*.js")):
        version = card._version()
        path.write_text(path.read_text() + "\n")
        assert card._version() != version


async def test_gone_with_the_last_account(
    hass: HomeAssistant, nomos, frontend, linked
) -> None:
    """Two accounts share the card; it is removed with the second one, and comes back with the next."""
    one, two = await linked(), await linked(OTHER)
    urls = modules(hass)
    assert len(urls) == 2
    assert await hass.config_entries.async_remove(one.entry_id)
    assert modules(hass) == urls
    assert await hass.config_entries.async_remove(two.entry_id)
    assert not modules(hass)
    # A served path cannot be unregistered, so it must not be registered again.
    await linked()
    assert modules(hass) == urls


async def test_a_reload_keeps_the_card(
    hass: HomeAssistant, nomos, frontend, linked
) -> None:
    """Disabling the only account removes the card; enabling or reloading brings it back."""
    entry = await linked()
    urls = modules(hass)
    await restart(hass, entry)
    assert modules(hass) == urls
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    assert not modules(hass)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert modules(hass) == urls


async def test_an_account_that_waits_has_its_card(
    hass: HomeAssistant, nomos, frontend, credentials
) -> None:
    """The card is there even if Nomos is down, so that dashboards show no errors; removing the account removes it."""
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    await nomos.stop()
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert len(modules(hass)) == 2
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not modules(hass)


async def test_without_frontend(hass: HomeAssistant, nomos, linked) -> None:
    """A hub without pages has prices all the same."""
    entry = await linked()
    assert entry.state is ConfigEntryState.LOADED
    assert DATA_EXTRA_MODULE_URL not in hass.data
    assert await hass.config_entries.async_remove(entry.entry_id)
