"""Sums over vehicles of what was counted, from which rates and their intervals are computed.

All in SQL and in exact numbers: a fleet has a million vehicles. Each part of a vehicle's counts weighs the inverse of
the share of the fleet that was admitted (`triggers.statistics.fleet_rates`). Vehicles whose counts are voided are in no
sum, erased ones stay in it under their random ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Row, TextClause, text

from triggers.assignment.given import Version
from triggers.contracts.compared import EventCounts, Sides
from triggers.errors import Conflict
from triggers.statistics.fleet_rates import Exact, VehicleSums

MAX_LABELS = 1_000
"""Of a component of vehicles' software: so many versions of it are told apart in one answer."""

# A vehicle that has no software of this name is under ''. Weights are of 16 digits, the same in every sum.
_PARTS = """
    parts AS (
        SELECT p.vehicle_id, p.campaign, p.version, 1 / CAST(p.share AS numeric) AS weight,
            CASE WHEN CAST(:component AS text) IS NULL THEN ''
                ELSE coalesce(p.software ->> CAST(:component AS text), '') END AS label,
            p.armed_ns, p.distance_m, p.fires, p.pairs, p.events
        FROM count_parts p
        JOIN unnest(CAST(:campaigns AS text[]), CAST(:versions AS integer[])) AS w (campaign, version)
            ON w.campaign = p.campaign AND w.version = p.version
        JOIN vehicles v ON v.id = p.vehicle_id
        WHERE v.counts_voided_at IS NULL
            AND (CAST(:labels AS text[]) IS NULL
                OR coalesce(p.software ->> CAST(:component AS text), '') = ANY (CAST(:labels AS text[])))
    )"""

_LABELS = text(f"""
    WITH {_PARTS} SELECT count(*) FROM (SELECT DISTINCT label FROM parts LIMIT :limit) AS found
""")  # noqa: S608 - put together from the constant above

_SOME_LABELS = text(f"""
    WITH {_PARTS} SELECT DISTINCT label FROM parts WHERE label <> '' ORDER BY label LIMIT :limit
""")  # noqa: S608 - put together from the constant above

_EXPOSED = """
    exposed AS (
        SELECT campaign, version, label, vehicle_id, sum(armed_ns) AS armed_ns, sum(distance_m) AS distance_m,
            sum(weight * armed_ns) AS time, sum(weight * distance_m) AS way, max(weight) AS weight
        FROM parts GROUP BY campaign, version, label, vehicle_id
    )"""

_EXPOSURES = text(f"""
    WITH {_PARTS}, {_EXPOSED}
    SELECT campaign, version, label, sum(armed_ns) AS armed_ns, sum(distance_m) AS distance_m, max(weight) AS weight,
        count(*) FILTER (WHERE time > 0) AS vehicles_time, sum(time) AS time, sum(time * time) AS time_squares,
        count(*) FILTER (WHERE way > 0) AS vehicles_way, sum(way) AS way, sum(way * way) AS way_squares
    FROM exposed GROUP BY campaign, version, label ORDER BY campaign, version, label
""")  # noqa: S608 - put together from the constants above

# A vehicle without any exposure of a kind does not count, nor do its fires.
_FIRES = text(f"""
    WITH {_PARTS}, {_EXPOSED},
    fired AS (
        SELECT p.campaign, p.version, p.label, p.vehicle_id, e.key AS trigger, sum(CAST(e.value AS numeric)) AS plain,
            sum(p.weight * CAST(e.value AS numeric)) AS fires,
            sum(p.weight * p.weight * CAST(e.value AS numeric)) AS poisson
        FROM parts p CROSS JOIN LATERAL jsonb_each_text(p.fires) e
        GROUP BY p.campaign, p.version, p.label, p.vehicle_id, e.key
    )
    SELECT f.campaign, f.version, f.label, f.trigger, sum(f.plain) AS plain, {
    ", ".join(
        f"sum({value}) FILTER (WHERE x.{kind} > 0) AS {kind}_{name}"
        for kind in ("time", "way")
        for name, value in (
            ("fires", "f.fires"),
            ("squares", "f.fires * f.fires"),
            ("products", f"f.fires * x.{kind}"),
            ("poisson", "f.poisson"),
        )
    )
}
    FROM fired f JOIN exposed x USING (campaign, version, label, vehicle_id)
    GROUP BY f.campaign, f.version, f.label, f.trigger
""")  # noqa: S608 - put together from the constants above

