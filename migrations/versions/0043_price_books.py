"""Price books that operators publish, as versions that are never changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0043"
down_revision: str | None = "0042"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "price_books",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("published_by_id", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_price_books_version")),
        sa.ForeignKeyConstraint(["published_by_id"], ["users.id"], name=op.f("fk_price_books_published_by_id_users")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_price_books")),
    )
    op.execute("""
        CREATE FUNCTION refuse_price_book_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a published price book is never changed: % is refused', TG_OP
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER price_books_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_books
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_price_book_change()
    """)


def downgrade() -> None:
    """Revert. The texts of published price books are lost."""
    op.drop_table("price_books")
    op.execute("DROP FUNCTION refuse_price_book_change()")
