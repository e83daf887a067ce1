"""Campaigns with a rollout in stages, for tests of who is assigned and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.support.fleet import campaign_settings
from triggers.contracts.campaign import BudgetLimits, CampaignSettings, RolloutStage

BEGAN = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY_NS = 86_400 * 10**9
STAGES = (
    RolloutStage(share=0.1, duration_ns=DAY_NS),
    RolloutStage(share=0.5, duration_ns=DAY_NS),
    RolloutStage(share=1.0),
)


def settings_with(**changes: Any) -> CampaignSettings:
    """The settings of a campaign for the whole fleet, but for these."""
    return campaign_settings("braking", BudgetLimits()).model_copy(update=changes)


def ns(moment: datetime) -> int:
    """As ns since the epoch."""
    return int(moment.timestamp()) * 10**9
