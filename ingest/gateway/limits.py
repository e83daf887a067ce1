"""Limits that protect one gateway process from slow, silent and too many clients."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.http.bounds.pace import PACE, Pace
from ingest.single_check import CHECK_S
from triggers.contracts.clip import MAX_MANIFEST_BYTES


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """Times are in seconds. The limit on clip bytes in flight is a setting (`gateway_in_flight_bytes`)."""

    pace: Pace = PACE
    """What comes of a body is held in memory, so one that is silent or too slow is cut off."""
    in_flight_wait_s: float = 5.0
    """How long a request waits for its share of the bytes in flight before it is refused."""
    cells_per_request: int = 8
    """Cells that one request may hold at once: being gathered, waiting, being appended."""
    writers_per_vehicle: int = 8
    """Concurrent PATCH requests of one vehicle, including broken ones that have not been given up yet."""
    creations_per_vehicle: int = 16
    """Concurrent creation requests of one vehicle; its manifests share two manifests' worth of memory."""
    mismatches_per_upload: int = 16
    """How often in a row a cell may come with other bytes than the manifest says before its clip is given up."""
    manifests_in_flight_bytes: int = 16 * MAX_MANIFEST_BYTES
    connection_wait_s: float = 2.0
    """How long a call waits for a connection to the database; each thread has one, unless they are being replaced."""
    waiting_calls: int = 512
    """Calls that may wait for a thread of one pool."""
    token_ttl_s: float = 10.0
    """How long a token is trusted without asking the database, and so how late a revocation may take effect."""
    cached_tokens: int = 10_000
    rejections_per_vehicle: int = 100
    """Open dead letters of rejected manifests that are kept per vehicle."""
    rejected_manifest_bytes: int = 256 * 1024
    """Rejected manifests up to this size are kept with their dead letter."""
    check_s: float = CHECK_S
    """How long a check of database and log may take before the gateway is not ready."""
