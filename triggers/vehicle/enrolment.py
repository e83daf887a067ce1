"""Enrolment by the vehicle itself, with a one-time code, under a key that it has made and that never leaves it."""

from __future__ import annotations

from pathlib import Path

import httpx
from pydantic import ValidationError

from triggers.contracts.api.vehicles import EnrolledKeyView, KeyRequest
from triggers.errors import InvalidInput
from triggers.vehicle.http import MAX_PROBLEM_BYTES, json_body, reaching, read_bounded, refusal
from triggers.vehicle.key import ensure_key


def enrol_with_code(
    api_url: str, vehicle_id: str, code: str, state_directory: Path, http: httpx.Client
) -> EnrolledKeyView:
    """Enrol this vehicle under its key; returns the servers and the keys to trust.

    Raises Unauthenticated for a code that is used, expired or another vehicle's, Unreachable, or InvalidInput for an
    answer that is not the API's. Without an answer, look whether a check-in works before asking for another code.
    """
    key = ensure_key(state_directory)
    url = f"{api_url.rstrip('/')}/v1/vehicles/{vehicle_id}/key"
    body = KeyRequest.of(key, vehicle_id, code)
    with reaching("the API", "api_url", url), http.stream("POST", url, **json_body(body.canonical_json())) as reply:
        answer = read_bounded(reply, MAX_PROBLEM_BYTES)
    if reply.status_code != httpx.codes.CREATED:
        raise refusal(reply, answer, "the API did not enrol the vehicle")
    try:
        return EnrolledKeyView.model_validate_json(answer)
    except ValidationError as error:
        raise InvalidInput("the API's answer to the enrolment is not one", remedy="check api_url") from error
