"""Campaigns in the API: applying a trigger file, the steps of a version's life, outcomes and budget."""

from __future__ import annotations

import operator
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from triggers.contracts.api.base import View
from triggers.contracts.api.budget import AccountView, CostCentre
from triggers.contracts.api.costs.expected import ExpectedCostView
from triggers.contracts.api.outcomes import OutcomesView
from triggers.contracts.base import Contract, Name, Sha256Hex
from triggers.contracts.campaign import MAX_TRIGGERS, CampaignState
from triggers.contracts.compared import Sides
from triggers.contracts.limits import MAX_CATALOG_BYTES, MAX_SOURCE_BYTES

CatalogReference = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[!-~]+$")]
"""A published signal catalog: a name, `NAME@VERSION`, or the SHA-256 of its text in lower-case hex."""


class Expected(Contract):
    """What a backtest expects of a day, with its interval; `high` is null where it may last for ever."""

    mean: float
    low: float
    high: float | None


class TriggerExpected(Contract):
    """What a trigger is expected to yield per day: of the fleet, and bytes also of a vehicle."""

    fires_per_fleet_day: Expected
    clips_per_fleet_day: Expected
    bytes_per_fleet_day: Expected
    bytes_per_vehicle_day: Expected


MAX_LIMITS = 5
"""Limits that a campaign may have, its largest upload among them; each of its triggers may have as many."""


class BudgetExpected(Contract):
    """A limit of the campaign, or of one of its triggers, beside the forecast, as in the report of a backtest."""

    trigger: Name | None = Field(default=None, exclude_if=operator.not_)
    limit: Annotated[str, StringConstraints(max_length=64)]
    amount: Annotated[int, Field(ge=0)]
    per_day: Expected | None
    days: Expected | None
    clips: Annotated[int, Field(ge=0)]
    larger_clips: Annotated[int, Field(ge=0)]


class BacktestForecast(Contract):
    """What the author's backtest of this very program forecasts. The author states it; whoever doubts it runs one."""

    program_digest: Sha256Hex
    drives: Annotated[int, Field(ge=0)]
    hours: Annotated[float, Field(ge=0)]
    vehicles: Annotated[int, Field(ge=1)]
    hours_per_day: Annotated[float, Field(gt=0, le=24)]
    triggers: Annotated[dict[Name, TriggerExpected], Field(max_length=MAX_TRIGGERS)]
    budgets: Annotated[tuple[BudgetExpected, ...], Field(max_length=MAX_LIMITS * (1 + MAX_TRIGGERS))]


class CatalogRequest(Contract):
    """A signal catalog: its text, or the published one to take."""

    signals: Annotated[str, Field(max_length=MAX_CATALOG_BYTES)] | None = None
    """The catalog's YAML. Where catalogs are published it must be one of them, unless the deployment allows others."""
    catalog: CatalogReference | None = None
    """In its place, a published catalog: `NAME` (its newest version), `NAME@VERSION`, or the digest of its text."""

    @model_validator(mode="after")
    def _one_catalog(self) -> Self:
        if (self.signals is None) == (self.catalog is None):
            raise ValueError("give either `signals`, the text of a signal catalog, or `catalog`, a published one")
        return self


class SourceRequest(CatalogRequest):
    """A trigger file and the signal catalog to compile it against."""

    source: Annotated[str, Field(max_length=MAX_SOURCE_BYTES)]
    filename: Annotated[str, StringConstraints(min_length=1, max_length=300)] = "campaign.trigger"


class ApplyRequest(SourceRequest):
    """A campaign of a trigger file, to become its next version."""

    campaign: Name | None = None
    """Which campaign of the file; may be omitted if the file has only one."""
    draft: bool = False
    based_on: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """The campaign's newest version that the author has seen, 0 for none; 409 if another has come in between."""
    forecast: BacktestForecast | None = None
    """Shown to approvers; 409 unless its program is the one that the text compiles to."""


class StepRequest(Contract):
    """Why somebody takes a step in a version's life; it is in the audit log."""

    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class ApproveRequest(StepRequest):
    """The `approval_digest` of the version that the approver has seen."""

    digest: Sha256Hex
    backtest_digest: Sha256Hex | None = None
    """The `backtest_digest` of the review that the approver has seen, null if it had none; 409 if it has changed."""


class AssignRequest(Contract):
    """Who is to own a campaign, and which cost centre is to pay for it; what is null stays as it is."""

    owner: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """A user's name, in any spelling."""
    cost_centre: CostCentre | None = None
    """'' for none. What was charged before stays with the cost centre of before."""
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class OwnerView(View):
    """A campaign's owner, at first who applied it first, and its cost centre ('': none)."""

    campaign: str
    owner: str
    owner_id: int
    cost_centre: str


