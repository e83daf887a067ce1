"""What processes need of the audit log and of tokens beyond their rights, by functions with the owner's rights."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_HEAD = """
    CREATE FUNCTION audit_head(OUT sequence bigint, OUT hash text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        SELECT a.sequence, a.hash FROM audit a ORDER BY a.sequence DESC LIMIT 1
    $$
"""
_STATE = """
    CREATE FUNCTION audit_state(of_kind text, of_object text) RETURNS text LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
        SELECT a.after FROM audit a WHERE a.kind = of_kind AND a.object = of_object ORDER BY a.sequence DESC LIMIT 1
    $$
"""
_SESSION = """
    CREATE FUNCTION begin_session(
        hash bytea, of_user bigint, named text, granted text[], by_issuer text, valid_s integer,
        OUT id bigint, OUT expires_at timestamptz
    ) LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    BEGIN
        IF by_issuer IS NULL OR valid_s NOT BETWEEN 1 AND 86400 THEN
            RAISE EXCEPTION 'a session has an issuer, and lasts a day at most'
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        INSERT INTO api_tokens (token_hash, user_id, name, roles, issuer, expires_at)
            VALUES (hash, of_user, named, granted, by_issuer, now() + make_interval(secs => valid_s))
            RETURNING api_tokens.id, api_tokens.expires_at INTO begin_session.id, begin_session.expires_at;
    END $$
"""
_FUNCTIONS = (
    "audit_head()",
    "audit_state(text, text)",
    "begin_session(bytea, bigint, text, text[], text, integer)",
)


def upgrade() -> None:
    """Apply."""
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    for function in (_HEAD, _STATE, _SESSION):
        op.execute(function.format(schema=schema))
    op.execute(f"REVOKE ALL ON FUNCTION {', '.join(_FUNCTIONS)} FROM PUBLIC")


def downgrade() -> None:
    """Revert."""
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
