"""Tests of the browser's helpers."""

from playwright.async_api import Route

from tests.browser.browser import open_browser, open_window, retry, wait_for_history

CLOSE_A_DIALOG = """
history.pushState({dialog: "flow"}, "");
setTimeout(() => history.back(), 300);
"""


async def test_a_page_waits_for_its_history() -> None:
    """A dialog that closes goes back in the history, and only then may the page go elsewhere."""

    async def answer(route: Route) -> None:
        await route.fulfill(body="<p>Home</p>", content_type="text/html")

    async with open_browser() as browser, open_window(browser, "en") as (context, _):
        page = await context.new_page()
        await page.route("**/*", answer)
        await page.goto("http://127.0.0.1/")
        await wait_for_history(page)
        await page.evaluate(CLOSE_A_DIALOG)
        await wait_for_history(page)
        assert await page.evaluate("history.state") is None
        await page.goto("http://127.0.0.1/elsewhere")


async def test_a_check_is_repeated() -> None:
    """A check of a page that is still drawing passes once it holds."""
    widths = [415, 415, 390]

    async def fits() -> None:
        assert widths.pop(0) <= 390

    await retry(fits)
    assert not widths
