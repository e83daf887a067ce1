"""When campaigns complete: pure rules over a day, a campaign's settings and what it has used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum

from storage.campaigns.facts import Settled
from triggers.contracts.campaign import CampaignSettings
from triggers.contracts.campaign_life import is_over
from triggers.contracts.clip import MAX_CLIP_BYTES


class CompletionReason(StrEnum):
    """Why a campaign completed; kept with its version."""

    DATE = "date"
    CLIPS = "clips"
    BUDGET = "budget"


def completion_reason(
    settings: CampaignSettings, today: date, settled: Settled, smallest_clip_bytes: Callable[[], int | None]
) -> CompletionReason | None:
    """Why a running campaign completes now; None: it goes on.

    It completes when its last day is over, when its clips are all catalogued, or when so few bytes are left that no
    clip as small as its smallest one would fit. `smallest_clip_bytes` is asked only when it decides.
    """
    if is_over(settings, today):
        return CompletionReason.DATE
    if settings.budget.clips is not None and settled.clips >= settings.budget.clips:
        return CompletionReason.CLIPS
    if settings.budget.total_bytes is None:
        return None
    left_bytes = settings.budget.total_bytes - settled.bytes
    if left_bytes <= 0:
        return CompletionReason.BUDGET
    if left_bytes >= MAX_CLIP_BYTES:
        return None
    smallest = smallest_clip_bytes()
    return CompletionReason.BUDGET if smallest is not None and left_bytes < smallest else None
