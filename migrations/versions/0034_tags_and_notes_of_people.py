"""Tags and notes that people add to clips, with who and when."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0034"
down_revision: str | None = "0033"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_REMOVE_TAGS = """
    UPDATE clips c SET tags = ARRAY(
        SELECT t.tag FROM unnest(c.tags) WITH ORDINALITY AS t (tag, place)
        WHERE t.tag NOT IN (SELECT a.tag FROM clip_tags a WHERE a.clip_id = c.id AND NOT a.of_a_trigger)
        ORDER BY t.place
    )
    WHERE EXISTS (SELECT FROM clip_tags a WHERE a.clip_id = c.id AND NOT a.of_a_trigger)
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "clip_tags",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("of_a_trigger", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_clip_tags_clip_id_clips")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_clip_tags_user_id_users")),
        sa.PrimaryKeyConstraint("clip_id", "tag", name=op.f("pk_clip_tags")),
    )
    op.create_table(
        "clip_notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_clip_notes_clip_id_clips")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_clip_notes_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clip_notes")),
    )
    op.create_index("ix_clip_notes_clip_id", "clip_notes", ["clip_id"])


def downgrade() -> None:
    """Revert. Tags and notes of people are lost; clips keep those of triggers."""
    op.execute(_REMOVE_TAGS)
    op.drop_table("clip_notes")
    op.drop_table("clip_tags")
