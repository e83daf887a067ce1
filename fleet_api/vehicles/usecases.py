"""Use cases for vehicles: operators enrol, show, revoke and erase them; vehicles check in, get bundles, report counts.

Each use case is one transaction. Those of operators check the user's role; those of vehicles take the id of the
calling vehicle, and check that the request is about that vehicle.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from fleet_api.known import Remembered, signer, told
from fleet_api.services import Services
from fleet_api.signing.chain import TrustChain, read_chain
from fleet_api.vehicles import rules
from storage import audit
from storage.backup.restored import last_backup_at
from storage.database import Connection
from storage.datasets import holds
from storage.erasure import vehicles as erased_vehicles
from storage.erasure.report import report_of
from storage.jsonb import storable
from storage.vehicles import assignments, enrolment, enrolment_codes, quarantine, queries, telemetry
from storage.vehicles import check_in as check_ins
from storage.vehicles.assignments import assigned_bundle
from triggers.assignment.given import Refusal
from triggers.clips.clock import clock_problem
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.vehicles import (
    CodeRequest,
    EnrolledKeyView,
    EnrolledView,
    EnrolmentCodeView,
    EnrolRequest,
    ErasureReportView,
    KeyRequest,
    VehicleErasureView,
    VehicleList,
    VehicleTokenView,
    VehicleView,
)
from triggers.contracts.campaign import RunningCampaign
from triggers.contracts.checkin import CheckIn, Telemetry
from triggers.contracts.trust import with_steps
from triggers.contracts.users import Role, User
from triggers.errors import InvalidInput
from triggers.public_keys import checked_key
from triggers.times import NS_PER_S

_log = logging.getLogger(__name__)


def enrol(services: Services, user: User, request: EnrolRequest) -> EnrolledView:
    """Enrol a vehicle and issue its token, which is shown only once.

    Conflict for a vehicle that is enrolled already, unless the request says `replace`; Erased for the id of one that
    was erased.
    """
    user.require(Role.OPERATOR)
    with services.database.begin() as connection:
        chain = read_chain(connection)
        before = enrolment.enrolled_attributes(connection, request.id)
        issued = enrolment.enrol(
            connection,
            request.id,
            request.attributes,
            replays=request.replays,
            replace=request.replace,
            ttl_s=services.settings.vehicle_token_ttl_s,
        )
        action = "vehicle.enrol" if before is None else "vehicle.enrol_again"
        _note(connection, user, action, request.id, before=before, after=request.attributes)
    return EnrolledView(
        id=request.id,
        token=issued.token,
        token_expires_at=issued.expires_at,
        token_renew_at=issued.renew_at,
        **_trusted(services, chain),
    )


def issue_code(services: Services, user: User, request: CodeRequest) -> EnrolmentCodeView:
    """A one-time code, with which the vehicle enrols itself under a key of its own.

    Conflict for a vehicle that is enrolled already, unless the request says `replace`; Erased for the id of one that
    was erased.
    """
    user.require(Role.OPERATOR)
    ttl_s = services.settings.enrolment_code_ttl_s
    with services.database.begin() as connection:
        issued = enrolment_codes.issue(connection, request.id, request.attributes, ttl_s=ttl_s, replace=request.replace)
        _note(connection, user, "vehicle.code", request.id, after=request.attributes)
    return EnrolmentCodeView(
        id=request.id, code=issued.code, expires_at=issued.expires_at, api_url=services.settings.effective_api_url()
    )


def enrol_key(services: Services, vehicle_id: str, request: KeyRequest) -> EnrolledKeyView:
    """Enrol a vehicle under the key that it proves to have, by the code that it was given."""
    key = request.proven_key(vehicle_id)
    with services.database.begin() as connection:
        enrolment_codes.redeem(connection, vehicle_id, request.code, key)
        chain = read_chain(connection)
    _log.info("vehicle %s has enrolled with a key of its own", ascii(vehicle_id))
    return EnrolledKeyView(id=vehicle_id, **_trusted(services, chain))


def _trusted(services: Services, chain: TrustChain) -> dict[str, Any]:
    """What a vehicle is told as it is enrolled: whose keys it trusts from the start, and where it reports."""
    roots = chain.newest.root if chain.newest else rules.untold_roots(services.key)
    return {
        "public_keys": list(roots.keys),
        "trust_threshold": roots.threshold,
        "trust_version": chain.version,
        "api_url": services.settings.effective_api_url(),
        "gateway_url": services.settings.effective_gateway_url(),
    }


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
        audit.record(
            connection,
            user,
            "vehicle.erase",
            "vehicle",
            audit.vehicle_object(vehicle_id),
            before={"datasets": holds.datasets_of_vehicle(connection, vehicle_id)},
            reason=reason,
        )
    _log.warning("%s erases vehicle %s with %d clips: %s", user.name, vehicle_id, left.clips, ascii(reason))
    return VehicleErasureView(id=vehicle_id, clips=left.clips, size_bytes=left.size_bytes)


def report_erasure(services: Services, user: User, vehicle_id: str) -> ErasureReportView:
    """The signed report on a vehicle that was erased; NotFound if none was, Conflict while something of it is left."""
    user.require(Role.OPERATOR)
    with services.database.snapshot() as connection:
        report = report_of(connection, vehicle_id)
    envelope = services.signer.sign_report(report.canonical_json())
    return ErasureReportView(report=report, envelope=base64.b64encode(envelope).decode())


class _Decision(Protocol):
    """A step of `storage.vehicles.quarantine` that an operator takes for a reason."""

    def __call__(self, connection: Connection, vehicle_id: str, *, reason: str, by: str) -> None: ...


def _decide(
    services: Services, user: User, vehicle_id: str, request: ReasonRequest, step: _Decision, *, action: str, said: str
) -> None:
    """Take the step, with its entry in the audit log and a line in the process's."""
    user.require(Role.OPERATOR)
    with services.database.begin() as connection:
        step(connection, vehicle_id, reason=request.reason, by=user.name)
        _note(connection, user, action, vehicle_id, reason=request.reason)
    _log.warning("%s %s %s: %s", user.name, said, vehicle_id, ascii(request.reason))