class CampaignView(View):
    """A campaign version. `owner` and `cost_centre` are those of its campaign."""

    campaign: str
    version: int
    state: CampaignState
    program_digest: str
    approval_digest: str
    """SHA-256 of everything that the version sends to vehicles: its program, settings, name and number."""
    bundle_digest: str | None
    author: str
    author_id: int
    """Ids of people stay when their names change."""
    created_at: datetime
    submitted_by: str | None
    submitted_by_id: int | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_by_id: int | None
    approved_at: datetime | None
    rejected_by: str | None
    """Who returned this draft to its author; null once it is submitted again."""
    rejected_by_id: int | None
    rejected_at: datetime | None
    rejected_reason: str | None
    activated_at: datetime | None
    paused_at: datetime | None
    held_at: datetime | None
    """Since when its rollout is held: vehicles of the stage that it had reached keep the version, no others get it."""
    held_by: str | None
    held_reason: str | None
    ended_at: datetime | None
    ended_reason: str | None
    owner: str
    owner_id: int
    cost_centre: str


class StageView(View):
    """The stage of its rollout that a running version has reached: `number` of `stages`, for a `share` of the fleet.

    `ends_at` is null for the last one, and while the version is paused or held, since its rollout then stands still.
    """

    number: int
    stages: int
    share: float
    ends_at: datetime | None


class CampaignSummary(CampaignView):
    """A campaign version, how far its rollout is (null unless it runs), and what became of its fires."""

    stage: StageView | None
    outcomes: OutcomesView


class ComparedView(View):
    """Counts of the pairs of a compared head over all vehicles: 00, 01, 10, 11 (active, shadow), and unknown."""

    neither: int
    only_shadow: int
    only_active: int
    both: int
    unknown: int


class EventCountsView(View):
    """Events of two sides of a head over all vehicles: told by both, by one alone, or not resolved."""

    matched: int
    only_first: int
    only_second: int
    unresolved_first: int
    unresolved_second: int


class CostView(View):
    """What a program costs a vehicle at most: state in bytes, and WebAssembly instructions.

    They are per tick (see docs/language.md), per block of 64 ticks in addition, and in addition for one tick at times.
    """

    state_bytes: int
    operations_per_tick: int
    operations_per_block: int
    burst_operations: int


class ReportTriggerView(View):
    """What a trigger did on the drives of a report: fires, hours, and fires per hour with their interval."""

    fires: int
    hours: float
    per_hour: Expected | None


class ReportSummaryView(View):
    """The key figures of the report that is attached to a version, and who attached it when.

    `differences` say in what it was made otherwise than the version is: its program is the same, its settings need not
    be. `remarks` are the first of those on the report, `more_remarks` how many more there are. `ran_at` is null where
    it is not known. The forecast is that of the review.
    """

    attached_by: str
    attached_by_id: int
    attached_at: datetime
    ran_at: datetime | None
    longtail: str | None
    drives: int
    hours: float
    km: float | None
    triggers: dict[str, ReportTriggerView]
    remarks: list[str]
    more_remarks: int
    differences: list[str]


class ReviewView(View):
    """What an approver looks at beside the text.

    `settings` has every setting as a path and a text with its unit, in the order of the contract. `runs` is the number
    of the version that is active or paused, and `difference` leads from it to this version: settings, cost, trigger
    text and signal catalog as a unified diff, empty where `runs` is null or this version itself. `catalog_digest` is
    the SHA-256 of the signal catalog's text, and `catalogs` has the published versions (`NAME@VERSION`) with that text,
    newest first: none if its author brought it.
    """

    catalog_digest: str
    catalogs: list[str]
    settings: dict[str, str]
    cost: CostView | None
    """Null if the program is not a module that this release of Longtail can read."""
    forecast: BacktestForecast | None
    """Null if the author sent none."""
    expected_cost: ExpectedCostView | None
    """What the forecast costs; null without a forecast, or while no price book is published."""
    report: ReportSummaryView | None = None
    """Null while no report of a backtest is attached."""
    backtest_digest: str | None = None
    """SHA-256 of forecast and report, which an approval names; null while there is neither."""
    runs: int | None
    difference: str


class CampaignDetails(CampaignSummary):
    """Everything about a campaign version except its program. `budget` has the campaign's accounts, for all versions.

    `compared` has every head that the version compares, `events` every head whose events it compares, by sides, in the
    order of the trigger file.
    """

    settings: dict[str, Any]
    source: str
    signals: str
    review: ReviewView
    compared: dict[str, ComparedView]
    events: dict[str, dict[Sides, EventCountsView]]
    budget: list[AccountView]


class AppliedView(CampaignView):
    """The version that a trigger file was applied as; `warnings` are the compiler's diagnostics."""

    warnings: list[dict[str, Any]]


class CampaignList(BaseModel):
    """Each campaign's running version, else its newest, by name. Pass `next` as `after` to go on; null at the end."""

    campaigns: list[CampaignSummary]
    next: str | None


class VersionList(BaseModel):
    """A campaign's versions, newest first."""

    campaign: str
    versions: list[CampaignSummary]
