"""Bounds of one gateway process that protect it from slow, silent and too many clients."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.contracts.clip import MAX_MANIFEST_BYTES


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """Times in seconds. The bytes of clips in flight are a setting (`gateway_in_flight_bytes`)."""

    body_silence_s: float = 20.0
    """A body that sends nothing for this long is given up."""
    cell_deadline_s: float = 300.0
    """A cell holds memory from its first byte: slower than one in this time (1.7 kB/s) is given up."""
    in_flight_wait_s: float = 5.0
    """How long a request waits for its share of the bytes in flight before it is sent away."""
    cells_per_request: int = 8
    """Cells that one request may hold at once: being gathered, waiting, being appended."""
    writers_per_vehicle: int = 8
    """PATCH requests of one vehicle at once, those counted that were cut off and are not given up yet."""
    manifests_in_flight_bytes: int = 4 * MAX_MANIFEST_BYTES
    waiting_calls: int = 512
    """Calls that may wait for a thread of one pool."""
    token_ttl_s: float = 10.0
    """How long a token is believed without asking the database: so late does a revocation reach an upload."""
    cached_tokens: int = 10_000
    rejections_per_vehicle: int = 100
    """Open dead letters of rejected manifests that are kept of one vehicle."""
    rejected_manifest_bytes: int = 256 * 1024
    """Rejected manifests up to this size are kept with their dead letter."""
