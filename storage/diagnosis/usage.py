"""Whether usage adds up: its sums against the uploads and reports that they count, computed anew, to the byte."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from storage.tables.usage.sums import DIMENSIONS, MEASURES
from storage.usage.folding import OLDEST_HOUR
from storage.usage.reported import COUNTED, OF_A_VERSION
from storage.usage.shares import RECEIVED, STORED

_OF_STORED = ("clips", "campaign_clips", "version_clips", "trigger_clips", "kept_fires", "clip_bytes")
_OF_UPLOADS = (*_OF_STORED, "wire_bytes")
_OF_REPORTS = ("fires", *OF_A_VERSION)
_WITHOUT_PLACE = tuple(name for name in DIMENSIONS if name not in ("region", "model"))
"""Uploads and counts of erased vehicles have neither, but are still in the sums: without region and model everything is
equal. With them no sum over uploads is less than what is known. Sums over reports may be, as a vehicle that lost its
journal reports less than before, perhaps elsewhere: they are equal where no vehicle is erased."""


def _sums(names: Sequence[str], table: str = "") -> str:
    return ", ".join(f"sum({table}{name}) AS {name}" for name in names)


def _moment(column: str) -> str:
    """Hours, and for those whose sums are deleted by now their days."""
    return f"CASE WHEN {column} >= {OLDEST_HOUR} THEN {column} ELSE date_trunc('day', {column}, 'UTC') END"


_D, _M = ", ".join(DIMENSIONS), ", ".join(MEASURES)
_KEPT = f"""
    SELECT hour AS moment, {_D}, {_M} FROM usage_hours JOIN usage_series s ON s.id = series_id
    WHERE hour >= {OLDEST_HOUR}
    UNION ALL
    SELECT day, {_D}, {_M} FROM usage_days JOIN usage_series s ON s.id = series_id WHERE day < {OLDEST_HOUR}
    UNION ALL
    SELECT {_moment("hour")}, {_D}, {_M} FROM usage_increments"""  # noqa: S608 - put together from constants
_OF_ALL_UPLOADS = f"""
    SELECT {_moment("hour")} AS moment, {_D}, {", ".join(_OF_STORED)}, 0 AS wire_bytes
    FROM ({STORED} WHERE u.state = 'stored') stored
    UNION ALL
    SELECT {_moment("hour")}, {_D}, {", ".join("0" for _ in _OF_STORED)}, wire_bytes
    FROM ({RECEIVED}) received"""  # noqa: S608 - put together from constants
_OF_ALL_REPORTS = f"""
    SELECT campaign, version, trigger, region, model, '' AS network, {", ".join(_OF_REPORTS)}
    FROM ({COUNTED}) counted JOIN vehicles v ON v.id = vehicle_id
    WHERE v.counts_voided_at IS NULL"""  # noqa: S608 - put together from constants


def _differences(kept: str, computed: str, keys: Sequence[str], measures: Sequence[str], *, may_fall: bool) -> str:
    """The SQL of the groups whose sums differ from those computed; `keys` have neither region nor model."""
    equal, places = _compared(keys, measures, "IS DISTINCT FROM"), (*keys, "region", "model")
    if may_fall:
        names = ", ".join(keys)
        erased = f"SELECT {names} FROM computed WHERE region IS NULL OR model IS NULL"  # noqa: S608 - constants
        in_place = _compared(places, measures, "IS DISTINCT FROM", f"WHERE ({names}) NOT IN ({erased})", of_both=True)
    else:
        in_place = _compared(places, measures, "<", "WHERE region IS NOT NULL AND model IS NOT NULL")
    return f"""
        WITH kept AS MATERIALIZED ({kept}), computed AS MATERIALIZED ({computed})
        {equal} UNION ALL {in_place} LIMIT :limit
    """


def _compared(
    keys: Sequence[str], measures: Sequence[str], relation: str, condition: str = "", *, of_both: bool = False
) -> str:
    """`condition` is of the computed rows, or `of_both` sides."""
    names, sums = ", ".join(keys), _sums(measures)
    sides = [", ".join(f"coalesce({side}.{name}, 0)" for name in measures) for side in ("k", "c")]
    wrong = " OR ".join(f"coalesce(k.{name}, 0) {relation} coalesce(c.{name}, 0)" for name in measures)
    return f"""
        (SELECT jsonb_build_array({names})::text AS place, jsonb_build_array({sides[0]})::text AS kept,
            jsonb_build_array({sides[1]})::text AS computed
        FROM (SELECT {names}, {sums} FROM kept {condition if of_both else ""} GROUP BY {names}) k
        FULL JOIN (SELECT {names}, {sums} FROM computed {condition} GROUP BY {names}) c USING ({names})
        WHERE {wrong})"""  # noqa: S608 - put together from constants


_UPLOADS_OFF = text(_differences(_KEPT, _OF_ALL_UPLOADS, ("moment", *_WITHOUT_PLACE), _OF_UPLOADS, may_fall=False))
_REPORTS_OFF = text(
    _differences(
        f"SELECT {_D}, {_M} FROM usage_days JOIN usage_series s ON s.id = series_id"  # noqa: S608 - constants
        f" UNION ALL SELECT {_D}, {_M} FROM usage_increments",
        _OF_ALL_REPORTS,
        _WITHOUT_PLACE,
        _OF_REPORTS,
        may_fall=True,
    )
)
_DAYS_OFF = text(f"""
    SELECT jsonb_build_array(day, {_D})::text AS place, to_jsonb(d)::text AS kept, to_jsonb(h)::text AS computed
    FROM (SELECT series_id, day, {_M} FROM usage_days WHERE day >= {OLDEST_HOUR}) d
    FULL JOIN (
        SELECT series_id, date_trunc('day', hour, 'UTC') AS day, {_sums(MEASURES)}
        FROM usage_hours WHERE hour >= {OLDEST_HOUR} GROUP BY 1, 2
    ) h USING (series_id, day)
    JOIN usage_series s ON s.id = series_id
    WHERE to_jsonb(d) IS DISTINCT FROM to_jsonb(h)
    LIMIT :limit
