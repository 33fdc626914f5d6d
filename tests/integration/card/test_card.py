"""Tests of how the card gets to the browser, and that it is removed with the last account."""

import asyncio
from pathlib import Path
import re
import shutil
from typing import Any

import pytest

from custom_components.nomos.card.resources import (
    FOLDER,
    LOADER,
    read_modules,
    version_of,
)
from custom_components.nomos.const import DOMAIN, PAGES
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL, DATA_PANELS
from homeassistant.components.lovelace.const import LOVELACE_DATA
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.integration.helpers import make_entry, restart

OTHER = "analog@example.com"

URL = f"{LOADER}?v={version_of(read_modules())}"
"""The loader, which pages load."""

OTHERS = [
    {"id": "a", "type": "module", "url": "/hacsfiles/bubble/bubble.js?hacstag=1"},
    {"id": "b", "type": "css", "url": "/local/nomos_static/card.js"},
]
"""Dashboard resources of other cards."""


@pytest.fixture
async def frontend(hass: HomeAssistant, nomos) -> None:
    """Set up the frontend."""
    assert await async_setup_component(hass, "frontend", {})


@pytest.fixture
def stored(hass_storage: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the dashboard resources that are stored before Home Assistant starts."""
    items = [dict(one) for one in OTHERS]
    hass_storage["lovelace_resources"] = {
        "version": 1,
        "key": "lovelace_resources",
        "data": {"items": items},
    }
    return items


def modules(hass: HomeAssistant) -> set[str]:
    """Return the modules of ours that a page would load."""
    return {
        url for url in hass.data[DATA_EXTRA_MODULE_URL].urls if "nomos_static" in url
    }


async def resources(hass: HomeAssistant) -> list[tuple[str, str]]:
    """Return type and URL of all dashboard resources."""
    collection = hass.data[LOVELACE_DATA].resources
    await collection.async_get_info()
    return [(item["type"], item["url"]) for item in collection.async_items()]


def others() -> list[tuple[str, str]]:
    """Return type and URL of other cards' resources."""
    return [(one["type"], one["url"]) for one in OTHERS]


async def test_all_modules_are_served(
    hass: HomeAssistant, nomos, frontend, linked, hass_client_no_auth
) -> None:
    """The page names the loader and that the rest; all are served without authentication and cached by browsers."""
    assert not modules(hass)
    await linked()
    assert modules(hass) == {URL}
    client = await hass_client_no_auth()
    loader = await client.get(URL)
    imported = re.findall(r'import "(.+)";', await loader.text())
    assert [path.rsplit("/", 1)[1] for path in imported] == [
        "nomos-price-card.js",
        "nomos-dashboard.js",
    ]
    folder = imported[0].rsplit("/", 1)[0]
    for path in FOLDER.glob("*.js"):
        reply = await client.get(f"{folder}/{path.name}")
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert "immutable" in reply.headers["Cache-Control"]
        assert await reply.read() == path.read_bytes()
    assert (await client.get(f"{folder}/../manifest.json")).status == 404
    assert (await client.get(f"{folder}/manifest.json")).status == 404


async def test_start_page(
    hass: HomeAssistant, nomos, frontend, linked, hass_client_no_auth
) -> None:
    """The page that adds the dashboard exists as long as there is an account, and is in no menu."""
    panels = hass.data[DATA_PANELS]
    assert PAGES["dashboard_url"] not in {f"/{path}" for path in panels}
    entry = await linked()
    panel = panels[PAGES["dashboard_url"].removeprefix("/")]
    assert panel.require_admin
    assert not panel.show_in_sidebar
    client = await hass_client_no_auth()
    assert panel.config is not None
    page = panel.config["_panel_custom"]
    module = await client.get(page["module_url"])
    assert f'customElements.define("{page["name"]}"' in await module.text()
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert PAGES["dashboard_url"] not in {f"/{path}" for path in panels}


async def test_an_older_page_gets_the_present_modules(
    hass: HomeAssistant, nomos, frontend, linked, hass_client_no_auth
) -> None:
    """An old page or a line in a configuration gets the current modules, but does not cache them."""
    await linked()
    client = await hass_client_no_auth()
    for url in (LOADER, f"{LOADER}?v=0123456789ab"):
        reply = await client.get(url)
        assert (
            f"/{version_of(read_modules())}/nomos-price-card.js" in await reply.text()
        )
        assert reply.headers["Cache-Control"] == "no-cache"
    reply = await client.get("/nomos_static/0123456789ab/battery.js")
    assert await reply.read() == (FOLDER / "battery.js").read_bytes()
    assert reply.headers["Cache-Control"] == "no-cache"


async def test_a_cast_receiver_may_load_it(
    hass: HomeAssistant, nomos, frontend, linked, hass_client_no_auth
) -> None:
    """The receiver's page comes from another host."""
    await linked()
    client = await hass_client_no_auth()
    receiver = "https://cast.home-assistant.io"
    for url in (URL, "/nomos_static/0123456789ab/chart.js"):
        reply = await client.get(url, headers={"Origin": receiver})
        assert reply.headers["Access-Control-Allow-Origin"] == receiver


def test_version_depends_on_the_content(tmp_path: Path) -> None:
    """A browser that has cached old modules loads the new ones."""
    folder = tmp_path / "frontend"
    shutil.copytree(FOLDER, folder)
    assert f"{LOADER}?v={version_of(read_modules(folder))}" == URL
    for path in sorted(folder.glob("*.js")):
        version = version_of(read_modules(folder))
        path.write_text(path.read_text() + "\n")
        assert version_of(read_modules(folder)) != version


async def test_nothing_without_an_account(
    hass: HomeAssistant, frontend, credentials, hass_client_no_auth
) -> None:
    """Application credentials alone, even with a YAML configuration, load no card."""
    await hass.async_block_till_done()
    assert DOMAIN not in hass.config.components
    assert await async_setup_component(hass, DOMAIN, {})
    assert not modules(hass)
    assert await resources(hass) == []
    client = await hass_client_no_auth()
    assert (await client.get(LOADER)).status == 404


async def test_there_before_the_account(
    hass: HomeAssistant, nomos, frontend, credentials
) -> None:
    """A page that loads while an account is being set up has the card."""
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    setup = asyncio.create_task(hass.config_entries.async_setup(entry.entry_id))
    while not modules(hass):
        await asyncio.sleep(0)
    state = entry.state
    assert await setup
    assert state is not ConfigEntryState.LOADED
    assert modules(hass) == {URL}


async def test_listed_once_among_the_resources(
    hass: HomeAssistant, stored, frontend, linked
) -> None:
    """The card is listed as long as there is an account; other resources do not change."""
    await linked()
    assert await resources(hass) == [*others(), ("module", URL)]
    two = await linked(OTHER)
    assert await resources(hass) == [*others(), ("module", URL)]
    for entry in hass.config_entries.async_entries(DOMAIN):
        assert ("module", URL) in await resources(hass)
        assert await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert two.state is ConfigEntryState.NOT_LOADED
    assert await resources(hass) == others()


@pytest.mark.parametrize("before", [LOADER, f"{LOADER}?v=0123456789ab", URL])
async def test_an_update_changes_the_resource(
    hass: HomeAssistant, stored, frontend, linked, before
) -> None:
    """The resource of an older version, or one added by hand, is updated in place."""
    stored.insert(1, {"id": "ours", "type": "module", "url": before})
    await linked()
    [ours] = [
        item
        for item in hass.data[LOVELACE_DATA].resources.async_items()
        if item["id"] == "ours"
    ]
    assert ours == {"id": "ours", "type": "module", "url": URL}
    assert len(await resources(hass)) == 3


async def test_resources_in_yaml(hass: HomeAssistant, nomos, linked) -> None:
    """If resources are configured in YAML, none is added, but pages still have the card."""
    line = {"url": LOADER, "type": "module"}
    config = {"lovelace": {"resource_mode": "yaml", "resources": [line]}}
    assert await async_setup_component(hass, "frontend", config)
    assert await async_setup_component(hass, "lovelace", config)
    entry = await linked()
    assert await resources(hass) == [("module", LOADER)]
    assert modules(hass) == {URL}
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert await resources(hass) == [("module", LOADER)]


@pytest.mark.parametrize(
    "broken",
    [{"version": 99, "data": {}}, {"version": 1, "data": {"items": [{"id": "x"}]}}],
)
async def test_resources_that_cannot_be_read(
    hass: HomeAssistant, hass_storage, frontend, linked, caplog, broken
) -> None:
    """A broken file of resources does not affect the account and is left alone."""
    hass_storage["lovelace_resources"] = broken | {"key": "lovelace_resources"}
    entry = await linked()
    assert entry.state is ConfigEntryState.LOADED
    assert modules(hass) == {URL}
    assert "could not be listed among the resources" in caplog.text
    assert hass_storage["lovelace_resources"]["version"] == broken["version"]


async def test_gone_with_the_last_account(
    hass: HomeAssistant, nomos, frontend, linked
) -> None:
    """Two accounts share the card; it is removed with the second and returns with a new one."""
    one, two = await linked(), await linked(OTHER)
    urls = modules(hass)
    assert urls == {URL}
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
    """The card exists even if Nomos is down, so dashboards show no errors; removing the account removes it."""
    entry = make_entry(nomos)
    entry.add_to_hass(hass)
    await nomos.stop()
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert modules(hass) == {URL}
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert not modules(hass)


async def test_without_frontend(hass: HomeAssistant, nomos, linked) -> None:
    """A hub without a frontend still has prices."""
    entry = await linked()
    assert entry.state is ConfigEntryState.LOADED
    assert DATA_EXTRA_MODULE_URL not in hass.data
    assert await hass.config_entries.async_remove(entry.entry_id)
