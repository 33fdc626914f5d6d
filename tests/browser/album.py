"""The pictures in the documentation, taken on the journey."""

from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page

COLOURS = 128
"""Enough for flat surfaces and smooth letters; a picture takes a third of the space that full colours need."""


class Album:
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
        part: Locator | None = None,
        *,
        margin: int = 0,
        height: int | None = None,
    ) -> None:
        """Take a picture of a page, or of a part of it with a margin, cut off below at a height."""
        if self.folder is None:
            return
        # Whatever was pointed at, or is being typed into, is not to look like it.
        await page.mouse.move(0, 0)
        await page.evaluate("document.fonts.ready")
        size = page.viewport_size or {"width": 0, "height": 0}
        box = (await part.bounding_box() if part else None) or {"x": 0, "y": 0, **size}
        left, top = max(box["x"] - margin, 0), max(box["y"] - margin, 0)
        right = min(box["x"] + box["width"] + margin, size["width"])
        bottom = min(box["y"] + box["height"] + margin, size["height"])
        if height is not None:
            bottom = min(bottom, top + height)
        picture = await page.screenshot(
            animations="disabled",
            caret="hide",
            clip={"x": left, "y": top, "width": right - left, "height": bottom - top},
        )
        with Image.open(BytesIO(picture)) as image:
            flat = image.convert("RGB").quantize(
                COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
            )
            flat.save(self.folder / f"{name}.png", optimize=True)
