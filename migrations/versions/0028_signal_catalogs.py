"""Signal catalogs that operators publish, as versions that are never changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "signal_catalogs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("state_bytes", sa.BigInteger(), nullable=False),
        sa.Column("operations", sa.BigInteger(), nullable=False),
        sa.Column("published_by_id", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["users.id"], name=op.f("fk_signal_catalogs_published_by_id_users")
        ),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_signal_catalogs")),
    )
    op.create_index("ix_signal_catalogs_digest", "signal_catalogs", ["digest"])
    op.execute("""
        CREATE FUNCTION refuse_catalog_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a published signal catalog is never changed: % is refused', TG_OP
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER signal_catalogs_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON signal_catalogs
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_catalog_change()
    """)


def downgrade() -> None:
    """Revert. Campaign versions keep the texts that they were compiled against."""
    op.drop_table("signal_catalogs")
    op.execute("DROP FUNCTION refuse_catalog_change()")
