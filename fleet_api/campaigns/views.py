"""The API's views of campaign versions: summaries with the outcomes of their fires, and the details of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from fleet_api.budget.views import account_view
from storage.campaigns.queries import CampaignVersion, StoredContent
from storage.counts.outcomes import OutcomeCounts
from storage.ledger import AccountUsage
from triggers.contracts.api.campaigns import CampaignDetails, CampaignSummary, ComparedView, ReviewView
from triggers.contracts.api.outcomes import OutcomesView
from triggers.contracts.compared import Compared

CountedOutcomes = Mapping[tuple[str, int], OutcomeCounts]
"""Outcomes by campaign and version; versions that no vehicle has reported on are missing."""


def summary_view(version: CampaignVersion, counted: CountedOutcomes) -> CampaignSummary:
    """A version in a list."""
    return CampaignSummary(**asdict(version), outcomes=_outcomes_view(version, counted))


def details_view(
    version: CampaignVersion,
    counted: CountedOutcomes,
    *,
    content: StoredContent,
    review: ReviewView,
    pairs: Mapping[str, Compared],
    accounts: Sequence[AccountUsage],
) -> CampaignDetails:
    """One version; `pairs` are by compared head, heads without a report are missing."""
    heads: Sequence[str] = version.settings["compare"]
    return CampaignDetails(
        **asdict(version),
        outcomes=_outcomes_view(version, counted),
        source=content.source,
        signals=content.signal_catalog,
        review=review,
        compared={head: ComparedView.model_validate(pairs.get(head, Compared())) for head in heads},
        budget=[account_view(account) for account in accounts],
    )


def _outcomes_view(version: CampaignVersion, counted: CountedOutcomes) -> OutcomesView:
    return OutcomesView.model_validate(counted.get((version.campaign, version.version), OutcomeCounts()))
