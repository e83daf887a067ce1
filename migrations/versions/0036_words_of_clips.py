"""Clips have the words of their tags, labels, notes and descriptions, for searches by text."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0036"
down_revision: str | None = "0035"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FILL = r"""
    INSERT INTO clip_texts (clip_id, words)
    SELECT c.id, to_tsvector('simple', t.words) || to_tsvector('english', t.words)
    FROM clips c CROSS JOIN LATERAL (
        SELECT left(regexp_replace(concat_ws(' ',
            array_to_string(c.tags, ' '),
            (SELECT string_agg(DISTINCT type, ' ') FROM labels l, unnest(l.types) AS type WHERE l.clip_id = c.id),
            (SELECT string_agg(n.text, ' ' ORDER BY n.id) FROM clip_notes n WHERE n.clip_id = c.id),
            (SELECT string_agg(DISTINCT d.description, ' ') FROM clip_fires l
                JOIN fires f USING (campaign, version, vehicle_id, ordinal)
                JOIN campaign_versions v USING (campaign, version)
                CROSS JOIN LATERAL (
                    SELECT v.settings ->> 'describe' AS description
                    UNION ALL SELECT s.value ->> 'describe' FROM jsonb_array_elements(v.settings -> 'triggers') AS s
                    WHERE s.value ->> 'name' = f.trigger
                ) AS d WHERE l.clip_id = c.id)
        ), '[!-/:-@[-`{-~]+', ' ', 'g'), 200000) AS words
    ) AS t
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "clip_texts",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_clip_texts_clip_id_clips")),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("pk_clip_texts")),
    )
    op.get_bind().exec_driver_sql(_FILL)
    op.create_index("ix_clip_texts_words", "clip_texts", ["words"], postgresql_using="gin")


def downgrade() -> None:
    """Revert."""
    op.drop_table("clip_texts")