# With p the pairs whose values are both known, and d those of them that differ. They are not weighted: a share of pairs
# is asked, and a vehicle that was admitted early has just more of them.
_PAIRS = text(f"""
    WITH {_PARTS},
    counted AS (
        SELECT p.campaign, p.version, p.label, p.vehicle_id, e.key AS head,
            sum(CAST(e.value ->> 1 AS numeric) + CAST(e.value ->> 2 AS numeric)) AS d,
            sum(CAST(e.value ->> 0 AS numeric) + CAST(e.value ->> 1 AS numeric)
                + CAST(e.value ->> 2 AS numeric) + CAST(e.value ->> 3 AS numeric)) AS p,
            sum(CAST(e.value ->> 4 AS numeric)) AS unknown
        FROM parts p CROSS JOIN LATERAL jsonb_each(p.pairs) e
        GROUP BY p.campaign, p.version, p.label, p.vehicle_id, e.key
    )
    SELECT campaign, version, label, head, count(*) FILTER (WHERE p > 0) AS vehicles, sum(d) AS d, sum(p) AS p,
        sum(d * d) AS squares, sum(d * p) AS products, sum(p * p) AS pair_squares, sum(unknown) AS unknown
    FROM counted GROUP BY campaign, version, label, head ORDER BY campaign, version, head, label
""")  # noqa: S608 - put together from the constants above


# Per distance, weighted like fires; of a vehicle without any distance nothing counts. Three kinds of one row of counts:
# what both sides told, and what one of them told alone.
_EVENTS = text(f"""
    WITH {_PARTS}, {_EXPOSED},
    counted AS (
        SELECT p.campaign, p.version, p.label, p.vehicle_id, e.key AS name, k.kind,
            sum(CAST(e.value ->> k.kind AS numeric)) AS plain,
            sum(p.weight * CAST(e.value ->> k.kind AS numeric)) AS events,
            sum(p.weight * p.weight * CAST(e.value ->> k.kind AS numeric)) AS poisson
        FROM parts p CROSS JOIN LATERAL jsonb_each(p.events) e CROSS JOIN generate_series(0, 4) AS k (kind)
        GROUP BY p.campaign, p.version, p.label, p.vehicle_id, e.key, k.kind
    )
    SELECT c.campaign, c.version, c.label, c.name, c.kind, sum(c.plain) AS plain,
        sum(c.events) FILTER (WHERE x.way > 0) AS way_fires,
        sum(c.events * c.events) FILTER (WHERE x.way > 0) AS way_squares,
        sum(c.events * x.way) FILTER (WHERE x.way > 0) AS way_products,
        sum(c.poisson) FILTER (WHERE x.way > 0) AS way_poisson
    FROM counted c JOIN exposed x USING (campaign, version, label, vehicle_id)
    GROUP BY c.campaign, c.version, c.label, c.name, c.kind ORDER BY c.campaign, c.version, c.name, c.label, c.kind
""")  # noqa: S608 - put together from the constants above


@dataclass(frozen=True, slots=True)
class Exposure:
    """The armed time and distance of a campaign version, under one version of a component of vehicles' software."""

    campaign: str
    version: int
    label: str
    armed_ns: int
    distance_m: int
    time: VehicleSums
    """Without any fires, with an exposure in ns; `way` the same in metres."""
    way: VehicleSums


@dataclass(frozen=True, slots=True)
class TriggerSums:
    """What vehicles counted of a trigger: as it is, and as sums with weights for rates per time and per distance."""

    exposure: Exposure
    trigger: str
    fires: int
    time: VehicleSums
    way: VehicleSums


@dataclass(frozen=True, slots=True)
class HeadSums:
    """The pairs of a compared head, as sums over vehicles: a pair that differs is the event, a known pair exposure."""

    campaign: str
    version: int
    label: str
    head: str
    unknown: int
    pairs: VehicleSums


@dataclass(frozen=True, slots=True)
class EventSums:
    """The events of two sides of a head: as vehicles counted them, and as sums with weights for rates per distance."""

    exposure: Exposure
    head: str
    sides: Sides
    counts: EventCounts
    matched: VehicleSums
    only_first: VehicleSums
    only_second: VehicleSums


def check_labels(connection: Connection, versions: Sequence[Version], component: str | None) -> None:
    """Conflict if vehicles have reported more versions of a component under these campaign versions than are shown.

    Vehicles name their software, so without a bound one of them would decide how large an answer is.
    """
    if component is None:
        return
    arrays = _asked(versions)
    asked = {**arrays, "component": component, "labels": None, "limit": MAX_LABELS + 1}
    found = connection.execute(_LABELS, asked).scalar_one()
    if found > MAX_LABELS:
        raise Conflict(
            f"vehicles have reported more than {MAX_LABELS:,} versions of {component}",
            remedy="name another component of their software, or none",
        )


def some_labels(connection: Connection, versions: Sequence[Version], component: str, limit: int) -> list[str]:
    """The first versions of a component that vehicles have reported under these campaign versions, in order."""
    asked = {**_asked(versions), "component": component, "labels": None, "limit": limit}
    return list(connection.execute(_SOME_LABELS, asked).scalars())


