"""Tests that the picture of what a home battery gains is that of the table beside it."""

import pytest

from benchmarks.household_picture import DOCS, NAME, PAGES, draw, table_of


@pytest.mark.parametrize("language", PAGES)
def test_picture_is_that_of_the_table(language: str) -> None:
    """It is drawn again if a figure changes; a figure is a bar, in both languages the same."""
    page = (DOCS / PAGES[language]).read_text()
    assert (DOCS / "pictures" / language / NAME).read_text() == draw(page)
    heads, rows = table_of(page)
    assert draw(page).count('<rect class="b') == (len(heads) - 2) * (len(rows) + 1)


def test_languages_have_the_same_figures() -> None:
    """Commas and points aside."""
    english, german = (
        table_of((DOCS / name).read_text())[1] for name in PAGES.values()
    )
    assert [row[2:] for row in english] == [
        [cell.replace(",", ".") for cell in row[2:]] for row in german
    ]
