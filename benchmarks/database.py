"""The integration's contents in the recorder's database."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
import sqlite3
from typing import Final

from custom_components.nomos.const import DOMAIN

_STATES: Final = """
    SELECT states.state_id, states.attributes_id FROM states
    JOIN states_meta USING (metadata_id)
    JOIN ours ON ours.entity_id = states_meta.entity_id
"""

_STATISTICS: Final = """
    SELECT count(*) FROM {} AS rows JOIN statistics_meta AS meta ON meta.id = rows.metadata_id
    WHERE meta.source = ? OR meta.statistic_id IN (SELECT entity_id FROM ours)
"""


@dataclass(slots=True)
class Contents:
    """The contents of the database.

    Attributes:
        rows: the number of the integration's rows, by table.
        file: the size of the whole file in ``bytes``.
        tables: the size of each table with its indexes and all of its rows, in bytes.
        attributes: the size of the largest recorded attributes of a state of the integration, in bytes.
    """

    rows: dict[str, int] = field(default_factory=dict)
    file: dict[str, int] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    attributes: int = 0


def contents_of(database: Path, ours: Sequence[str]) -> Contents:
    """Read the contents for the given entities and for the integration's statistics."""
    with closing(sqlite3.connect(database)) as connection:

        def number(query: str, *values: str) -> int:
            (found,) = connection.execute(query, values).fetchone()
            return int(found or 0)

        # Pages that are only in the write-ahead log would be counted twice or not at all.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute("CREATE TEMP TABLE ours (entity_id TEXT PRIMARY KEY)")
        connection.executemany("INSERT INTO ours VALUES (?)", ((one,) for one in ours))
        rows = {
            "states": number(f"SELECT count(*) FROM ({_STATES})"),  # noqa: S608
            "state_attributes": number(
                f"SELECT count(DISTINCT attributes_id) FROM ({_STATES})"  # noqa: S608
            ),
            **{
                name: number(_STATISTICS.format(name), DOMAIN)
                for name in ("statistics", "statistics_short_term")
            },
        }
        recorded = f"SELECT attributes_id FROM ({_STATES})"  # noqa: S608
        largest = number(
            f"SELECT max(length(shared_attrs)) FROM state_attributes WHERE attributes_id IN ({recorded})"  # noqa: S608
        )
        size = number("PRAGMA page_count") * number("PRAGMA page_size")
        return Contents(rows, {"bytes": size}, _tables(connection), largest)


def _tables(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the size of each table; nothing if SQLite was built without dbstat."""
    try:
        found = connection.execute(
            "SELECT coalesce(master.tbl_name, name), sum(pgsize) FROM dbstat"
            " LEFT JOIN sqlite_master AS master USING (name) GROUP BY 1"
        ).fetchall()
    except sqlite3.OperationalError:
        return {}
    return {str(name): int(size) for name, size in found}
