"""Claimants of label jobs: user and labeler in separate columns instead of one text."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. `worker` was `<user>/<labeler>`; neither name can contain a slash."""
    op.add_column("label_jobs", sa.Column("claimed_by", sa.Text(), nullable=True))
    op.add_column("label_jobs", sa.Column("labeler", sa.Text(), nullable=True))
    op.execute("""
        UPDATE label_jobs SET claimed_by = split_part(worker, '/', 1), labeler = split_part(worker, '/', 2)
        WHERE worker IS NOT NULL
    """)
    op.create_check_constraint(op.f("ck_label_jobs_claimant"), "label_jobs", "(claimed_by IS NULL) = (labeler IS NULL)")
    op.drop_column("label_jobs", "worker")


def downgrade() -> None:
    """Revert."""
    op.add_column("label_jobs", sa.Column("worker", sa.Text(), nullable=True))
    op.execute("UPDATE label_jobs SET worker = claimed_by || '/' || labeler WHERE claimed_by IS NOT NULL")
    op.drop_constraint(op.f("ck_label_jobs_claimant"), "label_jobs", type_="check")
    op.drop_column("label_jobs", "labeler")
    op.drop_column("label_jobs", "claimed_by")
