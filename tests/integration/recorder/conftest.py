"""Fixtures: the hub with the recorder, and an account whose usage is still unknown."""

from typing import Any

import pytest


@pytest.fixture
def recorder_config() -> dict[str, Any] | None:
    """Record no states, each of which would be committed separately.

    Tests of recorded states override this.
    """
    return {"exclude": {"entity_globs": ["*"]}}


@pytest.fixture(autouse=True)
def custom_integrations(recorder_mock, enable_custom_integrations: None) -> None:
    """Start the recorder, which must happen before Home Assistant starts."""


@pytest.fixture
def usage_known() -> bool:
    """Begin with a new account, so that usage is imported."""
    return False
