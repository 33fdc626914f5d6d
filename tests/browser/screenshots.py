"""Takes the pictures for the documentation during the journey."""

from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page

from tests.browser.browser import retry

COLOURS = 128
"""The number of colours in a picture: enough for flat areas and smooth letters, at a third of the full-colour size."""


CUT = """
(card) => {
  const cut = [];
  const visit = (node) => {
    if (node instanceof Element && getComputedStyle(node).textOverflow === "ellipsis"
      && node.scrollWidth > node.clientWidth) cut.push(node.innerText);
    if (node.shadowRoot) visit(node.shadowRoot);
    node.childNodes.forEach(visit);
  };
  visit(card);
  return cut;
}
"""
"""JavaScript that returns the texts in a card that are truncated with an ellipsis."""


async def _see_whole_texts(card: Locator) -> None:
    assert await card.evaluate(CUT) == []


class Screenshots:
    """A folder of pictures in one language; without a folder, no picture is taken."""

    def __init__(self, folder: Path | None, language: str) -> None:
        """Create the folder of the language."""
        self.folder = folder / language if folder else None
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)

    async def take(
        self,
        name: str,
        page: Page,
        part: Locator,
        *,
        margin: int = 0,
        hide: str = "",
    ) -> None:
        """Take a picture of parts of a page with a margin, hiding the elements that match the selector."""
        if self.folder is None:
            return
        # No element should look hovered or focused.
        await page.mouse.move(0, 0)
        await page.evaluate("document.fonts.ready")
        boxes = [await one.bounding_box() for one in await part.all()]
        seen = [box for box in boxes if box]
        left = max(min(box["x"] for box in seen) - margin, 0)
        top = max(min(box["y"] for box in seen) - margin, 0)
        right = max(box["x"] + box["width"] for box in seen) + margin
        bottom = max(box["y"] + box["height"] for box in seen) + margin
        picture = await page.screenshot(
            animations="disabled",
            caret="hide",
            style=f"{hide} {{ visibility: hidden !important; }}" if hide else None,
            clip={"x": left, "y": top, "width": right - left, "height": bottom - top},
        )
        with Image.open(BytesIO(picture)) as image:
            flat = image.convert("RGB").quantize(
                COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
            )
            flat.save(self.folder / f"{name}.png", optimize=True)

    async def take_dialog(self, name: str, page: Page, dialog: Locator) -> None:
        """Take a picture of an open dialog, without the page behind it."""
        await self.take(
            name,
            page,
            dialog.locator("ha-dialog dialog"),
            margin=16,
            hide="home-assistant-main",
        )

    async def take_device(self, name: str, page: Page, *, cards: int = 1) -> None:
        """Take a picture of a device's page: its description and its first entity cards."""
        if self.folder is None:
            return
        shown = page.locator("ha-device-info-card")
        before = page.viewport_size
        # Home Assistant's columns are at most 405 pixels wide, and only a single column fits all names.
        await page.set_viewport_size({"width": 900, "height": 1240 * cards})
        for number in range(cards):
            card = page.locator("ha-device-entities-card").nth(number)
            await retry(partial(_see_whole_texts, card))
            shown = shown.or_(card)
        await self.take(name, page, shown, margin=12)
        if before:
            await page.set_viewport_size(before)
