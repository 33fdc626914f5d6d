"""Figures as Markdown."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; numbers get separators."""
    lines = [_line(heads), _line(["---"] * len(heads))]
    return "\n".join([*lines, *map(_line, rows)]) + "\n"


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
