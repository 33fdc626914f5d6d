"""The page as a whole."""

from tests.integration.recipes import PAGE, recipe, recipes

TESTED = {
    "anything-script",
    "apexcharts-components",
    "apexcharts-plan",
    "apexcharts-prices",
    "emhass",
    "emhass-feed-in",
    "evcc",
    "evcc-feed-in",
}


def test_every_recipe_is_tested() -> None:
    """No block of YAML is on the page that no test knows."""
    assert recipes().keys() == TESTED
    for name in TESTED:
        assert recipe(name)
    blocks = [line for line in PAGE.read_text().splitlines() if line.startswith("```")]
    assert set(blocks) == {"```", "```yaml", "```sh"}
