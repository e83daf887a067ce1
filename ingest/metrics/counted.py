"""What is counted in a process while it works; every process has one registry, into which its own of these go."""

from __future__ import annotations

import re
import threading

from prometheus_client import Counter, Histogram, disable_created_metrics

from ingest.metrics import names
from storage.watching.stages import Stages

disable_created_metrics()  # type: ignore[no-untyped-call]  # a third of all series, which nobody asks for

MAX_UPLOAD_SERIES = 1000
"""Of campaigns and networks; what comes after them is counted for campaign="" (others)."""
_REQUEST_BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
_STAGE_BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 86400.0, 7 * 86400.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

HTTP_REQUESTS = names.HTTP_REQUESTS.counter()
HTTP_SECONDS = names.HTTP_SECONDS.histogram(_REQUEST_BUCKETS)
CHECK_INS = names.CHECK_INS.counter()
RECEIVED_BYTES = names.RECEIVED_BYTES.counter()
UPLOAD_BYTES = names.UPLOAD_BYTES.counter()
CLIP_STAGE = names.CLIP_STAGE.histogram(_STAGE_BUCKETS)
_CHECK_IN = re.compile(r"/v1/vehicles/[^/]+/check-in")
_OF_PROCESS: dict[str, tuple[Counter | Histogram, ...]] = {
    "api": (HTTP_REQUESTS, HTTP_SECONDS, CHECK_INS, CLIP_STAGE),
    "gateway": (HTTP_REQUESTS, HTTP_SECONDS, RECEIVED_BYTES),
    "ingest": (UPLOAD_BYTES, CLIP_STAGE),
}
_charged: set[tuple[str, str]] = set()
_lock = threading.Lock()


def counted_by(process: str) -> tuple[Counter | Histogram, ...]:
    """What this process counts."""
    return _OF_PROCESS[process]


def count_request(method: str, path: str, status: int, took_s: float) -> None:
    """A request was answered, with status 0 if its client was gone. `path` is without a proxy's prefix."""
    known = method if method in _METHODS else "other"
    HTTP_REQUESTS.labels(known, str(status)).inc()
    HTTP_SECONDS.labels(known).observe(took_s)
    if method == "POST" and _CHECK_IN.fullmatch(path):
        CHECK_INS.labels(str(status)).inc()


def count_stages(stages: Stages) -> None:
    """Clips came from one stage to the next, and campaigns were charged for them."""
    for stage, seconds in stages.seconds:
        CLIP_STAGE.labels(stage).observe(seconds)
    for charge in stages.charges:
        UPLOAD_BYTES.labels(*_bounded(charge.campaign, charge.network)).inc(charge.bytes)


def _bounded(campaign: str, network: str) -> tuple[str, str]:
    with _lock:
        if (campaign, network) not in _charged and len(_charged) >= MAX_UPLOAD_SERIES:
            return "", network
        _charged.add((campaign, network))
    return campaign, network
