"""Tokens of users and vehicles expire; those of users have names, and a vehicle's may have a successor."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply. The lifetimes of tokens that were issued before begin now, so that nobody is shut out."""
    op.add_column("api_tokens", sa.Column("name", sa.Text(), server_default="", nullable=False))
    op.add_column("api_tokens", sa.Column("last_used_at", _TIME, nullable=True))
    _expire("api_tokens", "expires_at", "90 days")
    _expire("vehicles", "token_expires_at", "365 days")
    op.add_column("vehicles", sa.Column("former_token_hash", sa.LargeBinary(), nullable=True))
    op.create_unique_constraint(op.f("uq_vehicles_former_token_hash"), "vehicles", ["former_token_hash"])
    op.add_column("vehicles", sa.Column("former_token_expires_at", _TIME, nullable=True))


def downgrade() -> None:
    """Revert. Tokens that have expired are revoked, since nothing else would stop them."""
    op.execute("UPDATE api_tokens SET revoked_at = now() WHERE revoked_at IS NULL AND expires_at <= now()")
    op.execute("UPDATE vehicles SET revoked_at = now() WHERE revoked_at IS NULL AND token_expires_at <= now()")
    for column in ("former_token_expires_at", "former_token_hash", "token_expires_at"):
        op.drop_column("vehicles", column)
    for column in ("expires_at", "last_used_at", "name"):
        op.drop_column("api_tokens", column)


def _expire(table: str, column: str, after: str) -> None:
    default = sa.text(f"now() + interval '{after}'")
    op.add_column(table, sa.Column(column, _TIME, nullable=False, server_default=default))
    op.alter_column(table, column, server_default=None)
