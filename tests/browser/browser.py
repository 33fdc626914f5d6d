"""A headless browser that can reach this machine only, and keeps evidence if a test fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
import shutil
import tempfile
import time
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Route,
    async_playwright,
    expect,
)

from tests.browser.card_page import find_chromium
from tests.browser.console_guard import ConsoleGuard, read
from tests.browser.my_redirect import HOST as MY_HOST
from tests.browser.texts import LANGUAGES, Texts

PATIENCE = 60_000
"""The timeout of an action on a page, in milliseconds; a busy machine is slow."""

expect.set_options(timeout=PATIENCE)

WIDE = (1280, 900)
NARROW = (390, 844)
"""The page sizes of a desktop and a phone."""

ARGUMENTS = (
    # Chromium's sandbox works neither in a container nor as root, and the browser opens our own pages only.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowserError(Exception):
    """There is no Chromium on this machine."""


def need_chromium() -> str:
    """Return the path of the browser. Raises NoBrowserError if there is none."""
    if path := find_chromium():
        return path
    raise NoBrowserError(
        "there is no Chromium here: scripts/test-e2e installs Debian's; elsewhere, set NOMOS_CHROMIUM to its path"
    )


@asynccontextmanager
async def open_browser(*arguments: str) -> AsyncIterator[Browser]:
    """Start the browser with additional arguments."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=need_chromium(), args=[*ARGUMENTS, *arguments]
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_window(
    browser: Browser,
    language: str,
    *,
    size: tuple[int, int] = WIDE,
    logs: Sequence[Path] = (),
    evidence: Path | None = None,
) -> AsyncIterator[tuple[BrowserContext, ConsoleGuard]]:
    """Open a window with a fresh profile, and monitor it; keep evidence if the test fails.

    The evidence is stored in the given folder, or else in a new temporary one; the error names it.

    The window has the given language and Berlin's time zone, and requests to other machines are blocked. Such
    requests and all other complaints fail the test at its end.
    """
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=LANGUAGES[language],
        timezone_id="Europe/Berlin",
        # The stand-in for My Home Assistant has a self-signed certificate.
        ignore_https_errors=True,
        # Home Assistant's service worker would answer instead of its server.
        service_workers="block",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    guard = ConsoleGuard(context, Texts(language))

    async def refuse(route: Route) -> None:
        address = route.request.url.partition("?")[0]
        guard.complain(f"asks another machine: {address}")
        await route.abort()

    await context.route(_is_elsewhere, refuse)
    try:
        yield context, guard
        assert not guard.complaints
    except BaseException as error:
        folder = evidence or Path(tempfile.mkdtemp(prefix="nomos-journey-"))
        await _keep_evidence(folder, context, guard, logs)
        if guard.complaints:
            error.add_note("\n".join(["Seen until then:", *guard.complaints]))
        error.add_note(f"Pictures, texts and logs are in {folder}")
        raise
    finally:
        await context.close()


async def wait_for_history(page: Page) -> None:
    """Wait until the browser has gone back in its history, as Home Assistant makes it do when a dialog closes.

    Going back is asynchronous: a navigation that begins before it is aborted.
    """
    await page.wait_for_function("() => !history.state?.dialog")


async def retry(check: Callable[[], Awaitable[None]]) -> None:
    """Repeat a check until it passes, since a page takes time to draw. Raises the check's last error."""
    end = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            return await check()
        except AssertionError, Error:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(0.1)


def _is_elsewhere(address: str) -> bool:
    return urlsplit(address).hostname not in {"127.0.0.1", MY_HOST}


async def _keep_evidence(
    folder: Path, context: BrowserContext, guard: ConsoleGuard, logs: Sequence[Path]
) -> None:
    complaints = "\n".join(guard.complaints)
    (folder / "complaints.txt").write_text(f"{complaints}\n")
    for log in logs:
        if log.exists():
            shutil.copy(log, folder)
    for number, page in enumerate(context.pages):
        address = page.url.partition("?")[0]
        try:
            await page.screenshot(path=folder / f"page-{number}.png", timeout=5000)
            texts = "\n".join((await read(page)).texts)
            (folder / f"page-{number}.txt").write_text(f"{address}\n\n{texts}\n")
        except Exception as error:  # noqa: BLE001 - nothing may hide what failed
            (folder / f"page-{number}.txt").write_text(f"{address}\n\n{error}\n")
