"""The short way of a check-in: a vehicle that is remembered and has nothing new to tell gets its 304 at once.

It runs on the event loop without a transaction or a thread. Whatever is not plainly the usual case goes the long way,
which answers it, or refuses it with the right error. Nothing is held for a vehicle before its token or signature is
known to be right; the nonce of a signed request is used by the answer only, since the long way uses it, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from fleet_api.http.routing import ApiRoute
from fleet_api.http.threads import in_vehicle_threads
from fleet_api.known import Remembered, signer
from fleet_api.services import Services
from ingest.http.signed_requests import check_signature, is_signed
from storage.tokens import token_hash
from triggers.body_digest import HEADER, check_content_digest
from triggers.contracts.checkin import CheckIn
from triggers.errors import LongtailError
from triggers.request_signature import SignedRequest, parse

MAX_BODY_BYTES = 16 * 1024
"""A larger body goes the long way, on which its memory is counted and parsing it does not delay other requests."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class CheckInRoute(ApiRoute):
    """The route of check-ins, with the short way in front of it."""

    def get_route_handler(self) -> Handler:
        """The handler of requests."""
        long_way = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if await _is_unchanged(request):
                return Response(status_code=304)
            return await long_way(request)

        return handle


async def _is_unchanged(request: Request) -> bool:
    services: Services = request.app.state.services
    headers = request.headers
    length = headers.get("content-length", "")
    usual = (
        not request.scope["query_string"]
        and headers.get("content-type") == "application/json"
        and "content-encoding" not in headers
        and length.isdigit()
        and len(length) < 9
        and int(length) <= MAX_BODY_BYTES
    )
    if not usual:
        return False
    try:
        signed = parse(request.method, headers) if is_signed(headers) else None
        vehicle = _remembered(request, services, signed)
        if vehicle is None:
            return False
        if not services.known.is_fresh:
            await in_vehicle_threads(request, lambda: services.known.refresh(services.vehicle_database))
        if signed is not None and not _has_signed(vehicle, signed, request, services):
            return False
        request.state.is_vehicle = True
        request.state.caller = f"vehicle {vehicle.vehicle_id}"
        body = await request.body()  # kept by the request, so the long way can still read it
        check_content_digest(headers.get(HEADER), body)
        report = CheckIn.from_json(body, what="the body")
        now_ns = time.time_ns()
        if not services.known.is_unchanged(vehicle, report, now_ns=now_ns):
            return False
        if signed is not None:
            services.nonces.use(signed.vehicle_id, signed.nonce)
    except LongtailError:
        return False  # the long way says what is wrong
    services.known.seen(vehicle, report, now_ns=now_ns)
    return True


def _remembered(request: Request, services: Services, signed: SignedRequest | None) -> Remembered | None:
    """The vehicle that has sent this token, or that the signature says it is; of the latter nothing is proven yet."""
    vehicle_id = request.path_params["vehicle_id"]
    if signed is not None:
        return services.known.find(signer(signed.vehicle_id), vehicle_id)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return services.known.find(token_hash(token), vehicle_id) if scheme == "Bearer" else None


def _has_signed(vehicle: Remembered, signed: SignedRequest, request: Request, services: Services) -> bool:
    """Whether the vehicle's key, which no change has ended, has made the signature; Unauthenticated if another has."""
    if vehicle.key is None or not services.known.is_current(vehicle):
        return False
    url = services.settings.effective_api_url()
    check_signature(signed, vehicle.key, path=request.scope["path"], public_url=url)
    return True
