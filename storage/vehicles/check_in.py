"""Check-ins: stores what a vehicle reports about itself, and reads what its assignment needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Connection, case, cast, extract, func, literal, select, text, update

from storage.jsonb import storable
from storage.tables import assignment_revision, vehicles
from storage.vehicles.trust import newest_version
from triggers.contracts.base import AttributeValue
from triggers.contracts.checkin import MAX_AHEAD_NS, CheckIn
from triggers.errors import NotFound
from triggers.times import NS_PER_MS, NS_PER_S


@dataclass(frozen=True, slots=True)
class Revisions:
    """Numbers that rise with every change of what runs, of what vehicles are, and of whom they trust."""

    campaigns: int
    vehicles: int
    trust: int


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """What a list needs: the vehicle's attributes, newest revision and trust document, and the database's clock.

    `attributes` are the fleet's own record, without what the vehicle reports.
    `recorded` is the digest of the list that is recorded as the vehicle's; None if none is. `token_hash` is that of the
    vehicle's only token, which expires at `token_expires_at_ns`; None if it is revoked, or while it has a former one,
    which only a transaction can end. `public_key` is the key with which it signs its requests; None if it has none, or
    is revoked. `revisions` are those that the row was read at.
    """

    attributes: dict[str, AttributeValue]
    revision: int
    trust_version: int
    now_ns: int
    recorded: str | None
    token_hash: bytes | None
    token_expires_at_ns: int
    public_key: bytes | None
    revisions: Revisions


def check_in(connection: Connection, vehicle_id: str, report: CheckIn) -> CheckedIn:
    """Store what a vehicle reports about itself, and read what its assignment needs.

    Revision and time come from the same statement: every replica of the API answers with the newest revision and by
    one clock, so that a vehicle never sees a list that is older than the one it has. The vehicle's row stays locked
    until the transaction ends. A check-in that has waited for it may have read an older revision than that of the list
    that was recorded meanwhile, so the revision of the recorded list counts, too.
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
            revision=_plausible(report.revision, now_ns),
            last_check_in_at=func.now(),
        )
        .returning(
            vehicles.c.attributes,
            func.greatest(
                func.coalesce(select(assignment_revision.c.revision).scalar_subquery(), 0),
                vehicles.c.assigned_revision,
            ).label("revision"),
            newest_version().label("trust_version"),
            now_ns.label("now_ns"),
            vehicles.c.assigned_digest,
            vehicles.c.token_hash,
            cast(extract("epoch", vehicles.c.token_expires_at) * NS_PER_S, BigInteger).label("token_expires_at_ns"),
            vehicles.c.former_token_hash,
            vehicles.c.public_key,
            vehicles.c.revoked_at,
            func.coalesce(select(assignment_revision.c.revision).scalar_subquery(), 0).label("campaigns"),
            func.coalesce(select(assignment_revision.c.vehicles).scalar_subquery(), 0).label("vehicles"),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no vehicle {vehicle_id!r}")
    return CheckedIn(
        attributes=row.attributes,
        revision=row.revision,
        trust_version=row.trust_version,
        now_ns=row.now_ns,
        recorded=row.assigned_digest,
        token_hash=bytes(row.token_hash) if row.revoked_at is None and row.former_token_hash is None else None,
        token_expires_at_ns=row.token_expires_at_ns,
        public_key=None if row.revoked_at is not None or row.public_key is None else bytes(row.public_key),
        revisions=Revisions(row.campaigns, row.vehicles, row.trust_version),
    )


def read_revisions(connection: Connection) -> Revisions:
    """The revisions in force now."""
    revisions = select(assignment_revision.c.revision, assignment_revision.c.vehicles)
    row = connection.execute(revisions.add_columns(newest_version().label("trust"))).one_or_none()
    return Revisions(0, 0, 0) if row is None else Revisions(row.revision, row.vehicles, row.trust)


def raise_vehicles(connection: Connection) -> None:
    """Record that this transaction changes a vehicle that may be remembered: its token, its access, its attributes."""
    connection.execute(update(assignment_revision).values(vehicles=assignment_revision.c.vehicles + 1))


def write_seen(connection: Connection, seen: Mapping[str, tuple[int, int]]) -> None:
    """Write when vehicles checked in that had nothing new to tell: time (Unix ns) and clock offset (ns), by vehicle."""
    ordered = sorted(seen.items())
    connection.execute(
        _SEEN,
        {
            "ids": [vehicle_id for vehicle_id, _ in ordered],
            "times": [at_ns / NS_PER_S for _, (at_ns, _) in ordered],
            "offsets": [offset_ns for _, (_, offset_ns) in ordered],
        },
    )


# A row that a check-in is writing is not waited for: that is the later one.
_SEEN = text("""
    UPDATE vehicles v SET last_check_in_at = greatest(v.last_check_in_at, to_timestamp(s.at)), clock_offset_ns = s.off
    FROM (
        SELECT l.id, s.at, s.off
        FROM unnest(CAST(:ids AS text[]), CAST(:times AS float8[]), CAST(:offsets AS bigint[])) AS s (id, at, off)
        JOIN vehicles l ON l.id = s.id
        FOR NO KEY UPDATE OF l SKIP LOCKED
    ) s
    WHERE v.id = s.id
""")


def _plausible(revision: int | None, now_ns: ColumnElement[int]) -> ColumnElement[int]:
    """A reported revision; null for one that cannot have been given: nobody may use up the numbers by a report."""
    reported = literal(revision, BigInteger)
    return case((reported <= (now_ns + MAX_AHEAD_NS) / NS_PER_MS, reported))
