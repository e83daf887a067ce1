"""Months of costs are closed with their entries, which are never changed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0048"
down_revision: str | None = "0047"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "closed_months",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("price_book", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("account", postgresql.JSONB(), nullable=False),
        sa.Column("closed_by_id", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_closed_months_month")),
        sa.ForeignKeyConstraint(
            ["price_book"], ["price_books.version"], name=op.f("fk_closed_months_price_book_price_books")
        ),
        sa.ForeignKeyConstraint(["closed_by_id"], ["users.id"], name=op.f("fk_closed_months_closed_by_id_users")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_closed_months")),
    )
    op.create_table(
        "cost_entries",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("unit_price", sa.Numeric(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("tags", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("start < until AND start < month + interval '1 month'", name=op.f("ck_cost_entries_days")),
        sa.CheckConstraint("quantity = trunc(quantity) AND quantity <> 0", name=op.f("ck_cost_entries_quantity")),
        sa.ForeignKeyConstraint(["month"], ["closed_months.month"], name=op.f("fk_cost_entries_month_closed_months")),
        sa.PrimaryKeyConstraint("month", "number", name=op.f("pk_cost_entries")),
    )
    op.execute("""
        CREATE FUNCTION refuse_closed_month_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a closed month is never changed: % is refused', TG_OP
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """)
    for table in ("closed_months", "cost_entries"):
        op.execute(f"""
            CREATE TRIGGER {table}_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_month_change()
        """)
    # An entry that came later would change its month, too. The count is of the transaction that closed it.
    op.execute("""
        CREATE FUNCTION refuse_late_cost_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM closed_months m
                WHERE m.month IN (SELECT month FROM added)
                    AND m.entries <> (SELECT count(*) FROM cost_entries e WHERE e.month = m.month)
            ) THEN
                RAISE EXCEPTION 'a closed month is never changed: it has all of its entries'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER cost_entries_are_complete AFTER INSERT ON cost_entries
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_late_cost_entry()
    """)


def downgrade() -> None:
    """Revert. Closed months are lost with their entries."""
    op.drop_table("cost_entries")
    op.drop_table("closed_months")
    op.execute("DROP FUNCTION refuse_late_cost_entry()")
    op.execute("DROP FUNCTION refuse_closed_month_change()")
