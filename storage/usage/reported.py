"""Increments of usage by vehicles' reports: what their counts have grown by since the report before.

Counts are cumulative, and of reports that come late, twice or in another order only newer ones are kept
(`storage.vehicles.telemetry`). An increment is the difference between the counts that are replaced and those that
replace them, in the hour in which the report came, so the sums over all hours are the counts that are kept.

Region and model are the vehicle's at the time of the report. When they change, what was counted under the former ones
stays there: the row of counts remembers it as `elsewhere`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, text, tuple_

from storage.rows import rows_json
from storage.tables import fire_counts, vehicles
from triggers.assignment.given import Version
from triggers.contracts.checkin import FireCounts

_c = fire_counts.c
_BY_REASON = ("refused", "dropped", "failed")
"""Reported by reason; usage has their sums."""
OF_A_VERSION = ("suppressed", "sampled_out", *_BY_REASON, "armed_ns", "distance_m")
"""Reported for a campaign version as a whole; fires are reported by trigger."""
_M = ", ".join(OF_A_VERSION)
_NUMERIC = ", ".join(f"{name} numeric" for name in OF_A_VERSION)
_GROWTH = text(f"""
    INSERT INTO usage_increments (hour, campaign, version, trigger, region, model, network, fires, {_M})
    SELECT date_trunc('hour', now(), 'UTC'), r.campaign, r.version, r.trigger, :region, :model, '', r.fires, {_M}
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (
        campaign text, version integer, trigger text, fires numeric, {_NUMERIC}
    )
""")  # noqa: S608 - put together from the constants above


@dataclass(frozen=True, slots=True)
class Reporting:
    """A vehicle whose counts this transaction changes: where they are counted, if at all, and what is kept of them."""

    region: str
    model: str
    voided: bool
    kept: Mapping[Version, Mapping[str, Any]]

    def place(self, counts: FireCounts) -> dict[str, Any]:
        """The columns that newer counts of a version get beside the counts themselves."""
        here = {"region": self.region, "model": self.model}
        kept = self.kept.get((counts.campaign, counts.version))
        if kept is None:
            return {**here, "elsewhere": []}
        if (kept["region"], kept["model"]) == (self.region, self.model):
            return {**here, "elsewhere": kept["elsewhere"]}
        return {**here, "elsewhere": [*kept["elsewhere"], _counted_there(kept)]}


def _counted_there(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What counts were counted under their row's region and model: all but what was counted elsewhere before."""
    fires = Counter(kept["per_trigger"])
    numbers = {name: _number(kept[name]) for name in OF_A_VERSION}
    for earlier in kept["elsewhere"]:
        fires.subtract(earlier["per_trigger"])
        numbers = {name: number - earlier.get(name, 0) for name, number in numbers.items()}  # of before it was counted
    return {"region": kept["region"], "model": kept["model"], "per_trigger": dict(fires), **numbers}


def _number(count: int | Mapping[str, int]) -> int:
    """A count, or the sum of one by reason."""
    return count if isinstance(count, int) else sum(count.values())


def counted_where(connection: Connection, vehicle_id: str, versions: Sequence[Version]) -> Reporting:
    """Lock a vehicle, so that its reports come one after the other; returns what is kept of these versions."""
    v = vehicles.c
    region, model = (v.attributes[name].astext for name in ("region", "model"))
    locked = select(region, model, v.counts_voided_at).where(v.id == vehicle_id)
    row = connection.execute(locked.with_for_update(key_share=True)).one_or_none()
    names = ("campaign", "version", "region", "model", "elsewhere", "per_trigger", *OF_A_VERSION)
    of_these = tuple_(_c.campaign, _c.version).in_(list(versions))
    query = select(*(_c[name] for name in names)).where(_c.vehicle_id == vehicle_id, of_these)
    kept = connection.execute(query).mappings()
    return Reporting(
        region=(row and row[0]) or "",
        model=(row and row[1]) or "",
        voided=row is not None and row[2] is not None,
        kept={(each["campaign"], each["version"]): dict(each) for each in kept},
    )


def add_reported(connection: Connection, reporting: Reporting, newer: Sequence[FireCounts]) -> None:
    """Count by how much these counts, which have replaced those that were kept, differ from them."""
    if reporting.voided:
        return  # in no sum until they are restored
    rows = [
        {"campaign": counts.campaign, "version": counts.version, **grown}
        for counts in newer
        for grown in _growth(counts, reporting.kept.get((counts.campaign, counts.version)))
    ]
    if rows:
        place = {"region": reporting.region, "model": reporting.model}
        connection.execute(_GROWTH, {"rows": rows_json(rows), **place})


