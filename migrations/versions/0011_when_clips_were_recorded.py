"""When a clip was recorded, as far as its clock can be believed: the order in which clips are listed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RECORDED_NS = """
    CASE WHEN 'clock_implausible' = ANY (tags)
    THEN CAST(extract(epoch FROM stored_at AT TIME ZONE 'UTC') * 1000000000 AS bigint)
    ELSE start_ns END
"""


def upgrade() -> None:
    """Apply."""
    computed = sa.Computed(_RECORDED_NS, persisted=True)
    op.add_column("clips", sa.Column("recorded_ns", sa.BigInteger(), computed, nullable=False))
    op.create_index("ix_clips_recorded_ns_id", "clips", ["recorded_ns", "id"])


def downgrade() -> None:
    """Revert."""
    op.drop_index("ix_clips_recorded_ns_id", table_name="clips")
    op.drop_column("clips", "recorded_ns")
