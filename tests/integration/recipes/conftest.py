"""Fixture: a hub in Germany."""

import pytest


@pytest.fixture(autouse=True)
def in_germany(german_hub: None) -> None:
    """Put the hub in Germany."""