def _growth(counts: FireCounts, kept: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    before = kept or {"per_trigger": {}, **dict.fromkeys(OF_A_VERSION, 0)}
    fires = Counter(counts.per_trigger)
    fires.subtract(before["per_trigger"])
    none = dict.fromkeys(("fires", *OF_A_VERSION), 0)
    of_version = {name: _number(getattr(counts, name)) - _number(before[name]) for name in OF_A_VERSION}
    grown = [{**none, "trigger": trigger, "fires": number} for trigger, number in sorted(fires.items()) if number]
    return [*grown, {**none, "trigger": "", **of_version}] if any(of_version.values()) else grown


def _counted(name: str) -> str:
    """A count of a row of `fire_counts c` in SQL."""
    reasons = f"(SELECT coalesce(sum(CAST(value AS bigint)), 0) FROM jsonb_each_text(c.{name}))"  # noqa: S608 - a name
    return f"{reasons if name in _BY_REASON else f'c.{name}'} AS {name}"


COUNTED = f"""
    SELECT c.vehicle_id, c.campaign, c.version, t.trigger, p.region, p.model, p.sign * t.fires AS fires,
        {", ".join(f"p.sign * t.{name} AS {name}" for name in OF_A_VERSION)}
    FROM fire_counts c
    CROSS JOIN LATERAL (
        SELECT c.region, c.model, 1 AS sign, c.per_trigger, {", ".join(map(_counted, OF_A_VERSION))}
        UNION ALL
        SELECT s.region, s.model, s.sign, e.per_trigger, {", ".join(f"coalesce(e.{name}, 0)" for name in OF_A_VERSION)}
        FROM jsonb_to_recordset(c.elsewhere) AS e (
            region text, model text, per_trigger jsonb, {", ".join(f"{name} bigint" for name in OF_A_VERSION)}
        )
        CROSS JOIN LATERAL (VALUES (c.region, c.model, -1), (e.region, e.model, 1)) AS s (region, model, sign)
    ) p
    CROSS JOIN LATERAL (
        SELECT '' AS trigger, 0 AS fires, {", ".join(f"p.{name}" for name in OF_A_VERSION)}
        UNION ALL
        SELECT key, CAST(value AS bigint), {", ".join("0" for _ in OF_A_VERSION)} FROM jsonb_each_text(p.per_trigger)
    ) t"""  # noqa: S608 - put together from the constants above
"""What all vehicles' counts have counted, by vehicle and by where it is counted; to be summed. Where a vehicle was
before some of it was counted, `elsewhere` lacks that: it is counted where the vehicle was then."""

_CORRECT = text(f"""
    INSERT INTO usage_increments (hour, campaign, version, trigger, region, model, network, fires, {_M})
    SELECT date_trunc('hour', now(), 'UTC'), campaign, version, trigger, coalesce(region, ''), coalesce(model, ''), '',
        :sign * sum(fires), {", ".join(f":sign * sum({name})" for name in OF_A_VERSION)}
    FROM ({COUNTED}) counted WHERE vehicle_id = :vehicle
    GROUP BY campaign, version, trigger, coalesce(region, ''), coalesce(model, '')
""")  # noqa: S608 - put together from the constants above


def void_reported(connection: Connection, vehicle_id: str) -> None:
    """Take all that a vehicle has reported out of usage: as a correction in the hour of this moment.

    The transaction has locked the vehicle, and says that its counts are in no sum.
    """
    connection.execute(_CORRECT, {"vehicle": vehicle_id, "sign": -1})


def restore_reported(connection: Connection, vehicle_id: str) -> None:
    """Have all that a vehicle has reported in usage again; the opposite of `void_reported`."""
    connection.execute(_CORRECT, {"vehicle": vehicle_id, "sign": 1})


_DROP = text("""
    INSERT INTO usage_increments (hour, campaign, version, trigger, region, model, network, dropped)
    SELECT date_trunc('hour', now(), 'UTC'), c.campaign, c.version, '', coalesce(c.region, ''), coalesce(c.model, ''),
        '', r.fires
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (campaign text, version integer, fires bigint)
    JOIN fire_counts c ON c.vehicle_id = :vehicle AND c.campaign = r.campaign AND c.version = r.version
    JOIN vehicles v ON v.id = c.vehicle_id
    WHERE v.counts_voided_at IS NULL
""")


def add_dropped(connection: Connection, vehicle_id: str, fires: Mapping[Version, int]) -> None:
    """Count fires that a vehicle will report nothing of any more, which its counts have as dropped by now."""
    rows = [{"campaign": name, "version": number, "fires": lost} for (name, number), lost in fires.items() if lost]
    if rows:
        connection.execute(_DROP, {"vehicle": vehicle_id, "rows": rows_json(rows)})
