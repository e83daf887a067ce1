"""A deployment has an id, which all of its processes tell, so that it is not taken for another one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "deployment",
        sa.Column("single", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.CheckConstraint("single", name=op.f("ck_deployment_single")),
        sa.PrimaryKeyConstraint("single", name=op.f("pk_deployment")),
    )
    op.execute("INSERT INTO deployment (id) VALUES (replace(gen_random_uuid()::text, '-', ''))")


def downgrade() -> None:
    """Revert. The next upgrade makes another id."""
    op.drop_table("deployment")
