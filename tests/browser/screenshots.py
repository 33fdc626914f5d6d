"""The pictures in the documentation, taken on the journey."""

from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page

COLOURS = 128
"""Enough for flat surfaces and smooth letters; a picture takes a third of the space that full colours need."""


CUT = """
(card) => {
  const cut = [];
  const look = (node) => {
    if (node instanceof Element && getComputedStyle(node).textOverflow === "ellipsis"
      && node.scrollWidth > node.clientWidth) cut.push(node.innerText);
    if (node.shadowRoot) look(node.shadowRoot);
    node.childNodes.forEach(look);
  };
  look(card);
  return cut;
}
"""
"""Returns the texts within a card that end in three dots for want of room."""


class Screenshots:
    """A folder of pictures in one language; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, language: str) -> None:
        """Make the folder of the language."""
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
        """Take a picture of parts of a page, and a margin around them, without what the selector says."""
        if self.folder is None:
            return
        # Nothing is to look as if it were pointed at or typed into.
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

    async def take_device(self, name: str, page: Page) -> None:
        """Take a picture of a device's page: of what it is, and of what it says."""
        if self.folder is None:
            return
        what = page.locator("ha-device-info-card")
        says = page.locator("ha-device-entities-card").first
        before = page.viewport_size
        # Home Assistant puts the cards in columns of 405 pixels at most, unless there is room for one only: then that
        # is so wide that no name is cut off.
        await page.set_viewport_size({"width": 900, "height": 1240})
        assert await says.evaluate(CUT) == []
        await self.take(name, page, what.or_(says), margin=12)
        if before:
            await page.set_viewport_size(before)
