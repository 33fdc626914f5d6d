"""Watches the pages of a browser for what no customer should see, and no developer either.

Nothing that fails is let pass, but for what Home Assistant itself does wherever it runs without the internet.
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
    """What is let pass: a message and an address that fit both patterns, and why."""

    text: str
    address: str
    why: str

    def fits(self, text: str, address: str) -> bool:
        """Tell whether this is it."""
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
        "a page that is left gives up what it was loading",
    ),
)

# A page that is left has its connection cut; Home Assistant's code lets that error go by uncaught.
PAGE_ERRORS = re.compile(r"^(Error: )?disconnected$")

SETTLED = 10.0
"""Seconds that a page has for loading its texts."""

READ_PAGE = """
() => {
  const texts = [], labels = [];
  const tell = (text) => { if (typeof text === "string" && text.trim()) texts.push(text.trim()); };
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return tell(node.data);
    if (node.nodeType === Node.DOCUMENT_FRAGMENT_NODE) return node.childNodes.forEach(read);
    if (node.nodeType !== Node.ELEMENT_NODE || ["SCRIPT", "STYLE", "TEMPLATE"].includes(node.tagName)) return;
    const style = getComputedStyle(node);
    if (style.display === "none" || style.visibility === "hidden") return;
    ["aria-label", "title", "placeholder", "alt"].forEach((name) => tell(node.getAttribute(name)));
    if (node.tagName === "HA-SELECTOR") labels.push([node.name ?? "", node.label ?? ""]);
    if (!node.shadowRoot) return node.childNodes.forEach(read);
    read(node.shadowRoot);
    // What stands between the tags of an element shows only where the element has a place for it.
    node.childNodes.forEach((child) => { if (child.assignedSlot) read(child); });
  };
  read(document.body);
  return {texts, labels};
}
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands on a page."""

    texts: Sequence[str]
    labels: Mapping[str, str]
    """What the fields of forms are labelled with, by their names in the program."""


async def read(page: Page) -> Reading:
    """Read a page as it is."""
    found = await page.evaluate(READ_PAGE)
    return Reading(found["texts"], dict(found["labels"]))


def text_fault(text: str, texts: Texts) -> str | None:
    """Return what is wrong with a text on a page; None when nothing is."""
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
    """Return what is wrong with the label of a form's field; None when nothing is."""
    if not label.strip():
        return "a field without a label"
    if label == name:
        return "a field labelled by its name in the program"
    return None


def page_faults(reading: Reading, texts: Texts) -> Iterator[str]:
    """Yield what is wrong with the texts and the labels on a page."""
    for text in reading.texts:
        if fault := text_fault(text, texts):
            yield f"{fault}: {text!r}"
    for name, label in reading.labels.items():
        if fault := label_fault(name, label):
            yield f"{fault}: {name!r}"


class ConsoleGuard:
    """The complaints about one browser context."""

    def __init__(self, context: BrowserContext, texts: Texts) -> None:
        """Listen from now on, to pages yet to be opened, too."""
        self.texts = texts
        self._complaints: dict[str, None] = {}
        context.on("console", self._console)
        context.on("weberror", self._web_error)
        context.on("response", self._response)
        context.on("requestfailed", self._request_failed)

    @property
    def complaints(self) -> list[str]:
        """What was wrong, each thing once, in the order in which it was seen."""
        return list(self._complaints)

    def complain(self, what: str) -> None:
        """Add something that was wrong."""
        self._complaints[what] = None

    def _console(self, message: ConsoleMessage) -> None:
        # A request that fails is told by the response, too, with its address.
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
            # What follows the question mark may be a code or a state: it is nobody's business.
            self.complain(f"{what}: {text} ({address.partition('?')[0]})")

    async def read(self, page: Page) -> Reading:
        """Read a page once it has settled. What is wrong with its texts is complained of."""
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
