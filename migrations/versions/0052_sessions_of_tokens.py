"""A token may be exchanged for a session of a browser, which ends with it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0052"
down_revision: str | None = "0051"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_EXCHANGE = """
    CREATE FUNCTION exchange_token(
        hash bytea, of_token bigint, named text, valid_s integer, OUT id bigint, OUT expires_at timestamptz
    ) LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    BEGIN
        IF valid_s NOT BETWEEN 1 AND 86400 THEN
            RAISE EXCEPTION 'a session lasts a day at most' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        INSERT INTO api_tokens (token_hash, user_id, name, roles, parent_id, expires_at)
            SELECT hash, t.user_id, named, t.roles, t.id, least(t.expires_at, now() + make_interval(secs => valid_s))
            FROM api_tokens t
            WHERE t.id = of_token AND t.issuer IS NULL AND t.parent_id IS NULL
                AND t.revoked_at IS NULL AND t.expires_at > now()
            RETURNING api_tokens.id, api_tokens.expires_at INTO exchange_token.id, exchange_token.expires_at;
    END $$
"""
_FUNCTION = "exchange_token(bytea, bigint, text, integer)"


def upgrade() -> None:
    """Apply."""
    op.add_column("api_tokens", sa.Column("parent_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_api_tokens_parent_id_api_tokens"), "api_tokens", "api_tokens", ["parent_id"], ["id"])
    op.create_index(op.f("ix_api_tokens_parent_id"), "api_tokens", ["parent_id"])
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    op.execute(_EXCHANGE.format(schema=schema))
    op.execute(f"REVOKE ALL ON FUNCTION {_FUNCTION} FROM PUBLIC")


def downgrade() -> None:
    """Revert. Sessions of tokens end: whoever has one signs in again."""
    op.execute(f"DROP FUNCTION {_FUNCTION}")
    op.execute("UPDATE api_tokens SET revoked_at = now() WHERE parent_id IS NOT NULL AND revoked_at IS NULL")
    op.drop_index(op.f("ix_api_tokens_parent_id"), "api_tokens")
    op.drop_constraint(op.f("fk_api_tokens_parent_id_api_tokens"), "api_tokens", type_="foreignkey")
    op.drop_column("api_tokens", "parent_id")
