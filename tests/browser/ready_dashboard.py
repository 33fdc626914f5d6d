"""The step of the journey that looks at the ready-made dashboard, with the card on it."""

from functools import partial
import re
from typing import Literal

from playwright.async_api import expect

from scripts.hub_client import HubClient
from tests.browser.browser import NARROW, WIDE, retry
from tests.browser.journey import DASHBOARD, LOADS, Journey, exactly

ACTIONS = {"en": ("Start", "Skip"), "de": ("Starten", "Auslassen")}
"""The labels of a load's buttons on the dashboard."""

APPEARANCES: tuple[
    tuple[Literal["light", "dark"], tuple[int, int], str | None], ...
] = (
    ("light", WIDE, "card-light"),
    ("dark", WIDE, None),
    ("dark", NARROW, "card-phone-dark"),
    ("light", NARROW, None),
)
"""The themes and sizes in which the card is checked, with the names of the readme's pictures."""

SUMMARY = re.compile(r"Batter(y|ie): .*(Sun|Sonne) \d")
"""Part of the card's accessible description: the battery, and the expected solar power."""

RELOADS = 3
"""How often a page is loaded. The frontend loads its parts in random order, so one success proves little."""


async def see_dashboard(journey: Journey, hub: HubClient) -> None:
    """Open the ready-made dashboard: light and dark, on a desktop and on a phone, and several times."""
    # The dialog after linking leads to this page. It adds the dashboard; opened again, it just shows it.
    for _ in range(2):
        await journey.go("/nomos-start")
        await journey.page.wait_for_url(f"**/{DASHBOARD}/*")
    # Home Assistant has closed the websocket, which was not read for a minute.
    await hub.disconnect()
    made = await hub.command("lovelace/dashboards/list")
    assert [one["url_path"] for one in made].count(DASHBOARD) == 1
    for load in range(RELOADS):
        if load:
            await journey.reload()
        await _see_card(journey)
    await journey.see(LOADS[journey.texts.language])
    sections = journey.page.locator("hui-section")
    # Without the history, which a new account lacks.
    shown = sections.nth(0).or_(sections.nth(1)).or_(sections.nth(2))
    await journey.resize((WIDE[0], 2 * WIDE[1]))
    await _see_card(journey)
    await journey.screenshots.take("dashboard", journey.page, shown, margin=12)
    await journey.resize(WIDE)
    for theme, size, name in APPEARANCES:
        await journey.page.emulate_media(color_scheme=theme)
        await journey.resize(size)
        await _see_card(journey)
        await journey.guard.read(journey.page)
        await retry(partial(_see_whole_tiles, journey))
        await _check_load_buttons(journey)
        if name:
            card = journey.page.locator("nomos-price-card")
            await journey.screenshots.take(name, journey.page, card, margin=8)
        if (theme, size) == ("dark", NARROW):
            for picture, rows in (("load", 2), ("battery", 3)):
                # The page may redraw the section meanwhile.
                section = sections.nth(rows)
                await retry(partial(section.scroll_into_view_if_needed, timeout=5000))
                await journey.screenshots.take(
                    f"{picture}-phone-dark", journey.page, section, margin=8
                )
    await journey.resize(WIDE)


async def _check_load_buttons(journey: Journey) -> None:
    """Check that the load and each of its buttons have distinct accessible names."""
    name = exactly(LOADS[journey.texts.language])
    await expect(journey.page.get_by_role("heading", name=name)).to_be_visible()
    for action in ACTIONS[journey.texts.language]:
        button = journey.page.get_by_role("button", name=exactly(action))
        await expect(button.first).to_be_visible()


async def _see_card(journey: Journey) -> None:
    """Check that the card shows prices and does not overflow the page."""
    card = journey.page.locator("nomos-price-card")
    await expect(card).to_have_count(1)
    await expect(card.locator("path.bars").first).to_be_visible()
    await expect(card.locator("path.level")).to_have_count(1)
    await expect(card.locator("path.expected")).to_have_count(2)
    await expect(card.locator("#summary")).to_have_text(SUMMARY)

    async def fits() -> None:
        box = await card.bounding_box()
        assert box and journey.page.viewport_size
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= journey.page.viewport_size["width"]

    await retry(fits)


async def _see_whole_tiles(journey: Journey) -> None:
    """Check that no tile truncates its name or value, even on a phone."""
    texts = journey.page.locator("ha-tile-info > span")
    assert await texts.count()
    cut = await texts.evaluate_all(
        "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.innerText)"
    )
    assert cut == []
