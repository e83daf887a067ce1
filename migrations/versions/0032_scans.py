"""Searches by what happened are jobs, with the clips and instants that they found."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0032"
down_revision: str | None = "0031"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TIME = sa.DateTime(timezone=True)
_OPEN = sa.text("state IN ('ready','leased')")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "scans",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=True),
        sa.Column("filter_lang", sa.Text(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", _TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("clips", sa.BigInteger(), nullable=True),
        sa.Column("scanned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("found", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("instants", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("read_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("run_s", sa.Float(), server_default="0", nullable=False),
        sa.Column("left_out", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("warnings", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("stopped", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('ready','leased','done','failed')", name=op.f("ck_scans_state")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_scans_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scans")),
    )
    op.create_index("uq_scans_open", "scans", ["user_id"], unique=True, postgresql_where=_OPEN)
    op.create_index("ix_scans_open", "scans", ["created_at"], postgresql_where=_OPEN)
    op.create_index("ix_scans_user_id", "scans", ["user_id", "created_at"])
    op.create_index("ix_scans_expires_at", "scans", ["expires_at"])
    op.create_table(
        "scan_hits",
        sa.Column("scan_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("t_ns", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("instants", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name=op.f("fk_scan_hits_scan_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_scan_hits_clip_id")),
        sa.PrimaryKeyConstraint("scan_id", "number", name=op.f("pk_scan_hits")),
    )
    op.create_index("ix_scan_hits_clip_id", "scan_hits", ["clip_id"])


def downgrade() -> None:
    """Revert. Scans and what they found are lost; they can be run again."""
    op.drop_table("scan_hits")
    op.drop_table("scans")
