"""What became of fires and uploads: counts that add up, and dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.base import View

LetterStage = Literal["gateway", "assembler", "extraction"]
"""Where something could not go on."""
LetterState = Literal["open", "replayed", "discarded"]
MAX_LISTED_LETTERS = 1000


class OutcomesView(View):
    """What became of a campaign version's fires, up to the watermarks that vehicles have reported.

    `fired` is the sum of sampled_out, refused, dropped, failed, catalogued and in_flight. `unaccounted`, a part of
    in_flight, were handed over and are nowhere in the cloud: it is 0 unless something was lost.
    """

    fired: int
    suppressed: int
    sampled_out: int
    refused: dict[str, int]
    dropped: dict[str, int]
    failed: dict[str, int]
    catalogued: int
    in_flight: int
    unaccounted: int
    overruled: int
    per_trigger: dict[str, int]
    armed_ns: int
    distance_m: int


class CampaignOutcomesView(OutcomesView):
    """Outcomes with the version they belong to."""

    campaign: str
    version: int


class OutcomesList(BaseModel):
    """Counts by campaign version, and open dead letters by reason."""

    outcomes: list[CampaignOutcomesView]
    dead_letters: dict[str, int]


class DeadLetterView(View):
    """What could not go on. `fires` is how many fires it took along."""

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
    """Dead letters, newest first; `next` is what `before` continues with, null at the end."""

    dead_letters: list[DeadLetterView]
    next: int | None
