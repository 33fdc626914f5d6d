"""What the customer calls cheap and expensive: out of the options."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry

from ..pricing import LevelThresholds

SHARES: Final = (
    "cheap_share",
    "very_cheap_share",
    "expensive_share",
    "very_expensive_share",
)
DISTANCES: Final = ("distance", "very_distance")


def thresholds_of(entry: ConfigEntry) -> LevelThresholds:
    """Return what the customer calls cheap and expensive; options hold percent and ct/kWh."""
    return make_thresholds(entry.options)


def make_thresholds(options: Mapping[str, Any]) -> LevelThresholds:
    """Make thresholds of options, with the usual ones where an option is missing.

    Raises:
        ValueError: the options contradict each other.

    """
    shares = {name: options[name] for name in SHARES if name in options}
    distances = {name: options[name] / 100 for name in DISTANCES if name in options}
    return LevelThresholds(**shares, **distances)
