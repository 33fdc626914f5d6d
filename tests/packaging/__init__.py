"""Tests of what Home Assistant's validator (hassfest), HACS and the quality scale require.

Their own checks run on GitHub; these check what matters offline, before a push.
"""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent.parent
INTEGRATION = PROJECT / "custom_components" / "nomos"

type Tree = dict[str, Any]


def read_json(path: Path) -> Tree:
    """Read a JSON object; fail on duplicate keys, of which the last would silently win."""

    def unique(pairs: list[tuple[str, Any]]) -> Tree:
        keys = [key for key, _ in pairs]
        twice = {key for key in keys if keys.count(key) > 1}
        assert not twice, f"{path.name}: {twice} twice"
        return dict(pairs)

    tree = json.loads(path.read_text(), object_pairs_hook=unique)
    assert isinstance(tree, dict)
    return tree


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each string of a tree with its path."""
    for key, value in tree.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from leaves(value, here)
        else:
            yield here, value
