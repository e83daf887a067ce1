"""The database function that reserves: accounts are found, locked, checked and changed in one round trip.

Migrations create it. `CREATE` is what it has to be by the rules in `limits`, and a test compares it with the function
that the newest migration made: a rule that changes needs a migration.

Each of its statements has a snapshot of its own (READ COMMITTED), so what is checked and changed is read when the locks
are held. With an older snapshot, the update would meet row versions that other reservations queue at, and those wait
for this transaction: a deadlock.
"""

from __future__ import annotations

import re

from storage.ledger.limits import LIMIT_OF_ACCOUNT, LIMITS, LIMITS_LOCK, OWN_LIMITS

_WANTED = """
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
        )"""

_WANTED_OF_TRIGGERS = """
        wanted_of_triggers AS (
            SELECT o.kind, o.campaign, o.trigger, CASE WHEN o.of_vehicle THEN asked ->> 'vehicle_id' ELSE '' END
                AS vehicle_id, '' AS cost_centre,
                CASE WHEN o.of_day THEN CAST(asked ->> 'day' AS date) END AS day, CAST(NULL AS date) AS month, o.unit,
                CASE o.unit WHEN 'clips' THEN 1 ELSE w.amount END AS amount, o.limit_amount
            FROM jsonb_to_recordset(asked -> 'triggers') AS w (campaign text, trigger text, amount bigint)
            JOIN own_limits o ON o.campaign = w.campaign AND o.trigger = w.trigger
        )"""

# A vehicle's share of a total is counted where that is limited, and where it once was.
_IS_OPENED = """CASE w.kind
                WHEN 'campaign_vehicle_bytes' THEN l.total_bytes IS NOT NULL
                WHEN 'campaign_vehicle_clips' THEN l.clips IS NOT NULL
                ELSE true
            END"""

_WITH_KEY = """SELECT a.id, a.kind, a.campaign, a.trigger, a.cost_centre FROM ledger_accounts a
            WHERE a.kind = w.kind AND a.campaign = w.campaign AND a.trigger = w.trigger AND a.vehicle_id = w.vehicle_id
                AND a.cost_centre = w.cost_centre AND a.network = ''"""
# Of a day, of a month, or of neither, apart from each other: `IS NOT DISTINCT FROM` would not be asked of the index,
# and a vehicle has an account for each day that is kept.
_ACCOUNT = f"""LEFT JOIN LATERAL (
            {_WITH_KEY}
                AND a.day = w.day AND a.month IS NULL
            UNION ALL
            {_WITH_KEY}
                AND w.day IS NULL AND a.day IS NULL AND a.month = w.month
            UNION ALL
            {_WITH_KEY}
                AND w.day IS NULL AND a.day IS NULL AND w.month IS NULL AND a.month IS NULL
            LIMIT 1
        ) a ON true"""
_KEY = "kind, campaign, trigger, vehicle_id, cost_centre, day, month, unit"

_BODY = f"""
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
    PERFORM pg_advisory_xact_lock_shared({LIMITS_LOCK});
    LOOP
        WITH {LIMITS},{_WANTED}
        SELECT array_agg(a.id ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL),
            array_agg(w.amount ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL),
            array_agg(v.limit_amount ORDER BY a.id) FILTER (WHERE a.id IS NOT NULL),
            count(*) FILTER (WHERE a.id IS NULL AND {_IS_OPENED}),
            coalesce(bool_or(l.triggers IS NOT NULL), false)
        INTO ids, amounts, limit_amounts, missing, has_own
        FROM wanted w
        {_ACCOUNT}
        LEFT JOIN limits l ON l.campaign = w.campaign
        CROSS JOIN LATERAL (SELECT {LIMIT_OF_ACCOUNT} AS limit_amount OFFSET 0) v;
        -- Few campaigns have triggers with budgets of their own; for the others, this costs nothing.
        IF has_own THEN
            WITH {LIMITS},{OWN_LIMITS},{_WANTED_OF_TRIGGERS}
            SELECT ids || array_agg(a.id) FILTER (WHERE a.id IS NOT NULL),
                amounts || array_agg(w.amount) FILTER (WHERE a.id IS NOT NULL),
                limit_amounts || array_agg(w.limit_amount) FILTER (WHERE a.id IS NOT NULL),
                missing + count(*) FILTER (WHERE a.id IS NULL)
            INTO ids, amounts, limit_amounts, missing
            FROM wanted_of_triggers w
            {_ACCOUNT};
        END IF;
        EXIT WHEN missing = 0;
        WITH {LIMITS},{OWN_LIMITS},{_WANTED},{_WANTED_OF_TRIGGERS}
        INSERT INTO ledger_accounts ({_KEY})
        SELECT w.kind, w.campaign, w.trigger, w.vehicle_id, w.cost_centre, w.day, w.month, w.unit
        FROM (
            SELECT {_KEY} FROM wanted
            UNION ALL
            SELECT {_KEY} FROM wanted_of_triggers
        ) w
        LEFT JOIN limits l ON l.campaign = w.campaign
        WHERE {_IS_OPENED}
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
        WITH {LIMITS}
        SELECT jsonb_build_object('accounts', refused, 'preferred', (
            SELECT coalesce(jsonb_agg(campaign), '[]') FROM limits WHERE priority >= reserve_priority
        ))
    );
END
"""  # noqa: S608 - put together from constants

BODY = re.sub(r" +$", "", re.sub(r":(\w+)", r"\1", _BODY), flags=re.MULTILINE)
"""The parameters of `limits` are variables of the function."""

# Planned once per connection instead of every time: the number of accounts does not decide on the plans. Tables may be
# empty then, so the plans are those for large ones: each row by its index. It has the owner's rights, since a refusal
# takes back the entries of this call, which no process may do by itself.
CREATE = f"""
    CREATE FUNCTION reserve_upload(upload text, asked jsonb) RETURNS jsonb LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = {{schema}}, pg_temp SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $${BODY}$$
"""
"""`schema` is the name of the schema, quoted."""
