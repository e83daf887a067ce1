"""The API's views of campaign versions: summaries with the outcomes of their fires, and the details of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from fleet_api.budget.views import account_view
from storage.campaigns.queries import CampaignVersion, StoredContent
from storage.counts.outcomes import OutcomeCounts
from storage.ledger import AccountUsage
from triggers.assignment.rollout import stage_at
from triggers.contracts.api.campaigns import (
    CampaignDetails,
    CampaignSummary,
    ComparedView,
    EventCountsView,
    ReviewView,
    StageView,
)
from triggers.contracts.api.outcomes import OutcomesView
from triggers.contracts.campaign import RUNNING, EventComparison, RolloutStage
from triggers.contracts.compared import Compared, EventCounts, EventsBySides

CountedOutcomes = Mapping[tuple[str, int], OutcomeCounts]
"""Outcomes by campaign and version; versions that no vehicle has reported on are missing."""


def summary_view(version: CampaignVersion, counted: CountedOutcomes, *, now: datetime) -> CampaignSummary:
    """A version in a list."""
    outcomes = _outcomes_view(version, counted)
    return CampaignSummary(**asdict(version), stage=stage_view(version, now), outcomes=outcomes)


def stage_view(version: CampaignVersion, now: datetime) -> StageView | None:
    """The stage that a version's rollout has reached; None unless it runs."""
    if version.state not in RUNNING or version.rollout_from is None:
        return None
    stages = [RolloutStage.model_validate(stage, strict=False) for stage in version.settings["rollout"]]
    elapsed = (version.halted_at or now) - version.rollout_from
    reached = stage_at(stages, max(0, round(elapsed / timedelta(microseconds=1))) * 1000)
    stands = version.halted_at is not None or reached.left_ns is None
    ends_at = None if stands else now + timedelta(microseconds=(reached.left_ns or 0) // 1000)
    return StageView(number=reached.number, stages=len(stages), share=reached.share, ends_at=ends_at)


def details_view(
    version: CampaignVersion,
    counted: CountedOutcomes,
    *,
    content: StoredContent,
    review: ReviewView,
    pairs: Mapping[str, Compared],
    events: Mapping[str, EventsBySides],
    accounts: Sequence[AccountUsage],
    now: datetime,
) -> CampaignDetails:
    """One version; `pairs` and `events` are by compared head, heads without a report are missing."""
    heads: Sequence[str] = version.settings["compare"]
    compared = [EventComparison.model_validate(each) for each in version.settings.get("events", ())]
    return CampaignDetails(
        **asdict(version),
        stage=stage_view(version, now),
        outcomes=_outcomes_view(version, counted),
        source=content.source,
        signals=content.signal_catalog,
        review=review,
        compared={head: ComparedView.model_validate(pairs.get(head, Compared())) for head in heads},
        events={
            each.head: {
                sides: EventCountsView.model_validate(events.get(each.head, {}).get(sides, EventCounts()))
                for sides in each.sides
            }
            for each in compared
        },
        budget=[account_view(account) for account in accounts],
    )


def _outcomes_view(version: CampaignVersion, counted: CountedOutcomes) -> OutcomesView:
    return OutcomesView.model_validate(counted.get((version.campaign, version.version), OutcomeCounts()))
