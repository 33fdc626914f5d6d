"""What a day may cost a hub with one contract and three flexible loads. Tests hold all of it."""

from typing import Final

from .hub import LOADS

BOUNDARIES: Final = 24 * 4

REQUESTS: Final = 8
"""HTTP requests of every kind."""

_CURRENT: Final = BOUNDARIES + 4
"""The price at every boundary; a correction or two."""

_LEVELS: Final = BOUNDARIES
"""Level, cheap, expensive and the calendar: each changes a few times a day, together not at every boundary."""

_DAILY: Final = 20
"""Statistics of today, whether tomorrow is known, usage and cost: once a day each, and twice for luck."""

_LOAD: Final = 6 * 5 + 3 * 2 * 4
"""Six entities for each of five plans a day; at both ends of four runs the flag and both times."""

STATES: Final = _CURRENT + _LEVELS + _DAILY + len(LOADS) * _LOAD
"""States that are written, each of them with another value than before."""

STATISTICS: Final = 3 * 24 + 1
"""Rows of long-term statistics that we write: hours of usage, cost and total, a day's base fee."""

RECORDER_STATISTICS: Final = 24 + 24 * 12
"""Rows of statistics that the recorder makes of the current price by itself; those of five minutes are kept for days."""

ATTRIBUTES: Final = 60
"""Rows of attributes: only those that are different."""

ROWS: Final = STATES + STATISTICS + RECORDER_STATISTICS + ATTRIBUTES

DATABASE_BYTES: Final = 200_000
"""Growth of the database."""

STORAGE_BYTES: Final = 60_000
"""Written to our files in `.storage`."""

ATTRIBUTE_BYTES: Final = 16_384
"""The attributes of one state: what the recorder would take, though ours leave the long ones out."""

RECORDED_BYTES: Final = 600
"""The attributes of one state that are recorded."""
