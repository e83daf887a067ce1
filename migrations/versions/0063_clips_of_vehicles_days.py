"""A campaign may limit the clips of a vehicle's day, beside the bytes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0063"
down_revision: str | None = "0062"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KINDS = (
    "kind IN ('fleet','campaign_bytes','campaign_clips','campaign_vehicle_day'{},'campaign_vehicle_bytes',"
    "'campaign_vehicle_clips','fleet_month','cost_centre_month','network_month')"
)
_ADDED = "'campaign_vehicle_day_clips'"
_CHANGES = (
    (
        "AS vehicle_day_bytes,\n",
        "            CAST(budget ->> 'vehicle_day_clips' AS bigint) AS vehicle_day_clips,\n",
    ),
    (
        "                WHEN 'campaign_vehicle_clips' THEN l.clips IS NOT NULL\n",
        "                WHEN 'campaign_vehicle_day_clips' THEN l.vehicle_day_clips IS NOT NULL\n",
    ),
    (
        "        WHEN 'campaign_vehicle_day' THEN l.vehicle_day_bytes\n",
        "        WHEN 'campaign_vehicle_day_clips' THEN l.vehicle_day_clips\n",
    ),
)
"""Lines of the function that reserves, each with the one that follows it from now on."""
_RESERVE_UPLOAD = """
    CREATE OR REPLACE FUNCTION reserve_upload(upload text, asked jsonb) RETURNS jsonb LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = {schema}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $${body}$$
"""


def upgrade() -> None:
    """Apply."""
    _replace_check("," + _ADDED)
    body = _body()
    for line, added in _CHANGES:
        body = body.replace(line, line + added)
    _replace_function(body)


def downgrade() -> None:
    """Revert. What vehicles have of their days in clips is lost."""
    body = _body()
    for _, added in _CHANGES:
        body = body.replace(added, "")
    _replace_function(body)
    lost = f"SELECT id FROM ledger_accounts WHERE kind IN ({_ADDED})"  # noqa: S608 - a constant
    op.execute(f"DELETE FROM ledger_entries WHERE account_id IN ({lost})")  # noqa: S608 - a constant
    op.execute(f"DELETE FROM ledger_accounts WHERE kind IN ({_ADDED})")  # noqa: S608 - a constant
    _replace_check("")


def _body() -> str:
    found = "SELECT prosrc FROM pg_proc WHERE oid = CAST('reserve_upload(text, jsonb)' AS regprocedure)"
    body: str = op.get_bind().execute(sa.text(found)).scalar_one()
    return body


def _replace_function(body: str) -> None:
    connection = op.get_bind()
    schema = connection.execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    connection.exec_driver_sql(_RESERVE_UPLOAD.format(schema=schema, body=body))


def _replace_check(added: str) -> None:
    op.drop_constraint(op.f("ck_ledger_accounts_kind"), "ledger_accounts", type_="check")
    op.create_check_constraint(op.f("ck_ledger_accounts_kind"), "ledger_accounts", _KINDS.format(added))
