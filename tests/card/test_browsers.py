"""Tests what docs/card.md promises about browsers: Chrome 92, Firefox 90 and Safari 15.4, all from 2021 and 2022.

There is no parser here for the JavaScript of a given year, so newer features are listed by hand. A browser test
removes the newer methods from a real browser.
"""

from pathlib import Path
import re

import pytest

FRONTEND = Path(__file__).parents[2] / "custom_components" / "nomos" / "frontend"

NEWER = {
    # JavaScript: syntax that prevents a module from loading
    "static blocks": r"\bstatic\s*\{",
    "#x in object": r"#\w+ in ",
    "lookbehind": r"\(\?<[=!]",
    "flags d and v": r"/[dgimsuy]*[dv][dgimsuy]*\.(test|exec|\[)|, \"[gimsuy]*[dv][gimsuy]*\"\)",
    "import attributes": r"\bfrom \"[^\"]+\" with\b",
    "using": r"^\s*using \w+ =",
    "accessors by themselves": r"\baccessor \w+",
    # JavaScript: features that fail at run time
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
"""Features that the oldest of these browsers lacks.

`color-mix` and `@container` are allowed for details that may be missing: a tint, a tighter legend.
"""


def code_of(path: Path) -> str:
    """Return the code of a module without comments."""
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
def test_newer_features_are_found(code: str, what: str) -> None:
    """The check finds newer features."""
    assert re.search(NEWER[what], code, re.MULTILINE)


def test_both_pages_name_the_versions() -> None:
    """The pages for users, in both languages, name the same versions."""
    docs = Path(__file__).parents[2] / "docs"
    for page in ("card.md", "card.de.md"):
        text = (docs / page).read_text()
        for browser in ("Chrome", "92", "Firefox", "90", "Safari", "15.4"):
            assert browser in text
