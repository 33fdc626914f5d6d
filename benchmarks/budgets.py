"""Limits of what a day costs a hub with one contract and three flexible loads. Tests check all of them."""

from typing import Final

from .hub import LOADS

BOUNDARIES: Final = 24 * 4

REQUESTS: Final = 8
"""HTTP requests of every kind."""

_CURRENT: Final = BOUNDARIES + 4
"""The price at every boundary; a correction or two."""

_LEVELS: Final = BOUNDARIES
"""Level, cheap, expensive and the calendar; together they change less often than at every boundary."""

_DAILY: Final = 20
"""Statistics of today, whether tomorrow is known, usage and cost: once a day each, doubled as a reserve."""

_LOAD: Final = 6 * 5 + 3 * 2 * 4
"""Six entities for each of five plans a day; the flag and both times at both ends of four runs."""

STATES: Final = _CURRENT + _LEVELS + _DAILY + len(LOADS) * _LOAD
"""Written states, each with a new value."""

STATISTICS: Final = 3 * 24 + 1 + len(LOADS) * 5
"""Rows of long-term statistics that we write: hours of usage, cost and total, a day's base fee; the hours of runs."""

RECORDER_STATISTICS: Final = 24 + 24 * 12
"""Rows of statistics that the recorder itself derives from the current price; five-minute rows are kept for days."""

ATTRIBUTES: Final = 60
"""Rows of attributes: one for each distinct set."""

ROWS: Final = STATES + STATISTICS + RECORDER_STATISTICS + ATTRIBUTES

DATABASE_BYTES: Final = 200_000
"""Growth of the database, in bytes."""

STORAGE_BYTES: Final = 60_000
"""Bytes written to our files in `.storage`."""

ATTRIBUTE_BYTES: Final = 16_384
"""The attributes of one state: the recorder's own limit, although our long ones are not recorded."""

RECORDED_BYTES: Final = 600
"""The recorded attributes of one state."""
