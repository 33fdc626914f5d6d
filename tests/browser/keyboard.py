"""Use of a page by keyboard."""

from typing import Final

from playwright.async_api import Locator, Page

_MOST: Final = 100
"""The most presses of Tab."""

_HAS_FOCUS: Final = """
(wanted) => {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  for (let node = active; node; node = node.parentNode ?? node.host) if (node === wanted) return true;
  return false;
}
"""
"""JavaScript that returns whether an element, or something inside it, has the focus."""


async def tab_to(page: Page, element: Locator) -> None:
    """Press Tab until an element has the focus."""
    await element.wait_for()
    for _ in range(_MOST):
        if await element.evaluate(_HAS_FOCUS):
            return
        await page.keyboard.press("Tab")
    raise AssertionError("the focus does not get there")
