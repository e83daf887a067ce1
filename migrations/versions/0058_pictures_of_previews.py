"""When a preview begins within its clip, and the size of its camera's pictures."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0058"
down_revision: str | None = "0057"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply. Those of older clips become known as they are extracted again."""
    op.add_column("clip_assets", sa.Column("offset_ns", sa.BigInteger(), nullable=True))
    op.add_column("clip_assets", sa.Column("width", sa.Integer(), nullable=True))
    op.add_column("clip_assets", sa.Column("height", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Revert."""
    for name in ("height", "width", "offset_ns"):
        op.drop_column("clip_assets", name)
