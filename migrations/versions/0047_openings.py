"""Clips that somebody opened are noted, and tombstones say whether their clip was used."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0047"
down_revision: str | None = "0046"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Of clips that are there already nobody knows whether they were opened."""
    op.create_table(
        "clip_openings",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_clip_openings_clip_id_clips")),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("pk_clip_openings")),
    )
    op.add_column("erased_clips", sa.Column("was_used", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Revert. What was opened is forgotten."""
    op.drop_column("erased_clips", "was_used")
    op.drop_table("clip_openings")
