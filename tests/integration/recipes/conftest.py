"""The hub in a German house."""

import pytest


@pytest.fixture(autouse=True)
def in_germany(german_hub: None) -> None:
    """Let the hub stand where its customers live."""
