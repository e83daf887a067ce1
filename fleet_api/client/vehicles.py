"""Vehicles: enrol, look up, revoke, erase; and the trust document that they follow."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from fleet_api.client.transport import SHOWN_CANDIDATES, Transport, path_of, refuse_ambiguous, request_of
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.trust import PublishedView, PublishRequest, TrustView
from triggers.contracts.api.vehicles import (
    CodeRequest,
    EnrolledView,
    EnrolmentCodeView,
    EnrolRequest,
    ErasureReportView,
    VehicleErasureView,
    VehicleList,
    VehicleView,
)
from triggers.contracts.base import AttributeValue

PAGE = 1000
MAX_ID_CHARACTERS = 64


class Vehicles:
    """What `client.vehicles` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def enrol(
        self,
        vehicle_id: str,
        attributes: Mapping[str, AttributeValue] | None = None,
        *,
        replays: bool = False,
        replace: bool = False,
    ) -> EnrolledView:
        """Enrol a vehicle, or with `replace` enrol it again. Its token cannot be shown again.

        `replays` is for a simulated vehicle, whose drives take less time than they contain.
        """
        given = {"attributes": dict(attributes or {}), "replays": replays, "replace": replace}
        body = request_of(EnrolRequest, id=vehicle_id, **given)
        return self._transport.post(EnrolledView, path_of("vehicles"), body)

    def issue_code(
        self,
        vehicle_id: str,
        attributes: Mapping[str, AttributeValue] | None = None,
        *,
        replace: bool = False,
    ) -> EnrolmentCodeView:
        """A one-time code, with which the vehicle enrols itself, or with `replace` again. It cannot be shown again."""
        body = request_of(CodeRequest, id=vehicle_id, attributes=dict(attributes or {}), replace=replace)
        return self._transport.post(EnrolmentCodeView, path_of("enrolment-codes"), body)

    def list(self, *, prefix: str = "", limit: int | None = None) -> Iterator[VehicleView]:
        """Vehicles whose id begins with `prefix`, by id, page after page, at most `limit`."""
        return self._transport.pages(
            VehicleList,
            path_of("vehicles"),
            lambda page: page.vehicles,
            by="after",
            size=PAGE,
            parameters={"prefix": prefix or None},
            limit=limit,
        )

    def get(self, vehicle_id: str) -> VehicleView:
        """One vehicle, with what it reported at its latest check-in."""
        return self._transport.get(VehicleView, path_of("vehicles", vehicle_id))

    def resolve(self, prefix: str) -> str:
        """The id that is `prefix`, else the only one that begins with it; raises InvalidInput if there are several.

        A text that begins no id is returned unchanged, so that the API can say what is wrong with it.
        """
        if not prefix or len(prefix) > MAX_ID_CHARACTERS:
            return prefix
        ids = [vehicle.id for vehicle in self.list(prefix=prefix, limit=SHOWN_CANDIDATES + 1)]
        if len(ids) <= 1:
            return ids[0] if ids else prefix
        return prefix if prefix in ids else refuse_ambiguous("vehicles", prefix, ids)

    def revoke(self, vehicle_id: str) -> None:
        """Shut a vehicle out until it is enrolled again. What it uploaded stays."""
        self._transport.act(path_of("vehicles", vehicle_id, "revoke"))

    def quarantine(self, vehicle_id: str, *, reason: str) -> None:
        """Refuse a vehicle's uploads and reports until it is released."""
        self._transport.act(path_of("vehicles", vehicle_id, "quarantine"), request_of(ReasonRequest, reason=reason))

    def release(self, vehicle_id: str, *, reason: str) -> None:
        """Accept a vehicle's uploads and reports again."""
        self._transport.act(path_of("vehicles", vehicle_id, "release"), request_of(ReasonRequest, reason=reason))

    def void_counts(self, vehicle_id: str, *, reason: str) -> None:
        """Leave a vehicle's counts out of all sums."""
        self._transport.act(path_of("vehicles", vehicle_id, "void-counts"), request_of(ReasonRequest, reason=reason))

    def restore_counts(self, vehicle_id: str, *, reason: str) -> None:
        """Have a vehicle's counts in all sums again."""
        self._transport.act(path_of("vehicles", vehicle_id, "restore-counts"), request_of(ReasonRequest, reason=reason))

    def erase(self, vehicle_id: str, *, reason: str) -> VehicleErasureView:
        """Erase a vehicle for good, with everything that it sent. Asking again returns what is left of it."""
        return self._transport.delete(VehicleErasureView, path_of("vehicles", vehicle_id), {"reason": reason})

    def erasure_report(self, vehicle_id: str) -> ErasureReportView:
        """The signed report on an erased vehicle; raises Conflict while something of it is left."""
        return self._transport.get(ErasureReportView, path_of("vehicles", vehicle_id, "erasure"))


class Trust:
    """What `client.trust` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def newest(self) -> bytes | None:
        """The envelope of the newest document; None before the first."""
        envelope = self._transport.get(TrustView, path_of("trust")).envelope
        return None if envelope is None else base64.b64decode(envelope)

    def publish(self, envelope: bytes) -> PublishedView:
        """Publish the next document; needs an administrator."""
        body = request_of(PublishRequest, envelope=base64.b64encode(envelope).decode())
        return self._transport.post(PublishedView, path_of("trust"), body)
