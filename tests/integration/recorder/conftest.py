"""Fixtures: the hub with the recorder, and an account whose usage is still unknown."""

import pytest


@pytest.fixture(autouse=True)
def custom_integrations(recorder_mock, enable_custom_integrations: None) -> None:
    """Start the recorder, which has to be there before Home Assistant is."""


@pytest.fixture
def usage_known() -> bool:
    """Begin with a new account, so that usage is imported."""
    return False
