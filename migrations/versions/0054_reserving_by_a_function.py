"""Reserving is one function of the database, and entries of the ledger have fewer indexes to be written to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0054"
down_revision: str | None = "0053"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KEY_OF_ACCOUNT = "fk_ledger_entries_account_id"
_UNFOLDED = "ix_ledger_entries_unfolded"
_RESERVE_UPLOAD = """
    CREATE FUNCTION reserve_upload(upload text, asked jsonb) RETURNS jsonb LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = {schema}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    campaigns text[] := ARRAY(SELECT jsonb_array_elements_text(asked -> 'campaigns'));
    fleet_limit_bytes bigint := asked ->> 'fleet_limit_bytes';
    fleet_month_bytes bigint := asked ->> 'fleet_month_bytes';
    reserve_share numeric := asked ->> 'reserve_share';
    reserve_priority integer := asked ->> 'reserve_priority';
    vehicle_share numeric := asked ->> 'vehicle_share';
    ids bigint[];
    amounts bigint[];
    limit_amounts bigint[];
    missing bigint;
    refused jsonb;
BEGIN
    -- Until the transaction ends, nobody sets a limit, and no other version of a campaign begins.
    PERFORM pg_advisory_xact_lock_shared(119182731994482);
    LOOP
        WITH
    limits AS (
        SELECT campaign, budget, priority, CAST(budget ->> 'vehicle_day_bytes' AS bigint) AS vehicle_day_bytes,
            least(CAST(budget ->> 'total_bytes' AS bigint), (
                SELECT amount FROM budget_limits WHERE kind = 'campaign_bytes' AND name = v.campaign
            ))
                AS total_bytes,
            least(CAST(budget ->> 'clips' AS bigint), (
                SELECT amount FROM budget_limits WHERE kind = 'campaign_clips' AND name = v.campaign
            )) AS clips,
            (
                SELECT count(*) FROM (
                    SELECT FROM assignments s WHERE s.campaign = v.campaign
                    LIMIT CAST(ceil(2 / CAST(vehicle_share AS numeric)) AS bigint)
                ) given
            ) AS vehicles
        FROM (
            SELECT DISTINCT ON (campaign) campaign, settings -> 'budget' AS budget,
                CAST(settings ->> 'priority' AS integer) AS priority
            FROM campaign_versions
            WHERE campaign = ANY (CAST(campaigns AS text[])) AND bundle_digest IS NOT NULL
            ORDER BY campaign, state IN ('active','paused') DESC, version DESC
        ) v
    ),
    -- the part of the fleet's limits that all of these campaigns may use together
    open_part AS (
        SELECT CASE
            WHEN count(*) > 0 AND bool_and(priority >= CAST(reserve_priority AS integer)) THEN 1
            ELSE 1 - CAST(reserve_share AS numeric)
        END AS share
        FROM limits
    ),
        asked_for AS (
            SELECT * FROM jsonb_to_recordset(asked -> 'accounts') AS w (
                kind text, campaign text, vehicle_id text, day date, month date, unit text, amount bigint
            )
        ),
        wanted AS (
            SELECT kind, campaign, vehicle_id, '' AS cost_centre, day, month, unit, amount FROM asked_for
            UNION ALL
            SELECT 'cost_centre_month', '', '', o.cost_centre, NULL,
                CAST(coalesce(asked -> 'months' ->> b.zone, asked ->> 'month') AS date), 'bytes',
                CAST(sum(w.amount) AS bigint)
            FROM asked_for w
            JOIN campaign_owners o ON o.campaign = w.campaign AND o.cost_centre <> ''
            LEFT JOIN budget_limits b ON b.kind = 'cost_centre_month' AND b.name = o.cost_centre
            WHERE w.kind = 'campaign_bytes'
            GROUP BY o.cost_centre, b.zone
        )
        SELECT array_agg(a.id ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL),
            array_agg(w.amount ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL),
            array_agg(v.limit_amount ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL),
            count(*) FILTER (WHERE a.id IS NULL AND CASE w.kind
                WHEN 'campaign_vehicle_bytes' THEN l.total_bytes IS NOT NULL
                WHEN 'campaign_vehicle_clips' THEN l.clips IS NOT NULL
                ELSE true
            END)
        INTO ids, amounts, limit_amounts, missing
        FROM wanted w
        LEFT JOIN LATERAL (
            SELECT a.id, a.kind, a.campaign, a.cost_centre FROM ledger_accounts a
            WHERE a.kind = w.kind AND a.campaign = w.campaign AND a.vehicle_id = w.vehicle_id
                AND a.cost_centre = w.cost_centre AND a.network = ''
                AND a.day IS NOT DISTINCT FROM w.day AND a.month IS NOT DISTINCT FROM w.month
            LIMIT 1
        ) a ON true
        LEFT JOIN limits l ON l.campaign = w.campaign
        CROSS JOIN LATERAL (SELECT
    CAST(floor(
    CASE a.kind
        WHEN 'fleet' THEN least(CAST(fleet_limit_bytes AS bigint), (
                SELECT amount FROM budget_limits WHERE kind = 'fleet' AND name = ''
            ))
        WHEN 'fleet_month' THEN least(CAST(fleet_month_bytes AS bigint), (
                SELECT amount FROM budget_limits WHERE kind = 'fleet_month' AND name = ''
            ))
        WHEN 'cost_centre_month' THEN (
                SELECT amount FROM budget_limits WHERE kind = 'cost_centre_month' AND name = a.cost_centre
            )
        WHEN 'campaign_bytes' THEN l.total_bytes
        WHEN 'campaign_clips' THEN l.clips
        WHEN 'campaign_vehicle_bytes' THEN CAST(ceil(l.total_bytes * least(1, greatest(
            CAST(vehicle_share AS numeric), 2.0 / greatest(1, l.vehicles)
        ))) AS bigint)
        WHEN 'campaign_vehicle_clips' THEN CAST(ceil(l.clips * least(1, greatest(
            CAST(vehicle_share AS numeric), 2.0 / greatest(1, l.vehicles)
        ))) AS bigint)
        WHEN 'campaign_vehicle_day' THEN l.vehicle_day_bytes
    END * CASE WHEN a.kind IN ('fleet','fleet_month') THEN (SELECT share FROM open_part) ELSE 1 END)
        AS bigint) AS limit_amount OFFSET 0) v;
        EXIT WHEN missing = 0;
        WITH
    limits AS (
        SELECT campaign, budget, priority, CAST(budget ->> 'vehicle_day_bytes' AS bigint) AS vehicle_day_bytes,
            least(CAST(budget ->> 'total_bytes' AS bigint), (
                SELECT amount FROM budget_limits WHERE kind = 'campaign_bytes' AND name = v.campaign
            ))
                AS total_bytes,
            least(CAST(budget ->> 'clips' AS bigint), (
                SELECT amount FROM budget_limits WHERE kind = 'campaign_clips' AND name = v.campaign
            )) AS clips,
            (
                SELECT count(*) FROM (
                    SELECT FROM assignments s WHERE s.campaign = v.campaign
                    LIMIT CAST(ceil(2 / CAST(vehicle_share AS numeric)) AS bigint)
                ) given
            ) AS vehicles
        FROM (
            SELECT DISTINCT ON (campaign) campaign, settings -> 'budget' AS budget,
                CAST(settings ->> 'priority' AS integer) AS priority
            FROM campaign_versions
            WHERE campaign = ANY (CAST(campaigns AS text[])) AND bundle_digest IS NOT NULL
            ORDER BY campaign, state IN ('active','paused') DESC, version DESC
        ) v
    ),
    -- the part of the fleet's limits that all of these campaigns may use together
    open_part AS (
        SELECT CASE
            WHEN count(*) > 0 AND bool_and(priority >= CAST(reserve_priority AS integer)) THEN 1
            ELSE 1 - CAST(reserve_share AS numeric)
        END AS share
        FROM limits
    ),
        asked_for AS (
            SELECT * FROM jsonb_to_recordset(asked -> 'accounts') AS w (
                kind text, campaign text, vehicle_id text, day date, month date, unit text, amount bigint
            )
        ),
        wanted AS (
            SELECT kind, campaign, vehicle_id, '' AS cost_centre, day, month, unit, amount FROM asked_for
            UNION ALL
            SELECT 'cost_centre_month', '', '', o.cost_centre, NULL,
                CAST(coalesce(asked -> 'months' ->> b.zone, asked ->> 'month') AS date), 'bytes',
                CAST(sum(w.amount) AS bigint)
            FROM asked_for w
            JOIN campaign_owners o ON o.campaign = w.campaign AND o.cost_centre <> ''
            LEFT JOIN budget_limits b ON b.kind = 'cost_centre_month' AND b.name = o.cost_centre
            WHERE w.kind = 'campaign_bytes'
            GROUP BY o.cost_centre, b.zone
        )
        INSERT INTO ledger_accounts (kind, campaign, vehicle_id, cost_centre, day, month, unit)
        SELECT w.kind, w.campaign, w.vehicle_id, w.cost_centre, w.day, w.month, w.unit
        FROM wanted w LEFT JOIN limits l ON l.campaign = w.campaign
        WHERE CASE w.kind
                WHEN 'campaign_vehicle_bytes' THEN l.total_bytes IS NOT NULL
                WHEN 'campaign_vehicle_clips' THEN l.clips IS NOT NULL
                ELSE true
            END
        ORDER BY kind, campaign, vehicle_id, cost_centre, day, month
        ON CONFLICT DO NOTHING;
    END LOOP;

    -- Entries are written before accounts are locked, so that others wait as briefly as possible. Those of accounts
    -- with a limit count as folded: these accounts are changed at once, one reservation after the other.
    INSERT INTO ledger_entries
        (account_id, upload_id, kind, amount, held_delta, settled_delta, folded, network, region)
    SELECT t.id, u.id, 'reserve', t.amount, t.amount, 0, t.limit_amount IS NOT NULL, u.network, coalesce(u.region, '')
    FROM unnest(ids, amounts, limit_amounts) AS t (id, amount, limit_amount), uploads u
    WHERE u.id = upload;
    PERFORM FROM ledger_accounts a JOIN unnest(ids, limit_amounts) AS t (id, limit_amount) ON t.id = a.id
    WHERE t.limit_amount IS NOT NULL
    ORDER BY a.id
    FOR NO KEY UPDATE OF a;
    WITH charged AS MATERIALIZED (
        SELECT a.id, a.kind, a.campaign, a.vehicle_id, a.cost_centre, a.day, a.month, t.amount, t.limit_amount,
            -- what was reserved while the account had no limit counts at once, whether it is folded or not
            a.held + coalesce((
                SELECT sum(e.held_delta) FROM ledger_entries e
                WHERE e.account_id = a.id AND NOT folded AND e.kind = 'reserve'
            ), 0) AS held
        FROM unnest(ids, amounts, limit_amounts) AS t (id, amount, limit_amount)
        JOIN ledger_accounts a ON a.id = t.id
        WHERE t.limit_amount IS NOT NULL
    ),
    above AS (SELECT * FROM charged c WHERE c.amount > 0 AND c.held + c.amount > c.limit_amount),
    taken AS (
        UPDATE ledger_accounts a SET held = a.held + c.amount FROM charged c
        WHERE a.id = c.id AND NOT EXISTS (SELECT FROM above)
    )
    SELECT jsonb_agg(to_jsonb(r) ORDER BY r.id) INTO refused FROM above r;
    IF refused IS NULL THEN
        RETURN NULL;
    END IF;
    DELETE FROM ledger_entries WHERE upload_id = upload AND kind = 'reserve';
    RETURN (
        WITH
    limits AS (
        SELECT campaign, budget, priority, CAST(budget ->> 'vehicle_day_bytes' AS bigint) AS vehicle_day_bytes,
            least(CAST(budget ->> 'total_bytes' AS bigint), (
                SELECT amount FROM budget_limits WHERE kind = 'campaign_bytes' AND name = v.campaign
            ))
                AS total_bytes,
            least(CAST(budget ->> 'clips' AS bigint), (
                SELECT amount FROM budget_limits WHERE kind = 'campaign_clips' AND name = v.campaign
            )) AS clips,
            (
                SELECT count(*) FROM (
                    SELECT FROM assignments s WHERE s.campaign = v.campaign
                    LIMIT CAST(ceil(2 / CAST(vehicle_share AS numeric)) AS bigint)
                ) given
            ) AS vehicles
        FROM (
            SELECT DISTINCT ON (campaign) campaign, settings -> 'budget' AS budget,
                CAST(settings ->> 'priority' AS integer) AS priority
            FROM campaign_versions
            WHERE campaign = ANY (CAST(campaigns AS text[])) AND bundle_digest IS NOT NULL
            ORDER BY campaign, state IN ('active','paused') DESC, version DESC
        ) v
    ),
    -- the part of the fleet's limits that all of these campaigns may use together
    open_part AS (
        SELECT CASE
            WHEN count(*) > 0 AND bool_and(priority >= CAST(reserve_priority AS integer)) THEN 1
            ELSE 1 - CAST(reserve_share AS numeric)
        END AS share
        FROM limits
    )
        SELECT jsonb_build_object('accounts', refused, 'preferred', (
            SELECT coalesce(jsonb_agg(campaign), '[]') FROM limits WHERE priority >= reserve_priority
        ))
    );