def quarantine_vehicle(services: Services, user: User, vehicle_id: str, request: ReasonRequest) -> None:
    """Refuse a vehicle's uploads and reports until it is released; Conflict if they are refused already."""
    _decide(
        services,
        user,
        vehicle_id,
        request,
        quarantine.quarantine,
        action="vehicle.quarantine",
        said="quarantines vehicle",
    )


def release_vehicle(services: Services, user: User, vehicle_id: str, request: ReasonRequest) -> None:
    """Accept a vehicle's uploads and reports again; Conflict if it is not in quarantine."""
    _decide(services, user, vehicle_id, request, quarantine.release, action="vehicle.release", said="releases vehicle")


def void_counts(services: Services, user: User, vehicle_id: str, request: ReasonRequest) -> None:
    """Leave a vehicle's counts out of all sums; Conflict if they are left out already."""
    _decide(
        services,
        user,
        vehicle_id,
        request,
        quarantine.void_counts,
        action="vehicle.void_counts",
        said="voids the counts of vehicle",
    )


def restore_counts(services: Services, user: User, vehicle_id: str, request: ReasonRequest) -> None:
    """Have a vehicle's counts in all sums again; Conflict if they are in them."""
    _decide(
        services,
        user,
        vehicle_id,
        request,
        quarantine.restore_counts,
        action="vehicle.restore_counts",
        said="restores the counts of vehicle",
    )


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


def rotate_token(services: Services, caller: str, vehicle_id: str) -> VehicleTokenView:
    """The next token of a vehicle; the one in use is valid until the next is used for the first time."""
    rules.check_speaks_for(caller, vehicle_id)
    with services.vehicle_database.begin() as connection:
        issued = enrolment.rotate(connection, vehicle_id, ttl_s=services.settings.vehicle_token_ttl_s)
    return VehicleTokenView(token=issued.token, token_expires_at=issued.expires_at, token_renew_at=issued.renew_at)


def check_in(services: Services, caller: str, vehicle_id: str, report: CheckIn) -> bytes | None:
    """Store what a vehicle reports about itself; returns its sealed list of campaigns, None if it has it already.

    A list is recorded before it is given away, so that the cloud knows of every fire whether it can be.
    """
    rules.check_speaks_for(caller, vehicle_id)
    with services.vehicle_database.begin() as connection:
        known = check_ins.check_in(connection, vehicle_id, report)
        revision, running = services.running.at(connection, known.revision)
        content = rules.assignment_list(
            _assigned(running, vehicle_id, known, report),
            vehicle_id,
            revision=revision,
            now_ns=known.now_ns,
            ttl_s=services.settings.assignment_ttl_s,
        )
        digest = content.content_digest
        if known.recorded != digest:
            given = [(assignment.campaign, assignment.version) for assignment in content.assignments]
            assignments.record(connection, vehicle_id, given, digest=digest, revision=revision)
    chain = services.trust.at(services.vehicle_database, known.trust_version)
    steps = chain.after(report.trust) if report.trust is not None else ()
    if not steps:
        until_ns = rules.unchanged_until_ns(running, now_ns=known.now_ns)
        _remember(services, known, Remembered(vehicle_id, told(report), digest, known.revisions, until_ns))
    if report.have == digest and not steps:
        return None
    return with_steps(steps, services.signer.sign(content.canonical_json(), chain.list_key_ids))


