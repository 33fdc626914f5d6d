"""A bare page with the card in a real browser, without Home Assistant, a server or a network."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
import os
from pathlib import Path
import shutil
from typing import Any

from playwright.sync_api import Route, sync_playwright

from tests.browser.card_samples import ENTITY

FOLDER = Path(__file__).parent
FRONTEND = FOLDER.parents[1] / "custom_components" / "nomos" / "frontend"
ADDRESS = "http://card.invalid/"

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
"""Chromium's sandbox works neither in a container nor as root, and the browser opens our own pages only."""


def find_chromium() -> str | None:
    """Return the path of the browser: NOMOS_CHROMIUM, or the machine's."""
    return os.environ.get("NOMOS_CHROMIUM") or next(
        filter(None, map(shutil.which, CHROMIUMS)), None
    )


class Remote:
    """A proxy for a Playwright object in another thread.

    Playwright's synchronous API runs an event loop, and so do the tests of this project; one thread cannot run both.
    """

    def __init__(self, thread: ThreadPoolExecutor, target: Any) -> None:
        """Wrap an object."""
        self._thread = thread
        self._target = target

    def __getattr__(self, name: str) -> Any:
        """Return an attribute; if it is a method, calls of it run in the thread, too."""
        return self._wrapped(self._thread.submit(getattr, self._target, name).result())

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call a method in the thread."""
        own = [one._target if isinstance(one, Remote) else one for one in arguments]
        return self._wrapped(self._thread.submit(self._target, *own, **named).result())

    def _wrapped(self, value: Any) -> Any:
        plain = value is None or isinstance(value, str | int | float | list | dict)
        return value if plain else Remote(self._thread, value)


@contextmanager
def open_chromium() -> Iterator[Any]:
    """Start the browser."""
    with ThreadPoolExecutor(1) as thread:
        playwright = Remote(thread, sync_playwright()).start()
        try:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=list(ARGUMENTS)
            )
            yield browser
            browser.close()
        finally:
            playwright.stop()


@dataclass
class CardPage:
    """A page that shows one card."""

    page: Any
    complaints: list[str] = field(default_factory=list)

    def open(self, now: datetime | None = None) -> None:
        """Load the page; if a time is given, the clock stands still at it."""
        self.page.route("**/*", _answer)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if now is not None:
            self.page.clock.set_fixed_time(now)
        self.page.goto(ADDRESS)

    def show(
        self,
        chart: Mapping[str, Any] | None,
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Put a card on the page and give it this response; options are the width, the language and so on."""
        self.answer(chart)
        config = {"type": "custom:nomos-price-card", "entity": ENTITY, **(config or {})}
        self.page.evaluate(
            "([config, options]) => show(config, options).then(() => null)",
            [config, {"width": 480, **options}],
        )

    def answer(self, chart: Mapping[str, Any] | None) -> None:
        """Set the hub's response from now on; None is an error."""
        reply = {"error": {"code": "not_loaded"}} if chart is None else dict(chart)
        self.page.evaluate(
            "reply => { window.answers = { 'nomos/chart': reply } }", reply
        )

    def run(self, script: str) -> Any:
        """Return the result of a script, in which `root` is the card's shadow root."""
        return self.page.evaluate(_in_card(script))

    def wait(self, milliseconds: int) -> None:
        """Wait by the page's own timers, so that those of the card which are due earlier have run, however busy it is."""
        self.page.evaluate(
            "delay => new Promise((done) => setTimeout(done, delay))", milliseconds
        )

    def wait_for(self, script: str) -> None:
        """Wait until a condition holds, in which `root` is the card's shadow root."""
        self.page.wait_for_function(_in_card(script))

    def text(self, selector: str) -> str:
        """Return the text of an element of the card."""
        return str(self.run(f"root.querySelector({selector!r}).textContent"))

    def shown(self, selector: str) -> bool:
        """Return whether an element of the card is visible."""
        return bool(self.run(f"root.querySelector({selector!r}).checkVisibility()"))

    def bars(self) -> list[dict[str, Any]]:
        """Return each bar's colour, whether it is past, and its position."""
        found = []
        for key, past, path in self.run(
            "[...root.querySelectorAll('.plot path.bars')].map((one) =>"
            " [one.dataset.key, one.classList.contains('past'), one.getAttribute('d')])"
        ):
            for bar in path.strip("Mz").split("zM"):
                place, rest = bar.split("h", 1)
                left, top = map(float, place.split())
                height = float(rest.split("v")[1].split("h")[0])
                found.append(
                    {
                        "key": key,
                        "past": past,
                        "left": left,
                        "top": top,
                        "bottom": top + height,
                    }
                )
        return sorted(found, key=lambda bar: bar["left"])

    def place(self, index: int) -> tuple[float, float]:
        """Return the centre of an interval's bar on the page."""
        bars = self.bars()
        width = bars[1]["left"] - bars[0]["left"]
        left, top = self.run(
            "(({left, top}) => [left, top])(root.querySelector('svg').getBoundingClientRect())"
        )
        return left + bars[index]["left"] + width / 2, top + bars[index]["bottom"] - 5


def _in_card(script: str) -> str:
    return f"() => {{ const root = card.shadowRoot; return ({script}); }}"


def _answer(route: Route) -> None:
    """Serve files of the project only."""
    name = route.request.url.removeprefix(ADDRESS)
    path = FRONTEND / name.removeprefix("frontend/")
    if not name:
        route.fulfill(body=(FOLDER / "card_page.html").read_bytes())
    elif name.startswith("frontend/") and path.is_file():
        route.fulfill(body=path.read_bytes(), content_type="text/javascript")
    elif name == "favicon.ico":
        route.fulfill(status=204)
    else:
        route.abort()
