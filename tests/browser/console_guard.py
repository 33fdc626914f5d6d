"""Monitors a browser's pages for texts and errors that nobody should see.

All errors count, except those of Home Assistant itself when it has no internet access.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
import re
import time

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    WebError,
)

from tests.browser.texts import Texts


@dataclass(frozen=True, slots=True)
class Noise:
    """An error that is ignored: patterns of its message and URL, and the reason."""

    text: str
    address: str
    why: str

    def fits(self, text: str, address: str) -> bool:
        """Return whether both patterns match."""
        return bool(re.search(self.text, text) and re.search(self.address, address))


NOISE = (
    Noise(
        r"404",
        r"/api/brands/integration/(?!nomos/)",
        "Home Assistant takes the images of other integrations from the internet",
    ),
    Noise(
        r"ERR_ABORTED",
        r"",
        "a page that is left stops loading",
    ),
)

# Leaving a page cuts its connection; Home Assistant's code does not catch that error.
PAGE_ERRORS = re.compile(r"^(Error: )?disconnected$")

SETTLED = 10.0
"""Seconds that a page may take to load its texts."""

READ_PAGE = """
() => {
  const texts = [], labels = [];
  const add = (text) => { if (typeof text === "string" && text.trim()) texts.push(text.trim()); };
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return add(node.data);
    if (node.nodeType === Node.DOCUMENT_FRAGMENT_NODE) return node.childNodes.forEach(read);
    if (node.nodeType !== Node.ELEMENT_NODE || ["SCRIPT", "STYLE", "TEMPLATE"].includes(node.tagName)) return;
    const style = getComputedStyle(node);
    if (style.display === "none" || style.visibility === "hidden") return;
    ["aria-label", "title", "placeholder", "alt"].forEach((name) => add(node.getAttribute(name)));
    if (node.tagName === "HA-SELECTOR") labels.push([node.name ?? "", node.label ?? ""]);
    if (!node.shadowRoot) return node.childNodes.forEach(read);
    read(node.shadowRoot);
    // Children of an element with a shadow root show only if they are assigned to a slot.
    node.childNodes.forEach((child) => { if (child.assignedSlot) read(child); });
  };
  read(document.body);
  return {texts, labels};
}
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """The texts of a page."""

    texts: Sequence[str]
    labels: Mapping[str, str]
    """The labels of form fields, by the field's key."""


async def read(page: Page) -> Reading:
    """Read the current state of a page."""
    found = await page.evaluate(READ_PAGE)
    return Reading(found["texts"], dict(found["labels"]))


def text_fault(text: str, texts: Texts) -> str | None:
    """Return what is wrong with a text on a page, if anything."""
    if re.search(r"\bcomponent\.\w+\.|\bui\.\w+\.\w+|\bstate_attributes\b", text):
        return "the key of a text instead of the text"
    if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", text) or text in texts.keys:
        return "a name from the program instead of a text"
    if re.search(r"\[object|\bundefined\b|\bNaN\b|^Translation error", text):
        return "a value that is none"
    if re.search(r"\{\w+\}", text):
        return "a placeholder that is not filled in"
    if text in texts.foreign:
        return f"not in the language {texts.language}"
    return None


def label_fault(name: str, label: str) -> str | None:
    """Return what is wrong with the label of a form's field, if anything."""
    if not label.strip():
        return "a field without a label"
    if label == name:
        return "a field labelled by its name in the program"
    return None


def page_faults(reading: Reading, texts: Texts) -> Iterator[str]:
    """Yield the faults of the texts and the labels on a page."""
    for text in reading.texts:
        if fault := text_fault(text, texts):
            yield f"{fault}: {text!r}"
    for name, label in reading.labels.items():
        if fault := label_fault(name, label):
            yield f"{fault}: {name!r}"


class ConsoleGuard:
    """Collects the complaints about one browser context."""

    def __init__(self, context: BrowserContext, texts: Texts) -> None:
        """Monitor all present and later pages."""
        self.texts = texts
        self._complaints: dict[str, None] = {}
        context.on("console", self._console)
        context.on("weberror", self._web_error)
        context.on("response", self._response)
        context.on("requestfailed", self._request_failed)

    @property
    def complaints(self) -> list[str]:
        """The distinct faults in the order in which they were first seen."""
        return list(self._complaints)

    def complain(self, what: str) -> None:
        """Add a fault."""
        self._complaints[what] = None

    def _console(self, message: ConsoleMessage) -> None:
        # The failed response itself is reported, too, with its URL.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self._fail("console", message.text, str(message.location.get("url")))

    def _web_error(self, error: WebError) -> None:
        if not PAGE_ERRORS.match(str(error.error)):
            self.complain(f"uncaught: {error.error}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._fail("answer", str(response.status), response.url)

    def _request_failed(self, request: Request) -> None:
        self._fail("request", request.failure or "failed", request.url)

    def _fail(self, what: str, text: str, address: str) -> None:
        if not any(noise.fits(text, address) for noise in NOISE):
            # The query may contain an authorization code or a state, which must not be printed.
            self.complain(f"{what}: {text} ({address.partition('?')[0]})")

    async def read(self, page: Page) -> Reading:
        """Read a page once it has settled, and record the faults of its texts."""
        until = time.monotonic() + SETTLED
        while True:
            reading = await read(page)
            faults = list(page_faults(reading, self.texts))
            if not faults or time.monotonic() > until:
                path = page.url.partition("?")[0]
                for fault in faults:
                    self.complain(f"{fault} at {path}")
                return reading
            await asyncio.sleep(0.1)
