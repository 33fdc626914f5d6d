"""Finds real data for tests, which is stored next to the project and not in it."""

from pathlib import Path


def find_shared(name: str) -> Path | None:
    """Return a file in the shared folder next to the project, if it exists."""
    for folder in Path(__file__).resolve().parents:
        if (path := folder / "shared" / name).is_file():
            return path
    return None
