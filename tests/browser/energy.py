"""Takes the picture of the Energy dashboard with the statistics of a contract."""

import asyncio
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from scripts.hub_client import HubClient
from tests.browser.journey import Journey

SIZE = (700, 1400)


async def see_energy(journey: Journey, hub: HubClient) -> None:
    """Choose the statistics of usage and cost, and view a metered day. Does nothing unless pictures are taken.

    The first import takes minutes and begins with the oldest month, so the browser's clock is set to that month.
    """
    if journey.screenshots.folder is None:
        return
    # Home Assistant has closed the websocket, which was not read for minutes.
    await hub.disconnect()
    usage, day = await _first_month(hub)
    grid = {
        "type": "grid",
        "stat_energy_from": usage,
        "stat_cost": usage.removesuffix("_usage") + "_cost",
        "cost_adjustment_day": 0,
    }
    await hub.command("energy/save_prefs", energy_sources=[grid])
    page = journey.page
    await journey.resize(SIZE)
    await page.clock.set_fixed_time(day)
    await journey.go("/energy/electricity")
    graph = page.locator("hui-energy-usage-graph-card")
    table = page.locator("hui-energy-sources-table-card")
    await expect(
        table.get_by_text("€").or_(table.get_by_text("EUR")).first
    ).to_be_visible()
    await expect(graph.locator("canvas").first).to_be_visible()
    # The bars are animated, and nothing signals the end of the animation.
    await asyncio.sleep(2)
    await journey.screenshots.take("energy", page, graph.or_(table), margin=12)
    await page.clock.set_fixed_time(datetime.now(UTC))


async def _first_month(hub: HubClient) -> tuple[str, datetime]:
    """Wait until the oldest month is imported; return the statistic's id and the evening of the tenth day."""
    for _ in range(120):
        found = [
            one["statistic_id"]
            for one in await hub.command("recorder/list_statistic_ids")
            if one["source"] == "nomos" and one["statistic_id"].endswith("_usage")
        ]
        rows = (
            await hub.command(
                "recorder/statistics_during_period",
                start_time="2020-01-01T00:00:00Z",
                statistic_ids=found,
                period="day",
            )
            if found
            else {}
        )
        for usage, days in rows.items():
            if len(days) >= 11:
                begin = datetime.fromtimestamp(days[9]["start"] / 1000, UTC)
                return usage, begin + timedelta(hours=23)
        await asyncio.sleep(0.5)
    raise AssertionError("No usage was imported")
