"""Test of the whole page."""

from tests.integration.recipes import PAGE, recipe, recipes

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
