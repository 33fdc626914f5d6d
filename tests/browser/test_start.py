"""Tests of pages that load while Home Assistant starts, as on a wall tablet after an update."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
import json
from pathlib import Path
import shutil

from playwright.async_api import BrowserContext, Page, expect

from custom_components.nomos.card.resources import LOADER
from scripts.develop import wait_for_price
from scripts.hub_client import HubClient
from scripts.sign_in import Customer, link
from tests.browser.browser import open_browser
from tests.e2e.processes import Processes, start_processes

STAGE = "mqtt_eventstream"
"""An integration that all others except the frontend and the recorder wait for."""

NAMED = f'import("{LOADER}'
"""How a page names the loader if it is served after our setup."""

DASHBOARD = "wall-tablet"

OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""No route is set for this, since Playwright would then disable the browser's cache."""


async def test_a_page_that_loads_while_home_assistant_starts(tmp_path: Path) -> None:
    """It has the card before any integration is set up, and shows prices by itself as soon as they are there."""
    async with (
        start_processes(tmp_path / "hub") as processes,
        Customer(processes.simulator_url) as customer,
        processes.hub.client(processes.token) as hub,
        open_browser(OFFLINE) as browser,
    ):
        begin = datetime.now(UTC)
        await link(hub, customer)
        price = await wait_for_price(hub, since=begin)
        await make_dashboard(hub, price.entity_id)
        context = await browser.new_context(service_workers="block", locale="en-GB")
        await log_in(context, processes)
        page = await context.new_page()
        await page.goto(f"{processes.hub.url}/{DASHBOARD}")
        await see_prices(page)
        await see_each_module_once(page)

        await hub.disconnect()
        await processes.hub.stop()
        held = hold_start(processes)
        await processes.hub.start()
        await page.goto(f"{processes.hub.url}/{DASHBOARD}")
        card = page.locator("nomos-price-card")
        await expect(card.get_by_text("Waiting for Nomos")).to_be_visible()
        assert NAMED not in await page.content()
        held.unlink()
        await see_prices(page)
        await expect(page.locator("hui-error-card")).to_have_count(0)

        [entry] = await hub.entries("nomos")
        assert await resources(hub) == [LOADER]
        await hub.remove_entry(entry["entry_id"])
        assert await resources(hub) == []


async def make_dashboard(hub: HubClient, price: str) -> None:
    """Create a dashboard with the card."""
    await hub.command(
        "lovelace/dashboards/create", url_path=DASHBOARD, title="Wall tablet"
    )
    card = {"type": "custom:nomos-price-card", "entity": price}
    await hub.command(
        "lovelace/config/save",
        url_path=DASHBOARD,
        config={"views": [{"title": "Prices", "cards": [card]}]},
    )


async def log_in(context: BrowserContext, processes: Processes) -> None:
    """Log in every page of the browser."""
    tokens = {
        "access_token": processes.token,
        "token_type": "Bearer",
        "expires_in": 1800,
        "expires": 4e12,
        "hassUrl": processes.hub.url,
        "clientId": f"{processes.hub.url}/",
        "refresh_token": "",
    }
    await context.add_init_script(
        f"localStorage.hassTokens = {json.dumps(json.dumps(tokens))}"
    )


async def see_prices(page: Page) -> None:
    """Check that the card shows prices."""
    card = page.locator("nomos-price-card")
    await expect(card.locator("path.bars").first).to_be_visible()
    await expect(card).to_have_count(1)


async def see_each_module_once(page: Page) -> None:
    """Check that no module is loaded twice, although both the page and the dashboards name the loader."""
    assert NAMED in await page.content()
    loaded = await page.evaluate(
        "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)"
    )
    ours = Counter(
        path.rsplit("/", 1)[1] for path in loaded if path.startswith("/nomos_static/")
    )
    assert ours["card.js"] == ours["nomos-price-card.js"] == 1
    assert set(ours.values()) == {1}


def hold_start(processes: Processes) -> Path:
    """Make the next start wait until a file is deleted; return the file."""
    hub = processes.hub
    folder = hub.settings.folder
    shutil.copytree(
        Path(__file__).parent / "slow_start", folder / "custom_components" / STAGE
    )
    hub.settings = replace(hub.settings, extra_integrations=[STAGE])
    file = folder / "slow_start"
    file.touch()
    return file


async def resources(hub: HubClient) -> list[str]:
    """Return the loaders that are listed as dashboard resources."""
    listed = await hub.command("lovelace/resources")
    return [one["url"].partition("?")[0] for one in listed]
