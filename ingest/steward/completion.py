"""Rules for completing campaigns, as pure functions of the date, a campaign's settings and what it has used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum

from storage.ledger.usage import Settled
from triggers.contracts.campaign import CampaignSettings
from triggers.contracts.campaign_life import is_over
from triggers.contracts.clip import MAX_CLIP_BYTES


class CompletionReason(StrEnum):
    """Why a campaign completed; stored with its version."""

    DATE = "date"
    CLIPS = "clips"
    BUDGET = "budget"


BY_LIMIT = frozenset({CompletionReason.CLIPS, CompletionReason.BUDGET})
"""A limit of the campaign's own ended it."""


def completion_reason(
    settings: CampaignSettings, today: date, settled: Settled, smallest_clip_bytes: Callable[[], int | None]
) -> CompletionReason | None:
    """Why a running campaign completes now; None if it continues.

    It completes when its last day is over, when all its clips are catalogued, or when fewer bytes are left than its
    smallest clip took. `smallest_clip_bytes` is called only when it decides.
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
