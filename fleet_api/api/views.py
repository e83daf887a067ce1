"""What the API answers with: campaigns, vehicles and outcomes as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from storage.ledger import AccountUsage
from triggers.contracts.base import AttributeValue


class View(BaseModel):
    """Base of the answers: made from the attributes of what storage returns."""

    model_config = ConfigDict(from_attributes=True)


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


class AccountView(View):
    """A ledger account: `held` is reserved or used, `settled` the part that arrived. A limit of null: none."""

    kind: str
    vehicle_id: str
    day: date | None
    unit: str
    limit: int | None
    held: int
    settled: int

    @classmethod
    def of(cls, usage: AccountUsage) -> AccountView:
        """The view of a ledger account."""
        return cls(
            kind=usage.key.kind,
            vehicle_id=usage.key.vehicle_id,
            day=usage.key.day,
            unit=usage.unit,
            limit=usage.limit,
            held=usage.held,
            settled=usage.settled,
        )


class CampaignView(View):
    """A campaign version."""

    campaign: str
    version: int
    state: str
    program_digest: str
    bundle_digest: str | None
    author: str
    created_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    activated_at: datetime | None
    paused_at: datetime | None
    ended_at: datetime | None
    ended_reason: str | None


class CampaignSummary(CampaignView):
    """A campaign version and what became of its fires."""

    outcomes: OutcomesView


class ComparedView(View):
    """Pairs of a compared head over all vehicles: 00, 01, 10 and 11 (active, shadow), and pairs that were unknown."""

    neither: int
    only_shadow: int
    only_active: int
    both: int
    unknown: int


class CampaignDetails(CampaignSummary):
    """All of a campaign version but its program. `budget` lists the campaign's accounts, over all its versions.

    `compared` has every head that the version compares, in the text's order.
    """

    settings: dict[str, Any]
    source: str
    signals: str
    compared: dict[str, ComparedView]
    budget: list[AccountView]


class AppliedView(CampaignView):
    """The version that applying a text gave; `warnings` are the compiler's diagnostics."""

    warnings: list[dict[str, Any]]


class CampaignList(BaseModel):
    """Of each campaign the version that runs, else its newest."""

    campaigns: list[CampaignSummary]


class VersionList(BaseModel):
    """A campaign's versions, newest first."""

    campaign: str
    versions: list[CampaignSummary]


class VehicleView(View):
    """A vehicle. `clock_offset_ns` is its clock minus the cloud's at the latest check-in."""

    id: str
    attributes: dict[str, AttributeValue]
    software: dict[str, str]
    problems: list[str]
    clock_offset_ns: int
    enrolled_at: datetime
    last_check_in_at: datetime | None
    revoked_at: datetime | None


class VehicleList(BaseModel):
    """A page of vehicles by id; `next` is what `after` continues with, null at the end."""

    vehicles: list[VehicleView]
    next: str | None


class EnrolledView(BaseModel):
    """What a vehicle's agent needs: its token (shown once), the keys it is to trust, and where to go."""

    id: str
    token: str
    public_keys: list[str]
    api_url: str
    gateway_url: str
