"""Vehicles: enrolment, their tokens, what they say of themselves at check-in, and the counts they report.

A vehicle's attributes come from two places. Those given at enrolment are the fleet's own record and win; what the
vehicle reports adds to them and cannot change them, so that a vehicle cannot talk itself into a campaign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import BigInteger, Connection, Row, cast, extract, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from storage.counts.compared import fallen_pairs, record_compared
from storage.jsonb import storable
from storage.tables import assignment_revision, campaign_versions, fire_counts, vehicles
from storage.tokens import new_token, token_hash
from storage.uploads.fire_identity import ENROL_AGAIN
from triggers.contracts.api.vehicles import MAX_ATTRIBUTES
from triggers.contracts.base import NS_PER_S, AttributeValue, VehicleId
from triggers.contracts.checkin import CheckIn, FireCounts, Telemetry
from triggers.errors import InvalidInput, NotFound, Unauthenticated

_vehicle_id: TypeAdapter[str] = TypeAdapter(VehicleId)
_attributes: TypeAdapter[dict[str, AttributeValue]] = TypeAdapter(dict[str, AttributeValue])


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle as the fleet knows it. `clock_offset_ns` is its clock minus the cloud's at the latest check-in.

    `problems` are what it said of itself then, and counts of fires that fell: signs of a journal that was lost.
    """

    id: str
    attributes: dict[str, AttributeValue]
    software: dict[str, str]
    problems: list[str]
    clock_offset_ns: int
    enrolled_at: datetime
    last_check_in_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """What an assignment needs: the vehicle's attributes, the newest revision, and the database's clock."""

    attributes: dict[str, AttributeValue]
    revision: int
    now_ns: int


def enroll(connection: Connection, vehicle_id: str, attributes: Mapping[str, AttributeValue]) -> str:
    """Make a vehicle known and return its token; enrolling again replaces attributes and token, and ends a revocation.

    The former token stops working with this transaction.
    """
    if len(attributes) > MAX_ATTRIBUTES:
        raise InvalidInput(f"{len(attributes)} attributes; a vehicle has at most {MAX_ATTRIBUTES}")
    try:
        _vehicle_id.validate_python(vehicle_id, strict=True)
        _attributes.validate_python(dict(attributes), strict=True)
    except ValidationError as error:
        raise InvalidInput(f"vehicle {vehicle_id[:64]!r}: {error.errors(include_url=False)[0]['msg']}") from error
    token = new_token()
    row = {"token_hash": token_hash(token), "attributes": storable(dict(attributes), what="the attributes")}
    connection.execute(
        insert(vehicles)
        .values(id=vehicle_id, **row)
        .on_conflict_do_update(index_elements=[vehicles.c.id], set_={**row, "revoked_at": None})
    )
    return token


def authenticate_vehicle(connection: Connection, token: str) -> str:
    """The id of the vehicle whose token this is; Unauthenticated when it is malformed, unknown or revoked."""
    vehicle_id = connection.execute(
        select(vehicles.c.id).where(vehicles.c.token_hash == token_hash(token), vehicles.c.revoked_at.is_(None))
    ).scalar_one_or_none()
    if vehicle_id is None:
        raise Unauthenticated("no vehicle has this token, or it was revoked", remedy="enrol the vehicle again")
    return str(vehicle_id)


