"""Check-ins: stores what a vehicle reports about itself, and reads what its assignment needs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Connection, case, cast, extract, func, literal, select, update

from storage.jsonb import storable
from storage.tables import assignment_revision, vehicles
from storage.vehicles.trust import newest_version
from triggers.contracts.base import AttributeValue
from triggers.contracts.checkin import MAX_AHEAD_NS, CheckIn
from triggers.errors import NotFound
from triggers.times import NS_PER_MS, NS_PER_S


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """What a list needs: the vehicle's attributes, newest revision and trust document, and the database's clock.

    `attributes` are the fleet's own record, without what the vehicle reports.
    `recorded` is the digest of the list that is recorded as the vehicle's; None if none is.
    """

    attributes: dict[str, AttributeValue]
    revision: int
    trust_version: int
    now_ns: int
    recorded: str | None


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
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no vehicle {vehicle_id!r}")
    return CheckedIn(row.attributes, row.revision, row.trust_version, row.now_ns, row.assigned_digest)


def _plausible(revision: int | None, now_ns: ColumnElement[int]) -> ColumnElement[int]:
    """A reported revision; null for one that cannot have been given: nobody may use up the numbers by a report."""
    reported = literal(revision, BigInteger)
    return case((reported <= (now_ns + MAX_AHEAD_NS) / NS_PER_MS, reported))
