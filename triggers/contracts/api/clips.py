"""Clips: a page of them, and one with everything that belongs to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from triggers.contracts.api.base import View


class FireView(View):
    """A fire in a clip. Its window is what it asked to be recorded."""

    campaign: str
    version: int
    trigger: str
    ordinal: int
    t_ns: int
    window_start_ns: int
    window_end_ns: int
    inclusion_probability: float
    charged_bytes: int
    program_digest: str


class ClipView(View):
    """A clip in a list. `box` is west, south, east, north in degrees; null without a position."""

    id: str
    vehicle_id: str
    recording_id: str
    state: str
    start_ns: int
    end_ns: int
    size_bytes: int
    digest: str
    attributes: dict[str, Any]
    tags: list[str]
    box: tuple[float, float, float, float] | None
    damage: str | None
    stored_at: datetime
    ready_at: datetime | None
    fires: list[FireView]


class ClipPage(BaseModel):
    """A page of clips; `next` is the token of the next one, null at the end."""

    clips: list[ClipView]
    next: str | None


class AssetView(BaseModel):
    """A file of a clip: the recording itself (`clip.mcap`), and what extraction made of it."""

    name: str
    href: str
    media_type: str
    size_bytes: int


class StatisticsView(View):
    """A signal's statistics over the clip, in the signal's unit."""

    signal: str
    samples: int
    minimum: float | None
    maximum: float | None
    mean: float | None


class LabelView(View):
    """Labels of the clip, an ASAM OpenLABEL document, with who or what made them."""

    id: int
    job_id: int
    labeler: str
    types: list[str]
    openlabel: dict[str, Any]
    provenance: dict[str, Any]
    created_at: datetime


class ClipDetailsView(ClipView):
    """Everything of a clip. Links are good for an hour; newest labels first."""

    software: dict[str, str]
    track: Any
    assets: list[AssetView]
    statistics: list[StatisticsView]
    labels: list[LabelView]