def revoke_vehicle(connection: Connection, vehicle_id: str) -> None:
    """Shut a vehicle out until it is enrolled again; NotFound when there is none or it is revoked already."""
    ended = connection.execute(
        update(vehicles)
        .where(vehicles.c.id == vehicle_id, vehicles.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    if ended.rowcount == 0:
        raise NotFound(f"there is no vehicle {vehicle_id!r} that could be revoked")


def get_vehicle(connection: Connection, vehicle_id: str) -> Vehicle:
    """One vehicle, or NotFound."""
    row = connection.execute(select(vehicles).where(vehicles.c.id == vehicle_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no vehicle {vehicle_id!r}")
    return _vehicle(row, _fallen_counts(connection, [row.id]))


def list_vehicles(connection: Connection, *, after: str = "", limit: int = 100) -> list[Vehicle]:
    """At most `limit` vehicles whose id sorts behind `after`, in order of id."""
    rows = connection.execute(
        select(vehicles).where(vehicles.c.id > after).order_by(vehicles.c.id).limit(max(1, min(limit, 1000)))
    ).all()
    fallen = _fallen_counts(connection, [row.id for row in rows])
    return [_vehicle(row, fallen) for row in rows]


def check_in(connection: Connection, vehicle_id: str, report: CheckIn) -> CheckedIn:
    """Note what a vehicle says of itself, and read what its assignment needs.

    Revision and time come out of the same statement: every replica of the API answers by the newest revision, and by
    one clock, so that a vehicle never sees a list that is older than the one it has.
    """
    now_ns = cast(extract("epoch", func.statement_timestamp()) * NS_PER_S, BigInteger)
    row = connection.execute(
        update(vehicles)
        .where(vehicles.c.id == vehicle_id)
        .values(
            reported_attributes=storable(dict(report.attributes), what="the attributes"),
            software=storable(dict(report.software), what="the software"),
            problems=storable(list(report.problems), what="the problems"),
            clock_offset_ns=literal(report.vehicle_time_ns, BigInteger) - now_ns,
            last_check_in_at=func.now(),
        )
        .returning(
            vehicles.c.attributes,
            func.coalesce(select(assignment_revision.c.revision).scalar_subquery(), 0).label("revision"),
            now_ns.label("now_ns"),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no vehicle {vehicle_id!r}")
    return CheckedIn(attributes={**report.attributes, **row.attributes}, revision=row.revision, now_ns=row.now_ns)


def record_counts(connection: Connection, vehicle_id: str, telemetry: Telemetry) -> int:
    """Take in a report of counts; returns how many of its campaign versions were news.

    Counts only go forward: a report counts as newer when its watermark is higher; at an equal watermark when fewer
    fires are in flight; then when it was made later. The vehicle's clock decides last because it may be set back.
    A lower watermark that was reported later is kept as the vehicle's problem: it lost its journal and counts anew.
    Pairs of compared heads go forward by themselves, see `storage.compare_counts`. Versions that the deployment does
    not have, and heads that a version does not compare, are InvalidInput: nothing of the report is taken in then.
    """
    counts = {(c.campaign, c.version): c for c in telemetry.counts}
    if len(counts) != len(telemetry.counts):
        raise InvalidInput("the report counts a campaign version twice")
    _require_versions(connection, counts)
    news = 0
    for key in sorted(counts):  # one order for all, so that two reports of a vehicle cannot deadlock
        fires = _upsert(connection, vehicle_id, counts[key], telemetry.reported_at_ns)
        pairs = record_compared(connection, vehicle_id, counts[key], telemetry.reported_at_ns)
        news += fires or pairs
    return news


def _require_versions(connection: Connection, counts: Mapping[tuple[str, int], FireCounts]) -> None:
    keys = [key for key in counts if key[1] <= 2**31 - 1]
    identity = tuple_(campaign_versions.c.campaign, campaign_versions.c.version)
    heads = campaign_versions.c.settings["compare"].label("heads")
    found = select(campaign_versions.c.campaign, campaign_versions.c.version, heads).where(identity.in_(keys))
    compared = {(row.campaign, row.version): row.heads or () for row in connection.execute(found)}
    for key in sorted(counts):
        campaign, version = key
        if key not in compared:
            raise InvalidInput(f"the report counts fires of {campaign} version {version}, which does not exist")
        uncounted = sorted(set(counts[key].compared) - set(compared[key]))
        if uncounted:
            raise InvalidInput(f"the report counts {uncounted[0]}, which {campaign} version {version} does not compare")


def _upsert(connection: Connection, vehicle_id: str, counts: FireCounts, reported_at_ns: int) -> bool:
    row = {
        **counts.model_dump(mode="json", exclude={"compared"}),
        "vehicle_id": vehicle_id,
        "reported_at_ns": reported_at_ns,
        "received_at": func.now(),
    }
    statement = insert(fire_counts).values(row)
    new, old = statement.excluded, fire_counts.c
    newer = tuple_(new.watermark, -new.in_flight, new.reported_at_ns) > tuple_(
        old.watermark, -old.in_flight, old.reported_at_ns
    )
    keys = ("vehicle_id", "campaign", "version")
    changes = {name: new[name] for name in row if name not in keys}
    upsert = statement.on_conflict_do_update(index_elements=list(keys), set_=changes, where=newer)
    if connection.execute(upsert.returning(old.version)).one_or_none() is not None:
        return True
    fell = (old.watermark > counts.watermark, old.reported_at_ns < reported_at_ns)
    known = (old.vehicle_id == vehicle_id, old.campaign == counts.campaign, old.version == counts.version)
    lowest = func.least(func.coalesce(old.fell_to, counts.watermark), counts.watermark)
    connection.execute(update(fire_counts).where(*known, *fell).values(fell_to=lowest))
    return False


def _fallen_counts(connection: Connection, vehicle_ids: Sequence[str]) -> dict[str, list[str]]:
    """By vehicle, what its problem is where its counts of fires or pairs fell."""
    table = fire_counts.c
    rows = connection.execute(
        select(table.vehicle_id, table.campaign, table.version, table.watermark, table.fell_to)
        .where(table.vehicle_id.in_(vehicle_ids), table.fell_to.is_not(None))
        .order_by(table.vehicle_id, table.campaign, table.version)
    )
    fallen: dict[str, list[str]] = {}
    for row in rows:
        fallen.setdefault(row.vehicle_id, []).append(
            f"its count of fires of {row.campaign} version {row.version} fell to {row.fell_to} and is {row.watermark}"
            f" here; {ENROL_AGAIN}"
        )
    for vehicle_id, fall in fallen_pairs(connection, vehicle_ids):
        fallen.setdefault(vehicle_id, []).append(f"{fall}; {ENROL_AGAIN}")
    return fallen


def _vehicle(row: Row[tuple[object, ...]], fallen: Mapping[str, list[str]]) -> Vehicle:
    return Vehicle(
        id=row.id,
        attributes={**row.reported_attributes, **row.attributes},
        software=row.software,
        problems=[*row.problems, *fallen.get(row.id, ())],
        clock_offset_ns=row.clock_offset_ns,
        enrolled_at=row.enrolled_at,
        last_check_in_at=row.last_check_in_at,
        revoked_at=row.revoked_at,
    )
