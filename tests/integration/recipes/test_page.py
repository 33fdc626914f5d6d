"""Tests that every example on every page has a test."""

from tests.integration.recipes import PAGE, PROJECT, blocks, recipe, recipes

TESTED = {
    "anything-script",
    "apexcharts-components",
    "apexcharts-past",
    "apexcharts-plan",
    "apexcharts-prices",
    "emhass",
    "emhass-feed-in",
    "emhass-list",
    "evcc",
    "evcc-feed-in",
    "evsc",
    "template-sensor",
}


def test_every_recipe_is_tested() -> None:
    """Every YAML block on the page has a test."""
    assert recipes().keys() == TESTED
    for name in TESTED:
        assert recipe(name)
    blocks = [line for line in PAGE.read_text().splitlines() if line.startswith("```")]
    assert set(blocks) == {"```", "```yaml", "```sh"}


EXAMPLES = {
    "README.md": 1,
    "docs/actions.md": 5,
    "docs/automations.md": 4,
    "docs/battery.md": 2,
    "docs/card.md": 7,
    "docs/entities.md": 2,
    "docs/recipes.md": len(TESTED),
}
"""How many examples each page has. A test in this folder runs each of them; a new example needs its own test."""


def test_every_example_is_tested() -> None:
    """No page has an example that no test runs."""
    pages = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")]
    found = {
        str(page.relative_to(PROJECT)): len(blocks(str(page.relative_to(PROJECT))))
        for page in pages
        if not page.name.endswith(".de.md")
    }
    assert {page: count for page, count in found.items() if count} == EXAMPLES