""")  # noqa: S608 - put together from the constants above
_SHARES_OFF = text("""
    SELECT jsonb_build_array(c.id)::text AS place, u.shares::text AS kept, f.shares::text AS computed
    FROM clips c JOIN uploads u ON u.id = c.upload_id
    LEFT JOIN LATERAL (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'campaign', campaign, 'version', version, 'trigger', trigger, 'fires', fires, 'bytes', bytes,
            'end', end_bytes, 'first', first
        ) ORDER BY place), '[]') AS shares
        FROM (
            SELECT *, sum(bytes) OVER (ORDER BY place) AS end_bytes,
                CASE WHEN place = 1 THEN 3
                    WHEN row_number() OVER (PARTITION BY campaign ORDER BY place) = 1 THEN 2
                    WHEN row_number() OVER (PARTITION BY campaign, version ORDER BY place) = 1 THEN 1
                    ELSE 0 END AS first
            FROM (
                SELECT campaign, version, trigger, count(*) AS fires, sum(charged_bytes) AS bytes,
                    row_number() OVER (ORDER BY campaign COLLATE "C", version, trigger COLLATE "C") AS place
                FROM clip_fires WHERE clip_id = c.id GROUP BY 1, 2, 3
            ) by_trigger
        ) shares
    ) f ON true
    WHERE u.shares IS DISTINCT FROM f.shares
    LIMIT :limit
""")
_CHECKS = (
    ("sums over uploads", _UPLOADS_OFF),
    ("sums over reports", _REPORTS_OFF),
    ("sums by day and by hour", _DAYS_OFF),
    ("shares of clips", _SHARES_OFF),
)


def usage_that_differs(connection: Connection, *, limit: int = 10) -> list[str]:
    """Sentences on at most `limit` sums of each kind that are not those of what they count; each kind is of one moment.

    Clips are counted from their uploads, which outlive them, and those that are there once more from their fires.
    """
    return [
        f"{what} {row.place} are {row.kept}, but {row.computed} follow from what they count"
        for what, statement in _CHECKS
        for row in connection.execute(statement, {"limit": limit})
    ]
