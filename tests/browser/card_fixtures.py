"""Fixtures for tests of the card: one browser, and a new window for each test."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.card_page import CardPage, find_chromium, open_chromium
from tests.browser.card_samples import SUMMER, answer, both, intervals, local

needs_chromium = pytest.mark.skipif(
    find_chromium() is None,
    reason="there is no Chromium here; scripts/test-e2e installs Debian's",
)

NOW = local(SUMMER, 13, 22)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the browser once for all tests."""
    with open_chromium() as browser:
        yield browser


@pytest.fixture
def window(browser) -> Iterator[CardPage]:
    """Return a new window without a page; any error on the page that it opens fails the test."""
    context = browser.new_context(
        viewport={"width": 1000, "height": 800}, has_touch=True
    )
    card = CardPage(context.new_page())
    yield card
    context.close()
    assert not card.complaints


@pytest.fixture
def card(window: CardPage) -> CardPage:
    """Return a window with the page loaded; its clock stands at 13:22 on a day in summer."""
    window.open(NOW)
    return window


@pytest.fixture(scope="module")
def summer() -> dict[str, Any]:
    """Return the response for two days in summer."""
    return answer(intervals(both(SUMMER)), NOW)
