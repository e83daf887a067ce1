"""Which tables a backup has: all but the log's, whose cells are many times the rest and gone after some days anyway.

The deployment's own id is not in it either: a deployment that is restored beside its model must not be taken for it.
"""

from __future__ import annotations

from sqlalchemy import Table

from storage.tables import deployment, metadata, parked_cells, upload_pieces
from storage.tables.log import log_claims, log_members, log_partitions, log_records, log_segments

_OF_THE_LOG = (log_claims, log_members, log_partitions, log_records, log_segments)
LEFT_OUT = frozenset(table.name for table in (*_OF_THE_LOG, deployment, parked_cells, upload_pieces))
"""Without the log, cells and pieces of open clips are of no use: a restore closes their uploads, to be begun again."""


def saved_tables() -> list[Table]:
    """The tables of a backup, each after those that it refers to."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


def columns_sql(columns: list[str]) -> str:
    """A list of columns as SQL has it."""
    return ", ".join(f'"{column}"' for column in columns)
