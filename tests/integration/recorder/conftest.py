"""The same hub with the recorder, and an account whose usage is still unknown."""

import pytest


@pytest.fixture(autouse=True)
def custom_integrations(recorder_mock, enable_custom_integrations: None) -> None:
    """Begin with the recorder: it has to be there before Home Assistant is."""


@pytest.fixture
def usage_known() -> bool:
    """Begin with an account that is new, so that usage is imported."""
    return False
