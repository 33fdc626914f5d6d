"""Fixtures: the recorder, and the forecasts of a linked account."""

from collections.abc import Callable

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nomos.forecast.forecasts import Forecasts
from homeassistant.core import HomeAssistant


@pytest.fixture(autouse=True)
def custom_integrations(recorder_mock, enable_custom_integrations: None) -> None:
    """Start the recorder, which must happen before Home Assistant starts."""


@pytest.fixture
def usage() -> set[str]:
    """Return the set of statistics of usage from Nomos; tests modify it."""
    return set()


@pytest.fixture
def loads() -> set[str]:
    """Return the set of statistics of loads; tests modify it."""
    return set()


@pytest.fixture
def forecasts_of(
    hass: HomeAssistant, usage: set[str], loads: set[str]
) -> Callable[[MockConfigEntry], Forecasts]:
    """Return a function that creates the forecasts of a linked account."""

    def make(entry: MockConfigEntry) -> Forecasts:
        return Forecasts(
            hass,
            entry,
            entry.runtime_data.prices,
            usage_statistics=lambda: usage,
            load_statistics=lambda: loads,
        )

    return make
