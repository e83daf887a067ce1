"""The report on an erased vehicle: what was erased, when, by whom and why, signed by the deployment's key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import Field

from triggers.contracts.base import Contract

PURPOSE: Final = "longtail-erasure-report"
MAX_REPORT_BYTES = 64 * 1024
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class ErasureReport(Contract):
    """What a deployment erased of one vehicle. It names neither vehicle nor clips, but can be checked against them.

    `vehicle_digest` is the SHA-256 of the vehicle's id, `clips_digest` what `digest_of_clips` gives for its clips.
    `erased` counts rows by the names of their tables, `objects` and `clip_bytes`; `unlinked` counts rows that stay for
    sums and budgets, without anything that tells the vehicle.
    """

    kind: Literal["longtail-erasure-report"] = PURPOSE
    deployment: Annotated[str, Field(max_length=200)]
    vehicle_digest: Digest
    requested_at: Annotated[str, Field(max_length=40)]
    finished_at: Annotated[str, Field(max_length=40)]
    erased_by: Annotated[str, Field(max_length=500)]
    reason: Annotated[str, Field(max_length=500)]
    erased: Annotated[dict[str, Count], Field(max_length=100)]
    unlinked: Annotated[dict[str, Count], Field(max_length=100)]
    clips_digest: Digest


def digest_of_vehicle(vehicle_id: str) -> bytes:
    """The SHA-256 of a vehicle's id, which is all that is kept of it."""
    return hashlib.sha256(vehicle_id.encode("utf-8", "replace")).digest()


def digest_of_clip(clip_id: str) -> bytes:
    """The SHA-256 of a clip's id."""
    return hashlib.sha256(clip_id.encode()).digest()


def digest_of_clips(digests: Iterable[bytes]) -> bytes:
    """The SHA-256 over the digests of clips, in their order as bytes: whatever order the clips were erased in."""
    return hashlib.sha256(b"".join(sorted(digests))).digest()
