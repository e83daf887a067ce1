"""Outcomes in the API: what became of fires, in counts that add up, and dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.base import View

LetterStage = Literal["gateway", "assembler", "extraction"]
"""The stage at which processing failed."""
LetterState = Literal["open", "replayed", "discarded"]
MAX_LISTED_LETTERS = 1000
FIRE_OUTCOMES = ("sampled_out", "refused", "dropped", "failed", "catalogued", "in_flight")
"""The members of OutcomesView that add up to `fired`."""


class OutcomesView(View):
    """What became of a campaign version's fires, up to the watermarks that vehicles have reported.

    `fired` is the sum of sampled_out, refused, dropped, failed, catalogued and in_flight. `expired` and `erased`, parts
    of catalogued, are fires whose last clip is no longer in the catalog. `unaccounted`, a part of in_flight, are fires
    that were handed over but are nowhere in the cloud: 0 unless something was lost.
    """

    fired: int
    suppressed: int
    sampled_out: int
    refused: dict[str, int]
    dropped: dict[str, int]
    failed: dict[str, int]
    catalogued: int
    expired: int
    erased: int
    in_flight: int
    unaccounted: int
    overruled: int
    per_trigger: dict[str, int]
    armed_ns: int
    distance_m: int


class CampaignOutcomesView(OutcomesView):
    """The outcomes of a campaign version."""

    campaign: str
    version: int


class OutcomesList(BaseModel):
    """Outcomes by campaign version, and the number of open dead letters by reason."""

    outcomes: list[CampaignOutcomesView]
    dead_letters: dict[str, int]


class DeadLetterView(View):
    """Something that could not be processed. `fires` is the number of fires that are lost with it."""

    id: int
    stage: str
    reason: str
    detail: str
    vehicle_id: str | None
    upload_id: str | None
    clip_id: str | None
    object_key: str | None
    fires: int
    state: str
    created_at: datetime


class DeadLetterPage(BaseModel):
    """Dead letters, newest first; pass `next` as `before` to continue, null at the end."""

    dead_letters: list[DeadLetterView]
    next: int | None
