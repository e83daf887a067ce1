"""Remarks on clips, kinds of means of statistics, and extraction jobs that take turns by vehicle."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OPEN = sa.text("state IN ('ready','leased')")


def upgrade() -> None:
    """Apply. A job's vehicle is its clip's; what was extracted before has means over samples."""
    op.add_column("clips", sa.Column("remarks", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("signal_statistics", sa.Column("mean_over", sa.Text(), nullable=False, server_default="samples"))
    op.create_check_constraint(
        op.f("ck_signal_statistics_mean_over"), "signal_statistics", "mean_over IN ('samples','time')"
    )
    op.add_column("extraction_jobs", sa.Column("vehicle_id", sa.Text(), nullable=True))
    op.execute("UPDATE extraction_jobs SET vehicle_id = clips.vehicle_id FROM clips WHERE clips.id = clip_id")
    op.alter_column("extraction_jobs", "vehicle_id", nullable=False)
    op.create_foreign_key(op.f("fk_extraction_jobs_vehicle_id"), "extraction_jobs", "vehicles", ["vehicle_id"], ["id"])
    op.drop_index("ix_extraction_jobs_open", table_name="extraction_jobs", postgresql_where=_OPEN)
    op.create_index("ix_extraction_jobs_open", "extraction_jobs", ["vehicle_id", "created_at"], postgresql_where=_OPEN)


def downgrade() -> None:
    """Revert."""
    op.drop_index("ix_extraction_jobs_open", table_name="extraction_jobs", postgresql_where=_OPEN)
    op.create_index("ix_extraction_jobs_open", "extraction_jobs", ["created_at"], postgresql_where=_OPEN)
    op.drop_constraint(op.f("fk_extraction_jobs_vehicle_id"), "extraction_jobs", type_="foreignkey")
    op.drop_column("extraction_jobs", "vehicle_id")
    op.drop_constraint(op.f("ck_signal_statistics_mean_over"), "signal_statistics", type_="check")
    op.drop_column("signal_statistics", "mean_over")
    op.drop_column("clips", "remarks")
