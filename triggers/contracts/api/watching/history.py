"""History in the API: what happened to a clip or a fire, and how long clips take from their fire to each stage."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.base import View

Stage = Literal[
    "fired", "announced", "received", "stored", "ready", "labelled", "damaged", "failed", "expired", "erased"
]
"""How far a clip or fire has come: the first six in this order, the others are ends."""
LatencyStage = Literal["stored", "ready", "labelled"]
QUANTILES = (0.5, 0.9, 0.99)


class EventView(View):
    """One thing that happened. `what` is a word, `detail` a sentence for people; an upload has its id."""

    at: datetime
    what: str
    detail: str
    upload_id: str | None = None


class HistoryView(View):
    """What happened to a clip, or to the clips of a fire, oldest first; times are the deployment's but for fires.

    `waits_for` says what is to happen next, who does it, and what was wrong if something was; null when nothing is.
    """

    vehicle_id: str
    clip_ids: list[str]
    stage: Stage
    waits_for: str | None
    events: list[EventView]


class Percentiles(View):
    """Seconds that a half, nine tenths and 99 of 100 clips took at most; null without clips."""

    p50: float | None
    p90: float | None
    p99: float | None


class LatencyView(View):
    """How long after their first fire the clips of one campaign came to each stage, over one network."""

    campaign: str
    network: str
    clips: int
    stored: Percentiles
    ready: Percentiles
    labelled: Percentiles
    labelled_clips: int


class LatencyList(BaseModel):
    """Latencies of clips that were stored since a time. `capped`: there are more; these are of the newest."""

    since: datetime
    capped: bool
    rows: list[LatencyView]