def _remember(services: Services, known: check_ins.CheckedIn, vehicle: Remembered) -> None:
    """Remember a vehicle by its key, and by its token for the first half of that one's time."""
    if known.public_key is not None:
        with suppress(ValueError):  # a key from a release that accepted any: nothing is signed with it
            services.known.remember(signer(vehicle.vehicle_id), replace(vehicle, key=checked_key(known.public_key)))
    if known.token_hash is not None:
        renew_at_ns = known.token_expires_at_ns - services.settings.vehicle_token_ttl_s * NS_PER_S // 2
        until_ns = min(vehicle.until_ns, renew_at_ns)
        if known.now_ns < until_ns:
            services.known.remember(known.token_hash, replace(vehicle, until_ns=until_ns))


def _assigned(
    running: Sequence[RunningCampaign], vehicle_id: str, known: check_ins.CheckedIn, report: CheckIn
) -> list[RunningCampaign]:
    assigned = rules.assigned_campaigns(
        running, vehicle_id, known.attributes, now_ns=known.now_ns, reported=report.attributes
    )
    if len(assigned) > rules.MAX_ASSIGNMENTS:
        _log.warning(
            "vehicle %s matches %d campaigns; %d are assigned", vehicle_id, len(assigned), rules.MAX_ASSIGNMENTS
        )
    return assigned


def fetch_bundle(services: Services, caller: str, digest: str) -> bytes:
    """The sealed bundle with this SHA-256, if the vehicle was ever given its version; NotFound for all others."""
    with services.vehicle_database.begin() as connection:
        return assigned_bundle(connection, caller, digest)


def report_counts(services: Services, caller: str, vehicle_id: str, report: Telemetry) -> None:
    """Store what became of a vehicle's fires; InvalidInput, with nothing stored, for an invalid report.

    Counts of versions that a restore from a backup has made unknown are left out: the vehicle cannot know of it, and
    its other counts are wanted. So are counts of versions that the vehicle was not given, and those that no vehicle
    can have; these are refusals, and counted.
    """
    rules.check_speaks_for(caller, vehicle_id)
    try:
        with services.vehicle_database.begin() as connection:
            _record_counts(connection, services, vehicle_id, report)
    except InvalidInput as error:
        with services.vehicle_database.begin() as connection:
            _note_junk(connection, services, vehicle_id, Refusal.INVALID_REPORT)
        _log.warning("vehicle %s: report of counts refused: %s", vehicle_id, error.message)
        raise


def _note_junk(connection: Connection, services: Services, vehicle_id: str, reason: Refusal) -> None:
    after = services.settings.junk_before_quarantine or None
    quarantine.note_junk(connection, vehicle_id, reason, after=after)


def _record_counts(connection: Connection, services: Services, vehicle_id: str, report: Telemetry) -> None:
    quarantine.require_free(connection, vehicle_id)
    versions = {(counts.campaign, counts.version) for counts in report.counts}
    parts = telemetry.counted_parts(connection, versions)
    if versions - parts.keys() and last_backup_at(connection) is not None:
        known = tuple(counts for counts in report.counts if (counts.campaign, counts.version) in parts)
        report = report.model_copy(update={"counts": known})
    rules.check_counts(report.counts, parts)
    now = datetime.now(UTC)
    given = assignments.assigned(connection, vehicle_id, versions, services.assignment_terms, now=now)
    accepted, refused = rules.judge_counts(report.counts, given, now_ns=int(now.timestamp() * NS_PER_S))
    known_marks = telemetry.watermarks(connection, vehicle_id)
    telemetry.record_counts(connection, vehicle_id, report.model_copy(update={"counts": accepted}))
    for refusal in refused:
        counts = refusal.counts
        # What was accepted in time is repeated in every report, and nothing is lost when it is left out then.
        if counts.watermark > known_marks.get((counts.campaign, counts.version), 0):
            _note_junk(connection, services, vehicle_id, refusal.reason)
            _log.warning("vehicle %s: counts left out (%s): %s", vehicle_id, refusal.reason, refusal.why)
