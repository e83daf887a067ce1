"""Campaigns: apply a trigger text, find a version, and move it through its life; and published signal catalogs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Literal

from fleet_api.client.transport import Transport, path_of, request_of
from triggers.contracts.api.backtests.attached import AttachedReportView, AttachReportRequest
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.campaigns import (
    AppliedView,
    ApplyRequest,
    ApproveRequest,
    AssignRequest,
    BacktestForecast,
    CampaignDetails,
    CampaignList,
    CampaignSummary,
    CampaignView,
    OwnerView,
    ReportSummaryView,
    StepRequest,
    VersionList,
)
from triggers.contracts.api.signal_catalogs import (
    PublishCatalogRequest,
    SignalCatalogDetails,
    SignalCatalogList,
    SignalCatalogView,
)
from triggers.contracts.api.trust import SignedView, SignRequest
from triggers.contracts.api.watching.course import (
    CampaignVehicleList,
    CampaignVehicleView,
    CourseView,
    DifferenceView,
    OtherVehicles,
    TrailEntryView,
    TrailPage,
    VehicleCourse,
)
from triggers.contracts.campaign import RUNNING
from triggers.contracts.signing import Signature

PAGE = 1000
Step = Literal["submit", "pause", "resume", "stop"]


class Campaigns:
    """What `client.campaigns` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def apply(
        self,
        source: str,
        signals: str | None,
        *,
        catalog: str | None = None,
        filename: str = "campaign.trigger",
        campaign: str | None = None,
        draft: bool = False,
        based_on: int | None = None,
        forecast: BacktestForecast | None = None,
    ) -> AppliedView:
        """Create a version of one campaign in a trigger text; `signals` is the signal catalog's YAML.

        Or it is None, and `catalog` names a published one: `NAME`, `NAME@VERSION` or its digest.

        Raises DiagnosticsError with all mistakes of the text. Applying the same text again returns the same version.
        `based_on` is the newest version that the author has seen (0: none); Conflict if another has come in between.
        """
        body = request_of(
            ApplyRequest,
            source=source,
            filename=filename,
            signals=signals,
            catalog=catalog,
            campaign=campaign,
            draft=draft,
            based_on=based_on,
            forecast=forecast,
        )
        return self._transport.post(AppliedView, path_of("campaigns"), body)

    def list(self) -> Iterator[CampaignSummary]:
        """The active or paused version of each campaign, else its newest; by name, all pages."""
        return self._transport.pages(
            CampaignList, path_of("campaigns"), lambda page: page.campaigns, by="after", size=PAGE
        )

    def versions(self, name: str) -> VersionList:
        """All versions of a campaign, newest first."""
        return self._transport.get(VersionList, path_of("campaigns", name))

    def version(self, name: str, version: int | None = None, *, running: bool = False) -> CampaignDetails:
        """One version with its text, outcomes and budget.

        Without a number it is the newest one, or with `running` the active or paused one if there is one.
        """
        if version is None:
            versions = self.versions(name).versions
            if running:
                versions = [candidate for candidate in versions if candidate.state in RUNNING] or versions
            version = max(candidate.version for candidate in versions)
        return self._transport.get(CampaignDetails, path_of("campaigns", name, version))

    def approve(
        self, name: str, version: int, *, digest: str, backtest_digest: str | None = None, reason: str | None = None
    ) -> CampaignView:
        """Approve a submitted version by its `approval_digest`, and by the `backtest_digest` of its review if it has
        one; raises Conflict if it has another of them."""
        body = request_of(ApproveRequest, digest=digest, backtest_digest=backtest_digest, reason=reason)
        return self._transport.post(CampaignView, path_of("campaigns", name, version, "approve"), body)

    def reject(self, name: str, version: int, *, reason: str) -> CampaignView:
        """Return a submitted version to its author, who sees the reason; raises Conflict if it is not submitted."""
        body = request_of(ReasonRequest, reason=reason)
        return self._transport.post(CampaignView, path_of("campaigns", name, version, "reject"), body)

    def hold(self, name: str, version: int, *, reason: str) -> CampaignView:
        """Keep an active version in the stage that its rollout has reached until it is resumed; raises Conflict if that
        is the last one, or it is held already."""
        body = request_of(ReasonRequest, reason=reason)
        return self._transport.post(CampaignView, path_of("campaigns", name, version, "hold"), body)

    def sign(self, name: str, version: int, signature: Signature) -> SignedView:
        """Add a person's signature over the version's unsigned bundle; raises Untrusted if it is no bundle key's."""
        encoded = base64.b64encode(signature.signature).decode()
        body = request_of(SignRequest, key_id=signature.key_id.hex(), signature=encoded)
        return self._transport.post(SignedView, path_of("campaigns", name, version, "signatures"), body)

    def signatures(self, name: str, version: int) -> SignedView:
        """How many keys have signed a version's bundle, and how many must."""
        return self._transport.get(SignedView, path_of("campaigns", name, version, "signatures"))

    def assign(
        self, name: str, *, owner: str | None = None, cost_centre: str | None = None, reason: str | None = None
    ) -> OwnerView:
        """Give a campaign another owner, another cost centre ('' for none), or both; raises Forbidden for others'."""
        body = request_of(AssignRequest, owner=owner, cost_centre=cost_centre, reason=reason)
        return self._transport.post(OwnerView, path_of("campaign-owners", name), body)

    def move(self, name: str, version: int, step: Step, *, reason: str | None = None) -> CampaignView:
        """Take another step in a version's life; raises Conflict if its state does not allow the step."""
        body = request_of(StepRequest, reason=reason)
        return self._transport.post(CampaignView, path_of("campaigns", name, version, step), body)

    def attach_report(
        self,
        name: str,
        version: int,
        report: StatedReport | None = None,
        *,
        backtest: str | None = None,
        program: int = 0,
    ) -> ReportSummaryView:
        """Attach the report of a backtest to a version that is not approved yet, for its approver.

        Or that of a program of a `backtest` of your own. Raises Conflict if it ran another program than the version's.
        """
        body = request_of(AttachReportRequest, report=report, backtest=backtest, program=program)
        return self._transport.post(ReportSummaryView, path_of("campaigns", name, version, "report"), body)

    def report(self, name: str, version: int) -> AttachedReportView:
        """The report that is attached to a version; raises NotFound while there is none."""
        return self._transport.get(AttachedReportView, path_of("campaigns", name, version, "report"))

    def report_page(self, name: str, version: int) -> bytes:
        """The same as a page of HTML that needs nothing but itself."""
        with self._transport.linked(path_of("campaigns", name, version, "report", "page")[1:]) as response:
            return b"".join(response.iter_bytes())

    def course(self, name: str, version: int) -> CourseView:
        """When each stage of a version's rollout began, and when it was paused or held, by whom and why."""
        return self._transport.get(CourseView, path_of("campaigns", name, version, "course"))

    def difference(self, name: str, version: int, *, since: int) -> DifferenceView:
        """How a version differs from version `since`."""
        return self._transport.get(DifferenceView, path_of("campaigns", name, version, "difference"), {"since": since})

    def trail(self, name: str) -> Iterator[TrailEntryView]:
        """Who did what with a campaign, when and why; oldest first, all pages."""
        return self._transport.pages(
            TrailPage, path_of("campaign-trails", name), lambda page: page.entries, by="after", size=PAGE
        )

    def vehicles(self, name: str, version: int, *, state: VehicleCourse | None = None) -> Iterator[CampaignVehicleView]:
        """The vehicles that were given a version, by id, all pages; with `state` only those in it."""
        return self._transport.pages(
            CampaignVehicleList,
            path_of("campaigns", name, version, "vehicles"),
            lambda page: page.vehicles,
            by="after",
            size=PAGE,
            parameters={"state": state},
        )

    def other_vehicles(self, name: str, version: int) -> OtherVehicles:
        """How many vehicles were never given a version, by the reason."""
        return self._transport.get(OtherVehicles, path_of("campaigns", name, version, "other-vehicles"))


class SignalCatalogs:
    """What `client.signal_catalogs` can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def publish(self, name: str, signals: str) -> SignalCatalogView:
        """Publish a catalog's YAML as the next version of this name; the newest is returned if it has the same text."""
        body = request_of(PublishCatalogRequest, name=name, signals=signals)
        return self._transport.post(SignalCatalogView, path_of("signal-catalogs"), body)

    def list(self) -> Iterator[SignalCatalogView]:
        """The newest version of each name, by name, all pages."""
        return self._transport.pages(
            SignalCatalogList, path_of("signal-catalogs"), lambda page: page.catalogs, by="after", size=PAGE
        )

    def get(self, reference: str) -> SignalCatalogDetails:
        """The version that `NAME`, `NAME@VERSION` or a digest names, with its text; raises NotFound."""
        return self._transport.get(SignalCatalogDetails, path_of("signal-catalogs", reference))
