"""Clips have the cell of the H3 grid in which they begin."""

from collections.abc import Sequence

import h3
import sqlalchemy as sa
from alembic import op

revision: str = "0035"
down_revision: str | None = "0034"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RESOLUTION = 7
_BATCH = 1000
_NEXT = sa.text("""
    SELECT id, (track -> 0 ->> 0)::double precision AS latitude, (track -> 0 ->> 1)::double precision AS longitude
    FROM clips WHERE id > :after AND jsonb_typeof(track -> 0 -> 0) = 'number' ORDER BY id LIMIT :batch
""")
_FILL = sa.text("""
    UPDATE clips SET place_cell = cells.cell
    FROM unnest(CAST(:ids AS text[]), CAST(:cells AS text[])) AS cells (id, cell) WHERE clips.id = cells.id
""")


def upgrade() -> None:
    """Apply: a track's first position gives the cell."""
    op.add_column("clips", sa.Column("place_cell", sa.Text(), nullable=True))
    _fill(op.get_bind())
    placed = sa.text("place_cell IS NOT NULL")
    op.create_index("ix_clips_place_cell", "clips", ["place_cell", "id"], postgresql_where=placed)


def _fill(connection: sa.Connection) -> None:
    after = ""
    while rows := connection.execute(_NEXT, {"after": after, "batch": _BATCH}).all():
        cells = [h3.latlng_to_cell(row.latitude, row.longitude, _RESOLUTION) for row in rows]
        connection.execute(_FILL, {"ids": [row.id for row in rows], "cells": cells})
        after = rows[-1].id


def downgrade() -> None:
    """Revert."""
    op.drop_index("ix_clips_place_cell", table_name="clips")
    op.drop_column("clips", "place_cell")
