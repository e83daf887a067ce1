"""A reservation finds the account of a vehicle's day by the index, however many days are kept."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0071"
down_revision: str | None = "0066"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RESERVE_UPLOAD = """
    CREATE OR REPLACE FUNCTION reserve_upload(upload text, asked jsonb) RETURNS jsonb LANGUAGE plpgsql
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
    has_own boolean;
    refused jsonb;
BEGIN
    -- Until the transaction ends, nobody sets a limit, and no other version of a campaign begins.
    PERFORM pg_advisory_xact_lock_shared(119182731994482);
    LOOP
        WITH
    limits AS (
        SELECT campaign, budget, triggers, priority,
            CAST(budget ->> 'vehicle_day_bytes' AS bigint) AS vehicle_day_bytes,
            CAST(budget ->> 'vehicle_day_clips' AS bigint) AS vehicle_day_clips,
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
            SELECT DISTINCT ON (campaign) campaign, budget, own_budgets AS triggers, priority
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
            SELECT kind, campaign, '' AS trigger, vehicle_id, '' AS cost_centre, day, month, unit, amount
            FROM asked_for
            UNION ALL
            SELECT 'campaign_vehicle_day_clips', campaign, '', asked ->> 'vehicle_id', '',
                CAST(asked ->> 'day' AS date), NULL, 'clips', 1
            FROM limits WHERE vehicle_day_clips IS NOT NULL
            UNION ALL
            SELECT 'cost_centre_month', '', '', '', o.cost_centre, NULL,
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
            END),
            coalesce(bool_or(l.triggers IS NOT NULL), false)
        INTO ids, amounts, limit_amounts, missing, has_own
        FROM wanted w
        LEFT JOIN LATERAL (
            SELECT a.id, a.kind, a.campaign, a.trigger, a.cost_centre FROM ledger_accounts a
            WHERE a.kind = w.kind AND a.campaign = w.campaign AND a.trigger = w.trigger AND a.vehicle_id = w.vehicle_id
                AND a.cost_centre = w.cost_centre AND a.network = ''
                AND a.day = w.day AND a.month IS NULL
            UNION ALL
            SELECT a.id, a.kind, a.campaign, a.trigger, a.cost_centre FROM ledger_accounts a
            WHERE a.kind = w.kind AND a.campaign = w.campaign AND a.trigger = w.trigger AND a.vehicle_id = w.vehicle_id
                AND a.cost_centre = w.cost_centre AND a.network = ''
                AND w.day IS NULL AND a.day IS NULL AND a.month = w.month
            UNION ALL
            SELECT a.id, a.kind, a.campaign, a.trigger, a.cost_centre FROM ledger_accounts a
            WHERE a.kind = w.kind AND a.campaign = w.campaign AND a.trigger = w.trigger AND a.vehicle_id = w.vehicle_id
                AND a.cost_centre = w.cost_centre AND a.network = ''
                AND w.day IS NULL AND a.day IS NULL AND w.month IS NULL AND a.month IS NULL
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
        WHEN 'campaign_vehicle_day_clips' THEN l.vehicle_day_clips
    END * CASE WHEN a.kind IN ('fleet','fleet_month') THEN (SELECT share FROM open_part) ELSE 1 END)
        AS bigint) AS limit_amount OFFSET 0) v;
        -- Few campaigns have triggers with budgets of their own; for the others, this costs nothing.
        IF has_own THEN
            WITH
    limits AS (
        SELECT campaign, budget, triggers, priority,
            CAST(budget ->> 'vehicle_day_bytes' AS bigint) AS vehicle_day_bytes,
            CAST(budget ->> 'vehicle_day_clips' AS bigint) AS vehicle_day_clips,
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
            SELECT DISTINCT ON (campaign) campaign, budget, own_budgets AS triggers, priority
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
    own_limits AS (
        SELECT k.kind, l.campaign, t.value ->> 'name' AS trigger, k.unit, k.of_vehicle, k.of_day, given.amount AS given,
            CASE WHEN k.total IS NULL THEN given.amount
                WHEN k.of_vehicle THEN CAST(ceil(total.amount * least(1, greatest(
            CAST(vehicle_share AS numeric), 2.0 / greatest(1, l.vehicles)
        ))) AS bigint)
                ELSE total.amount
            END AS limit_amount
        FROM limits l
        CROSS JOIN LATERAL jsonb_array_elements(l.triggers) AS t (value)
        CROSS JOIN (VALUES
            ('trigger_bytes', 'bytes', 'total_bytes', 'trigger_bytes', false, false),
            ('trigger_clips', 'clips', 'clips', 'trigger_clips', false, false),
            ('trigger_vehicle_bytes', 'bytes', 'total_bytes', 'trigger_bytes', true, false),
            ('trigger_vehicle_clips', 'clips', 'clips', 'trigger_clips', true, false),
            ('trigger_vehicle_day', 'bytes', 'vehicle_day_bytes', NULL, true, true),
            ('trigger_vehicle_day_clips', 'clips', 'vehicle_day_clips', NULL, true, true)
        ) AS k (kind, unit, member, total, of_vehicle, of_day)
        CROSS JOIN LATERAL (SELECT CAST(t.value -> 'budget' ->> k.member AS bigint)) AS given (amount)
        CROSS JOIN LATERAL (SELECT least(given.amount, (
            SELECT b.amount FROM budget_limits b
            WHERE b.kind = k.total AND b.name = l.campaign || '.' || (t.value ->> 'name')
        ))) AS total (amount)
        WHERE given.amount IS NOT NULL
    ),
        wanted_of_triggers AS (
            SELECT o.kind, o.campaign, o.trigger, CASE WHEN o.of_vehicle THEN asked ->> 'vehicle_id' ELSE '' END
                AS vehicle_id, '' AS cost_centre,
                CASE WHEN o.of_day THEN CAST(asked ->> 'day' AS date) END AS day, CAST(NULL AS date) AS month, o.unit,
                CASE o.unit WHEN 'clips' THEN 1 ELSE w.amount END AS amount, o.limit_amount
            FROM jsonb_to_recordset(asked -> 'triggers') AS w (campaign text, trigger text, amount bigint)
            JOIN own_limits o ON o.campaign = w.campaign AND o.trigger = w.trigger
        )
            SELECT ids || array_agg(a.id) FILTER (WHERE a.id IS NOT NULL),
                amounts || array_agg(w.amount) FILTER (WHERE a.id IS NOT NULL),
                limit_amounts || array_agg(w.limit_amount) FILTER (WHERE a.id IS NOT NULL),
                missing + count(*) FILTER (WHERE a.id IS NULL)
            INTO ids, amounts, limit_amounts, missing
            FROM wanted_of_triggers w
            LEFT JOIN LATERAL (
            SELECT a.id, a.kind, a.campaign, a.trigger, a.cost_centre FROM ledger_accounts a
            WHERE a.kind = w.kind AND a.campaign = w.campaign AND a.trigger = w.trigger AND a.vehicle_id = w.vehicle_id
                AND a.cost_centre = w.cost_centre AND a.network = ''
                AND a.day = w.day AND a.month IS NULL
            UNION ALL
            SELECT a.id, a.kind, a.campaign, a.trigger, a.cost_centre FROM ledger_accounts a
            WHERE a.kind = w.kind AND a.campaign = w.campaign AND a.trigger = w.trigger AND a.vehicle_id = w.vehicle_id
                AND a.cost_centre = w.cost_centre AND a.network = ''
                AND w.day IS NULL AND a.day IS NULL AND a.month = w.month
            UNION ALL
            SELECT a.id, a.kind, a.campaign, a.trigger, a.cost_centre FROM ledger_accounts a
            WHERE a.kind = w.kind AND a.campaign = w.campaign AND a.trigger = w.trigger AND a.vehicle_id = w.vehicle_id
                AND a.cost_centre = w.cost_centre AND a.network = ''
                AND w.day IS NULL AND a.day IS NULL AND w.month IS NULL AND a.month IS NULL
            LIMIT 1
        ) a ON true;
        END IF;
        EXIT WHEN missing = 0;
        WITH
    limits AS (
        SELECT campaign, budget, triggers, priority,
            CAST(budget ->> 'vehicle_day_bytes' AS bigint) AS vehicle_day_bytes,
            CAST(budget ->> 'vehicle_day_clips' AS bigint) AS vehicle_day_clips,
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
            SELECT DISTINCT ON (campaign) campaign, budget, own_budgets AS triggers, priority
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
    own_limits AS (
        SELECT k.kind, l.campaign, t.value ->> 'name' AS trigger, k.unit, k.of_vehicle, k.of_day, given.amount AS given,
            CASE WHEN k.total IS NULL THEN given.amount
                WHEN k.of_vehicle THEN CAST(ceil(total.amount * least(1, greatest(
            CAST(vehicle_share AS numeric), 2.0 / greatest(1, l.vehicles)
        ))) AS bigint)
                ELSE total.amount
            END AS limit_amount
        FROM limits l
        CROSS JOIN LATERAL jsonb_array_elements(l.triggers) AS t (value)
        CROSS JOIN (VALUES
            ('trigger_bytes', 'bytes', 'total_bytes', 'trigger_bytes', false, false),
            ('trigger_clips', 'clips', 'clips', 'trigger_clips', false, false),
            ('trigger_vehicle_bytes', 'bytes', 'total_bytes', 'trigger_bytes', true, false),
            ('trigger_vehicle_clips', 'clips', 'clips', 'trigger_clips', true, false),
            ('trigger_vehicle_day', 'bytes', 'vehicle_day_bytes', NULL, true, true),
            ('trigger_vehicle_day_clips', 'clips', 'vehicle_day_clips', NULL, true, true)
        ) AS k (kind, unit, member, total, of_vehicle, of_day)
        CROSS JOIN LATERAL (SELECT CAST(t.value -> 'budget' ->> k.member AS bigint)) AS given (amount)
        CROSS JOIN LATERAL (SELECT least(given.amount, (
            SELECT b.amount FROM budget_limits b
            WHERE b.kind = k.total AND b.name = l.campaign || '.' || (t.value ->> 'name')
        ))) AS total (amount)
        WHERE given.amount IS NOT NULL
    ),
        asked_for AS (
            SELECT * FROM jsonb_to_recordset(asked -> 'accounts') AS w (
                kind text, campaign text, vehicle_id text, day date, month date, unit text, amount bigint
            )
        ),
        wanted AS (
            SELECT kind, campaign, '' AS trigger, vehicle_id, '' AS cost_centre, day, month, unit, amount
            FROM asked_for
            UNION ALL
            SELECT 'campaign_vehicle_day_clips', campaign, '', asked ->> 'vehicle_id', '',
                CAST(asked ->> 'day' AS date), NULL, 'clips', 1
            FROM limits WHERE vehicle_day_clips IS NOT NULL
            UNION ALL
            SELECT 'cost_centre_month', '', '', '', o.cost_centre, NULL,
                CAST(coalesce(asked -> 'months' ->> b.zone, asked ->> 'month') AS date), 'bytes',
                CAST(sum(w.amount) AS bigint)
            FROM asked_for w
            JOIN campaign_owners o ON o.campaign = w.campaign AND o.cost_centre <> ''
            LEFT JOIN budget_limits b ON b.kind = 'cost_centre_month' AND b.name = o.cost_centre
            WHERE w.kind = 'campaign_bytes'
            GROUP BY o.cost_centre, b.zone
        ),
        wanted_of_triggers AS (
            SELECT o.kind, o.campaign, o.trigger, CASE WHEN o.of_vehicle THEN asked ->> 'vehicle_id' ELSE '' END
                AS vehicle_id, '' AS cost_centre,
                CASE WHEN o.of_day THEN CAST(asked ->> 'day' AS date) END AS day, CAST(NULL AS date) AS month, o.unit,
                CASE o.unit WHEN 'clips' THEN 1 ELSE w.amount END AS amount, o.limit_amount
            FROM jsonb_to_recordset(asked -> 'triggers') AS w (campaign text, trigger text, amount bigint)
            JOIN own_limits o ON o.campaign = w.campaign AND o.trigger = w.trigger
        )
        INSERT INTO ledger_accounts (kind, campaign, trigger, vehicle_id, cost_centre, day, month, unit)
        SELECT w.kind, w.campaign, w.trigger, w.vehicle_id, w.cost_centre, w.day, w.month, w.unit
        FROM (
            SELECT kind, campaign, trigger, vehicle_id, cost_centre, day, month, unit FROM wanted
            UNION ALL
            SELECT kind, campaign, trigger, vehicle_id, cost_centre, day, month, unit FROM wanted_of_triggers
        ) w
        LEFT JOIN limits l ON l.campaign = w.campaign
        WHERE CASE w.kind
                WHEN 'campaign_vehicle_bytes' THEN l.total_bytes IS NOT NULL
                WHEN 'campaign_vehicle_clips' THEN l.clips IS NOT NULL
                ELSE true
            END
        ORDER BY kind, campaign, trigger, vehicle_id, cost_centre, day, month
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
        SELECT a.id, a.kind, a.campaign, a.trigger, a.vehicle_id, a.cost_centre, a.day, a.month, t.amount,
            t.limit_amount,
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
        SELECT campaign, budget, triggers, priority,
            CAST(budget ->> 'vehicle_day_bytes' AS bigint) AS vehicle_day_bytes,
            CAST(budget ->> 'vehicle_day_clips' AS bigint) AS vehicle_day_clips,
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
            SELECT DISTINCT ON (campaign) campaign, budget, own_budgets AS triggers, priority
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
    _replace_function(_RESERVE_UPLOAD)


def downgrade() -> None:
    """Revert."""
    _replace_function(op.get_context().opts["script"].get_revision("0066").module._RESERVE_UPLOAD)


def _replace_function(definition: str) -> None:
    connection = op.get_bind()
    schema = connection.execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    connection.exec_driver_sql(definition.replace("{schema}", schema))
