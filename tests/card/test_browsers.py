"""Holds what docs/card.md says of browsers: Chrome 92, Firefox 90, Safari 15.4, all of 2021 and 2022.

No parser for a certain year's JavaScript comes with the tests, so what is newer is listed here. A browser test takes the
newer methods away from a real browser.
"""

from pathlib import Path
import re

import pytest

FRONTEND = Path(__file__).parents[2] / "custom_components" / "nomos" / "frontend"

NEWER = {
    # JavaScript: what would keep a module from being read at all
    "static blocks": r"\bstatic\s*\{",
    "#x in object": r"#\w+ in ",
    "lookbehind": r"\(\?<[=!]",
    "flags d and v": r"/[dgimsuy]*[dv][dgimsuy]*\.(test|exec|\[)|, \"[gimsuy]*[dv][gimsuy]*\"\)",
    "import attributes": r"\bfrom \"[^\"]+\" with\b",
    "using": r"^\s*using \w+ =",
    "accessors by themselves": r"\baccessor \w+",
    # JavaScript: what fails as it runs
    "arrays": r"\.(findLast|findLastIndex|toSorted|toReversed|toSpliced|with)\(",
    "Object": r"\bObject\.(hasOwn|groupBy)\(|\bMap\.groupBy\(|\bArray\.fromAsync\(",
    "Promise": r"\bPromise\.(withResolvers|try)\(",
    "sets": r"\.(union|intersection|difference|isSubsetOf|isSupersetOf|isDisjointFrom)\(",
    "iterators": r"\.(values|keys|entries)\(\)\.(map|filter|toArray|find|some|every|reduce)\(",
    "strings": r"\.(isWellFormed|toWellFormed)\(",
    "globals": r"\b(structuredClone|requestIdleCallback|scheduler\.|navigation\.|Temporal\.)",
    "addresses": r"\bURL\.(canParse|parse)\(|\bAbortSignal\.(timeout|any)\(",
    "elements": r"\.(checkVisibility|showPopover|togglePopover|startViewTransition|moveBefore|setHTML)\(|\binert\b",
    "scrolling": r"\bscrollend\b",
    "durations": r"\bIntl\.(DurationFormat|Segmenter)\b",
    # CSS
    "relations": r":has\(",
    "nesting": r"\{[^{}]*[;{]\s*&[ .:\[>]",
    "rules": r"@(layer|scope|starting-style|property)\b",
    "functions": r"\b(light-dark|anchor)\(",
    "units": r"\d(dvh|svh|lvh|dvw|svw|lvw)\b",
    "directions": r":dir\(",
    "grids": r"\bsubgrid\b",
    "text": r"\btext-wrap\b",
}
"""What the oldest of these browsers does not know.

`color-mix` and `@container` may be used for what can be done without: a tint, a tighter legend.
"""


def code_of(path: Path) -> str:
    """Return a module without its comments."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"(?m)^\s*//.*$|\s// .*$", "", text)


@pytest.mark.parametrize(
    "path", sorted(FRONTEND.glob("*.js")), ids=lambda one: one.name
)
def test_nothing_newer(path: Path) -> None:
    """No module uses what the oldest supported browsers lack."""
    code = code_of(path)
    found = {
        what: re.findall(pattern, code, re.MULTILINE) for what, pattern in NEWER.items()
    }
    assert not {what: hits for what, hits in found.items() if hits}


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("class A { static { this.b = 1; } }", "static blocks"),
        ("const last = rows.findLast((row) => row.known);", "arrays"),
        ("text.replace(/(?<=a)b/, '')", "lookbehind"),
        (".tip:has(b) { color: red; }", "relations"),
        ("ha-card { height: 100dvh; }", "units"),
        (".a { color: red; &:hover { color: blue; } }", "nesting"),
        ("const copy = structuredClone(chart);", "globals"),
    ],
)
def test_newer_is_seen(code: str, what: str) -> None:
    """The check finds what it is there for."""
    assert re.search(NEWER[what], code, re.MULTILINE)


def test_both_pages_say_so() -> None:
    """The pages for users name the same versions."""
    docs = Path(__file__).parents[2] / "docs"
    for page in ("card.md", "card.de.md"):
        text = (docs / page).read_text()
        for browser in ("Chrome", "92", "Firefox", "90", "Safari", "15.4"):
            assert browser in text
