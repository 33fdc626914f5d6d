"""Where tests find real data, which is kept beside the project and not in it."""

from pathlib import Path


def find_shared(name: str) -> Path | None:
    """Return a file of the folder that projects share, if there is one."""
    for folder in Path(__file__).resolve().parents:
        if (path := folder / "shared" / name).is_file():
            return path
    return None
