"""The step of the journey that taps the card, in both sizes, in Home Assistant's own frontend."""

from typing import Any

from playwright.async_api import expect

from scripts.hub_client import HubClient
from tests.browser.browser import retry
from tests.browser.journey import Journey

NOTE = "card_was_held"
"""The notification that a long press creates."""


async def see_actions(journey: Journey, hub: HubClient) -> None:
    """Check the actions of a tap, a double tap and a long press, and the size of a tile."""
    page, path = journey.page, "nomos-actions"
    price = await page.evaluate(
        """Object.values(document.querySelector("home-assistant").hass.entities)
          .find((one) => one.platform === "nomos" && one.translation_key === "price").entity_id"""
    )
    await hub.command("lovelace/dashboards/create", url_path=path, title="Actions")
    view = {"type": "sections", "sections": [{"type": "grid", "cards": _cards(price)}]}
    await hub.command("lovelace/config/save", url_path=path, config={"views": [view]})
    await journey.go(f"/{path}")
    tile, chart = (page.locator("nomos-price-card").nth(one) for one in (0, 1))
    await expect(tile.locator(".spark path").first).to_be_visible()

    async def is_a_tile() -> None:
        box = await tile.bounding_box()
        assert box
        assert box["height"] == 120

    await retry(is_a_tile)
    await journey.screenshots.take("card-tile", page, tile, margin=8)
    await tile.locator(".open").click(delay=700)

    async def is_noted() -> None:
        notes = await hub.command("persistent_notification/get")
        assert NOTE in [one["notification_id"] for one in notes]

    await retry(is_noted)
    await tile.locator(".open").dblclick()
    opened_sensor = page.locator("ha-more-info-info")
    await expect(opened_sensor).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(opened_sensor).to_have_count(0)
    async with page.context.expect_page() as opened:
        await chart.locator(".open").dblclick()
    other = await opened.value
    assert other.url.endswith("/profile/security")
    await other.close()
    # This tap does nothing; the tap on the other card navigates away.
    await chart.locator(".open").click()
    await page.wait_for_timeout(400)
    await expect(opened_sensor).to_have_count(0)
    await tile.locator(".open").click()
    await page.wait_for_url("**/profile/general")


def _cards(price: str) -> list[dict[str, Any]]:
    """Return a tile and a chart with their actions."""
    card = {"type": "custom:nomos-price-card", "entity": price}
    notify = {
        "action": "perform-action",
        "perform_action": "persistent_notification.create",
        "data": {"notification_id": NOTE, "message": "held"},
    }
    return [
        card
        | {
            "layout": "tile",
            "tap_action": {"action": "navigate", "navigation_path": "/profile/general"},
            "hold_action": notify,
            "double_tap_action": {"action": "more-info"},
        },
        card
        | {
            "tap_action": {"action": "none"},
            "double_tap_action": {"action": "url", "url_path": "/profile/security"},
        },
    ]
