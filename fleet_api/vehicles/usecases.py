"""Use cases for vehicles: operators enrol, show, revoke and erase them; vehicles check in, get bundles, report counts.

Each use case is one transaction. Those of operators check the user's role; those of vehicles take the id of the
calling vehicle, and check that the request is about that vehicle.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from fleet_api.services import Services
from fleet_api.signing.chain import read_chain
from fleet_api.vehicles import rules
from storage import audit
from storage.backup.restored import last_backup_at
from storage.campaigns.queries import get_bundle
from storage.database import Connection
from storage.erasure import vehicles as erased_vehicles
from storage.jsonb import storable
from storage.vehicles import check_in as check_ins
from storage.vehicles import enrolment, queries, telemetry
from triggers.clips.clock import clock_problem
from triggers.contracts.api.vehicles import (
    EnrolledView,
    EnrolRequest,
    VehicleErasureView,
    VehicleList,
    VehicleView,
)
from triggers.contracts.checkin import CheckIn, Telemetry
from triggers.contracts.trust import with_steps
from triggers.contracts.users import Role, User

_log = logging.getLogger(__name__)


def enrol(services: Services, user: User, request: EnrolRequest) -> EnrolledView:
    """Enrol a vehicle and issue its token, which is shown only once. Enrolling again replaces the token.

    Erased for the id of a vehicle that was erased.
    """
    user.require(Role.OPERATOR)
    with services.database.begin() as connection:
        chain = read_chain(connection)
        roots = chain.newest.root if chain.newest else rules.untold_roots(services.key)
        before = enrolment.enrolled_attributes(connection, request.id)
        token = enrolment.enrol(connection, request.id, request.attributes)
        action = "vehicle.enrol" if before is None else "vehicle.enrol_again"
        _note(connection, user, action, request.id, before=before, after=request.attributes)
    return EnrolledView(
        id=request.id,
        token=token,
        public_keys=list(roots.keys),
        trust_threshold=roots.threshold,
        trust_version=chain.version,
        api_url=services.settings.effective_api_url(),
        gateway_url=services.settings.effective_gateway_url(),
    )


def list_vehicles(services: Services, user: User, *, prefix: str = "", after: str, limit: int) -> VehicleList:
    """At most `limit` vehicles whose id begins with `prefix` and sorts after `after`, by id."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        vehicles = queries.list_vehicles(connection, prefix=prefix, after=after, limit=limit)
    return VehicleList(
        vehicles=[_view(vehicle) for vehicle in vehicles],
        next=vehicles[-1].id if len(vehicles) == limit else None,
    )


def _view(vehicle: queries.Vehicle) -> VehicleView:
    """A vehicle, with what its clock shows among its problems."""
    problem = clock_problem(vehicle.clock_offset_ns) if vehicle.last_check_in_at else None
    view = VehicleView.model_validate(vehicle)
    return view if problem is None else view.model_copy(update={"problems": [*view.problems, problem]})


def show_vehicle(services: Services, user: User, vehicle_id: str) -> VehicleView:
    """One vehicle; NotFound for an unknown one, Erased for one that was erased."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        return _view(queries.get_vehicle(connection, vehicle_id))


def revoke_vehicle(services: Services, user: User, vehicle_id: str) -> None:
    """Revoke a vehicle's access until it is enrolled again. What it uploaded stays."""
    user.require(Role.OPERATOR)
    with services.database.begin() as connection:
        enrolment.revoke(connection, vehicle_id)
        _note(connection, user, "vehicle.revoke", vehicle_id)


def erase_vehicle(services: Services, user: User, vehicle_id: str, *, reason: str) -> VehicleErasureView:
    """Shut a vehicle out for good, and have everything erased that it sent; Erased when that is done already.

    Its id is written down nowhere but in this process's log.
    """
    user.require(Role.OPERATOR)
    storable(reason, what="the reason")
    with services.database.begin() as connection:
        left = erased_vehicles.request(connection, vehicle_id, reason=reason, by=user.name)
        _note(connection, user, "vehicle.erase", vehicle_id, reason=reason)
    _log.warning("%s erases vehicle %s with %d clips: %s", user.name, vehicle_id, left.clips, ascii(reason))
    return VehicleErasureView(id=vehicle_id, clips=left.clips, size_bytes=left.size_bytes)


def _note(
    connection: Connection,
    user: User,
    action: str,
    vehicle_id: str,
    *,
    before: Collection[str] | None = None,
    after: Collection[str] | None = None,
    reason: str | None = None,
) -> None:
    """Record what was done to a vehicle. Of its attributes only the names: values may tell whose car it is."""
    audit.record(
        connection,
        user,
        action,
        "vehicle",
        audit.vehicle_object(vehicle_id),
        before=None if before is None else {"attributes": sorted(before)},
        after=None if after is None else {"attributes": sorted(after)},
        reason=reason,
    )


def check_in(services: Services, caller: str, vehicle_id: str, report: CheckIn) -> bytes | None:
    """Store what a vehicle reports about itself; returns its sealed list of campaigns, None if it has it already."""
    rules.check_speaks_for(caller, vehicle_id)
    with services.database.begin() as connection:
        known = check_ins.check_in(connection, vehicle_id, report)
    revision, running = services.running.at(services.database, known.revision)
    assigned = rules.assigned_campaigns(running, vehicle_id, known.attributes, now_ns=known.now_ns)
    if len(assigned) > rules.MAX_ASSIGNMENTS:
        _log.warning(
            "vehicle %s matches %d campaigns; %d are assigned", vehicle_id, len(assigned), rules.MAX_ASSIGNMENTS
        )
    content = rules.assignment_list(
        assigned, vehicle_id, revision=revision, now_ns=known.now_ns, ttl_s=services.settings.assignment_ttl_s
    )
    chain = services.trust.at(services.database, known.trust_version)
    steps = chain.after(report.trust) if report.trust is not None else ()
    if report.have == content.content_digest and not steps:
        return None
    return with_steps(steps, services.signer.sign(content.canonical_json(), chain.list_key_ids))


def fetch_bundle(services: Services, digest: str) -> bytes:
    """The sealed bundle with this SHA-256, for any vehicle; or NotFound."""
    with services.database.begin() as connection:
        return get_bundle(connection, digest)


def report_counts(services: Services, caller: str, vehicle_id: str, report: Telemetry) -> None:
    """Store what became of a vehicle's fires; InvalidInput, with nothing stored, for an invalid report.

    Counts of versions that a restore from a backup has made unknown are left out: the vehicle cannot know of it, and
    its other counts are wanted.
    """
    rules.check_speaks_for(caller, vehicle_id)
    with services.database.begin() as connection:
        versions = {(counts.campaign, counts.version) for counts in report.counts}
        heads = telemetry.compared_heads(connection, versions)
        if versions - heads.keys() and last_backup_at(connection) is not None:
            known = tuple(counts for counts in report.counts if (counts.campaign, counts.version) in heads)
            report = report.model_copy(update={"counts": known})
        rules.check_counts(report.counts, heads)
        telemetry.record_counts(connection, vehicle_id, report)
