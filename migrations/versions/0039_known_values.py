"""The values that clips have had of attributes, and their tags."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0039"
down_revision: str | None = "0038"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_MAX_VALUES = 1000
_FILL = """
    INSERT INTO known_values (about, value)
    SELECT 'vehicle.' || a.key, a.value FROM clips CROSS JOIN LATERAL jsonb_each(attributes) AS a
    UNION SELECT 'tags', to_jsonb(tag) FROM clips CROSS JOIN LATERAL unnest(tags) AS tag
"""
_CLOSE = """
    WITH many AS (SELECT about FROM known_values GROUP BY about HAVING count(*) > {most}),
        emptied AS (DELETE FROM known_values k USING many WHERE k.about = many.about)
    INSERT INTO known_values SELECT about, CAST('null' AS jsonb) FROM many
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "known_values",
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("about", "value", name=op.f("pk_known_values")),
    )
    op.execute(_FILL)
    op.execute(_CLOSE.format(most=_MAX_VALUES))


def downgrade() -> None:
    """Revert."""
    op.drop_table("known_values")