def trigger_sums(
    connection: Connection,
    triggers: Mapping[Version, Sequence[str]],
    component: str | None = None,
    labels: Sequence[str] | None = None,
) -> list[TriggerSums]:
    """The sums of these campaign versions, each with its triggers' names, also of those that never fired.

    With a `component` of the vehicles' software, for each version of it by itself, or for those in `labels` alone.
    """
    fired = {
        (row.campaign, row.version, row.label, row.trigger): row
        for row in _rows(connection, _FIRES, triggers, component, labels)
    }
    found = []
    for row in _rows(connection, _EXPOSURES, triggers, component, labels):
        exposure = _exposure(row)
        for trigger in triggers[row.campaign, row.version]:
            fires = fired.get((row.campaign, row.version, row.label, trigger))
            found.append(_trigger_sums(exposure, trigger, fires))
    return found


def head_sums(
    connection: Connection,
    versions: Sequence[Version],
    component: str | None = None,
    labels: Sequence[str] | None = None,
) -> list[HeadSums]:
    """The sums of all heads that these campaign versions compare and that have pairs; divided as in `trigger_sums`."""
    return [
        HeadSums(
            row.campaign,
            row.version,
            row.label,
            row.head,
            int(row.unknown),
            VehicleSums(
                row.vehicles,
                int(row.d),
                int(row.p),
                int(row.squares),
                int(row.products),
                int(row.pair_squares),
                int(row.d),
            ),
        )
        for row in _rows(connection, _PAIRS, versions, component, labels)
    ]


def event_sums(
    connection: Connection,
    versions: Sequence[Version],
    component: str | None = None,
    labels: Sequence[str] | None = None,
) -> list[EventSums]:
    """The sums of all heads and sides whose events vehicles have reported; divided as in `trigger_sums`."""
    exposures = {
        (row.campaign, row.version, row.label): _exposure(row)
        for row in _rows(connection, _EXPOSURES, versions, component, labels)
    }
    found: dict[tuple[str, int, str, str], list[Row[Any]]] = {}
    for row in _rows(connection, _EVENTS, versions, component, labels):
        found.setdefault((row.campaign, row.version, row.label, row.name), []).append(row)
    return [
        _event_sums(exposures[campaign, version, label], name, rows)
        for (campaign, version, label, name), rows in found.items()
    ]


def _event_sums(exposure: Exposure, name: str, rows: Sequence[Row[Any]]) -> EventSums:
    head, sides = name.split(" ")
    sums = [_with_fires(exposure.way, row, "way") for row in rows[:3]]
    return EventSums(exposure, head, Sides(sides), EventCounts(*(int(row.plain) for row in rows)), *sums)


def _rows(
    connection: Connection,
    statement: TextClause,
    versions: Sequence[Version] | Mapping[Version, Any],
    component: str | None,
    labels: Sequence[str] | None,
) -> Sequence[Row[Any]]:
    asked = {**_asked(versions), "component": component, "labels": None if labels is None else list(labels)}
    return connection.execute(statement, asked).all()


def _asked(versions: Iterable[Version]) -> dict[str, list[Any]]:
    asked = list(versions)
    return {"campaigns": [name for name, _ in asked], "versions": [version for _, version in asked]}


def _exposure(row: Row[Any]) -> Exposure:
    weight = exact(row.weight)
    time = VehicleSums(row.vehicles_time, 0, exact(row.time), 0, 0, exact(row.time_squares), 0, weight)
    way = VehicleSums(row.vehicles_way, 0, exact(row.way), 0, 0, exact(row.way_squares), 0, weight)
    return Exposure(row.campaign, row.version, row.label, int(row.armed_ns), int(row.distance_m), time, way)


def _trigger_sums(exposure: Exposure, trigger: str, row: Row[Any] | None) -> TriggerSums:
    if row is None:
        return TriggerSums(exposure, trigger, 0, exposure.time, exposure.way)
    time, way = (_with_fires(getattr(exposure, kind), row, kind) for kind in ("time", "way"))
    return TriggerSums(exposure, trigger, int(row.plain), time, way)


def _with_fires(sums: VehicleSums, row: Row[Any], kind: str) -> VehicleSums:
    fires, squares, products, poisson = (
        exact(getattr(row, f"{kind}_{name}")) for name in ("fires", "squares", "products", "poisson")
    )
    return replace(sums, fires=fires, squared_fires=squares, products=products, poisson=poisson)


def exact(number: Decimal | int | str | None) -> Exact:
    """A number of the database or of a text, whole where it can be; None, of no rows, is 0."""
    fraction = Fraction(number or 0)
    return fraction.numerator if fraction.denominator == 1 else fraction


def sums_to_json(sums: VehicleSums) -> dict[str, Any]:
    """Sums as a document, their numbers as texts: JSON has no fractions."""
    return {name: str(value) for name, value in asdict(sums).items()}


def sums_of_json(document: Mapping[str, str]) -> VehicleSums:
    """What `sums_to_json` wrote."""
    numbers = {name: exact(text) for name, text in document.items()}
    return VehicleSums(**{**numbers, "vehicles": int(numbers["vehicles"])})  # type: ignore[arg-type]
