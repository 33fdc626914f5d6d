"""Fixtures: files that several tests read."""

import pytest

from tests.packaging import INTEGRATION, Tree, read_json


@pytest.fixture(name="manifest", scope="module")
def manifest_fixture() -> Tree:
    """Return the manifest."""
    return read_json(INTEGRATION / "manifest.json")
