"""Segments of the log are begun and dropped by functions, with the owner's rights: processes may not make tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_BEGIN = """
    CREATE FUNCTION begin_log_segment(number bigint) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    DECLARE
        segment text := format('log_records_%s', number);
    BEGIN
        IF number <= coalesce((SELECT max(s.segment) FROM log_segments s), 0) THEN
            RAISE EXCEPTION 'segment % of the log is not the next one', number
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        EXECUTE format('CREATE TABLE %I (LIKE log_records INCLUDING DEFAULTS) WITH ('
            'autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1)', segment);
        EXECUTE format('ALTER TABLE %I ALTER COLUMN value SET STORAGE EXTERNAL', segment);
        EXECUTE format('ALTER TABLE log_records ATTACH PARTITION %I FOR VALUES IN (%s)', segment, number);
    END $$
"""
_DROP = """
    CREATE FUNCTION drop_log_segment(number bigint) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM log_segments s WHERE s.segment = number AND s.closed_at IS NOT NULL) THEN
            RAISE EXCEPTION 'segment % of the log is not closed', number
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        EXECUTE format('DROP TABLE %I', format('log_records_%s', number));
    END $$
"""


def upgrade() -> None:
    """Apply."""
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    for function in (_BEGIN, _DROP):
        op.execute(function.format(schema=schema))
    op.execute("REVOKE ALL ON FUNCTION begin_log_segment(bigint), drop_log_segment(bigint) FROM PUBLIC")


def downgrade() -> None:
    """Revert."""
    op.execute("DROP FUNCTION begin_log_segment(bigint)")
    op.execute("DROP FUNCTION drop_log_segment(bigint)")