END
$$
"""


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    schema = connection.execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    connection.exec_driver_sql(_RESERVE_UPLOAD.replace("{schema}", schema))
    op.execute("REVOKE ALL ON FUNCTION reserve_upload(text, jsonb) FROM PUBLIC")
    op.drop_constraint(_KEY_OF_ACCOUNT, "ledger_entries", type_="foreignkey")
    # One unique index says what two did: an upload has one reservation in an account, which is closed once.
    op.create_index(
        "uq_ledger_entries_step",
        "ledger_entries",
        ["upload_id", "account_id", sa.text("replace(kind, 'release', 'settle')")],
        unique=True,
    )
    op.create_index("ix_ledger_entries_account_id", "ledger_entries", ["account_id"])
    op.drop_constraint(op.f("uq_ledger_entries_account_id_upload_id_kind"), "ledger_entries", type_="unique")
    for name in ("uq_ledger_entries_closing", "ix_ledger_entries_upload_id"):
        op.drop_index(name, table_name="ledger_entries")
    for name in ("ix_ledger_entries_unfolded_reservations", _UNFOLDED):
        op.drop_index(name, table_name="ledger_entries")
    _index_unfolded(_UNFOLDED, ["account_id", "kind"], "NOT folded")


def downgrade() -> None:
    """Revert."""
    op.execute("DROP FUNCTION reserve_upload(text, jsonb)")
    op.drop_index(_UNFOLDED, table_name="ledger_entries")
    _index_unfolded(_UNFOLDED, ["account_id"], "NOT folded")
    _index_unfolded("ix_ledger_entries_unfolded_reservations", ["account_id"], "NOT folded AND kind = 'reserve'")
    op.create_index("ix_ledger_entries_upload_id", "ledger_entries", ["upload_id"])
    op.create_index(
        "uq_ledger_entries_closing",
        "ledger_entries",
        ["account_id", "upload_id"],
        unique=True,
        postgresql_where=sa.text("kind IN ('settle','release')"),
    )
    op.create_unique_constraint(
        op.f("uq_ledger_entries_account_id_upload_id_kind"), "ledger_entries", ["account_id", "upload_id", "kind"]
    )
    op.create_foreign_key(_KEY_OF_ACCOUNT, "ledger_entries", "ledger_accounts", ["account_id"], ["id"])
    op.drop_index("ix_ledger_entries_account_id", table_name="ledger_entries")
    op.drop_index("uq_ledger_entries_step", table_name="ledger_entries")


def _index_unfolded(name: str, columns: list[str], condition: str) -> None:
    op.create_index(name, "ledger_entries", columns, postgresql_where=sa.text(condition))
