"""Tests that the picture of a home battery's gain matches the table next to it."""

import pytest

from benchmarks.household_picture import DOCS, NAME, PAGES, draw, table_of


@pytest.mark.parametrize("language", PAGES)
def test_picture_matches_the_table(language: str) -> None:
    """The picture has a bar for every figure of the current table, in both languages."""
    page = (DOCS / PAGES[language]).read_text()
    assert (DOCS / "pictures" / language / NAME).read_text() == draw(page)
    heads, rows = table_of(page)
    assert draw(page).count('<rect class="b') == (len(heads) - 2) * (len(rows) + 1)


def test_languages_have_the_same_figures() -> None:
    """They differ in decimal commas and points only."""
    english, german = (
        table_of((DOCS / name).read_text())[1] for name in PAGES.values()
    )
    assert [row[2:] for row in english] == [
        [cell.replace(",", ".") for cell in row[2:]] for row in german
    ]
