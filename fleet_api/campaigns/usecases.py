"""Use cases for campaigns: apply a text, take a version through its life, and see what became of its fires.

Each use case checks the user's role and is one transaction.
"""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fleet_api.campaigns import rules
from fleet_api.campaigns.compilation import Text, compile_aside
from fleet_api.campaigns.review import cost_of_program, review
from fleet_api.campaigns.views import details_view, stage_view, summary_view
from fleet_api.services import Services
from fleet_api.signal_catalogs.texts import catalog_text
from fleet_api.signing.bundles import check_signature, sealed_bundle, trusted_signatures
from fleet_api.signing.chain import read_chain
from fleet_api.trust.publishing import kept_signatures
from storage import audit, ledger, users
from storage.campaigns import life, owners, queries, reports, signal_catalogs, signatures
from storage.campaigns.queries import CampaignVersion
from storage.costs import price_books
from storage.counts.compared import compared, events
from storage.counts.outcomes import outcomes
from storage.database import Connection
from storage.jsonb import storable
from triggers.contracts.api.base import ReasonRequest
from triggers.contracts.api.campaigns import (
    AppliedView,
    ApplyRequest,
    AssignRequest,
    CampaignDetails,
    CampaignList,
    CampaignView,
    OwnerView,
    VersionList,
)
from triggers.contracts.api.trust import SignedView, SignRequest
from triggers.contracts.base import text_digest
from triggers.contracts.bundle import make_bundle
from triggers.contracts.campaign import CampaignState
from triggers.contracts.campaign_life import has_begun
from triggers.contracts.signing import Signature, envelope_of
from triggers.contracts.users import Role, User

MAX_SHOWN_ACCOUNTS = 100


def apply(services: Services, user: User, request: ApplyRequest) -> tuple[AppliedView, bool]:
    """Compile a text and create a version of its campaign, `draft` or submitted; returns it and whether it is new.

    If a version that has not ended has the same text, signal catalog, program and settings, it is returned instead; if
    it is a draft, it is submitted unless the request asks for a draft. DiagnosticsError when the text has mistakes,
    InvalidInput when its program needs more than the deployment allows, TooMany while another text of this user is
    compiled; NotFound for a catalog that is not published, Forbidden for the author's own where others are. Conflict
    when the text is based on another version than the newest, unless that has this very content already.
    """
    user.require(Role.AUTHOR)
    signals = catalog_text(services, signals=request.signals, catalog=request.catalog)
    with services.compilations.turn(user.name):
        compiled = compile_aside(Text(request.source, request.filename, signals, request.campaign))
    content = life.VersionContent(
        settings=compiled.settings, program=compiled.program, source=request.source, signal_catalog=signals
    )
    _check_allowed(services, content.settings.name, content.program)
    if request.forecast is not None:
        rules.check_forecast(content.settings.name, request.forecast, program_digest=compiled.digest)
    with services.database.begin() as connection:
        life.lock_campaigns(connection)  # the same text applied twice at once must give one version
        existing = life.find_open(connection, content)
        _check_based_on(connection, content.settings.name, request.based_on, existing)
        version = existing or _add_draft(connection, content, author=user)
        if request.forecast is not None:
            life.set_forecast(connection, version.campaign, version.version, request.forecast.model_dump(mode="json"))
        submits = rules.is_submitted_now(version.state, draft=request.draft)
        if submits:
            version = life.submit(connection, version.campaign, version.version, user=user)
        if existing is None or submits or request.forecast is not None:
            catalog = text_digest(signals)
            _note(connection, user, "apply", before=existing, after=version, settings=version.settings, catalog=catalog)
    return AppliedView(**asdict(version), warnings=compiled.warnings), existing is None


def _add_draft(connection: Connection, content: life.VersionContent, *, author: User) -> CampaignVersion:
    number, settings = life.next_draft(connection, content)
    digest = make_bundle(settings, number, content.program).approval_digest
    return life.add_draft(connection, content, number, approval_digest=digest, author=author)


def _check_based_on(
    connection: Connection, campaign: str, based_on: int | None, existing: CampaignVersion | None
) -> None:
    if based_on is None:
        return
    newest = queries.newest_version(connection, campaign)
    if existing is not None and existing == newest:  # the same request again: its answer was lost
        return
    written = None if newest is None else rules.Written(newest.version, newest.author, newest.created_at)
    rules.check_based_on(campaign, based_on, written)


def list_campaigns(services: Services, user: User, *, after: str, limit: int) -> CampaignList:
    """The running version of each campaign, else the newest, for names that sort after `after`; at most `limit`."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        versions = queries.list_campaigns(connection, after=after, limit=limit)
        counted = outcomes(connection)
    return CampaignList(
        campaigns=[summary_view(version, counted, now=datetime.now(UTC)) for version in versions],
        next=versions[-1].campaign if len(versions) == limit else None,
    )


def list_versions(services: Services, user: User, campaign: str) -> VersionList:
    """The versions of a campaign, newest first; NotFound when it has none."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        versions = queries.get_versions(connection, campaign)
        counted = outcomes(connection, campaign)
    now = datetime.now(UTC)
    return VersionList(campaign=campaign, versions=[summary_view(version, counted, now=now) for version in versions])


def show_version(services: Services, user: User, campaign: str, version: int) -> CampaignDetails:
    """A version with its texts, outcomes, compared heads, and its campaign's accounts of today; or NotFound.

    The work for its `review` is done after the transaction.
    """
    user.require(Role.VIEWER)
    now = datetime.now(UTC)
    today = now.date()
    with services.database.snapshot() as connection:  # the report and its digest must be of one moment
        shown = queries.get_version(connection, campaign, version)
        content = queries.get_content(connection, campaign, version)
        runs = queries.running_version(connection, campaign)
        other = None if runs in (None, version) else queries.get_content(connection, campaign, runs)
        counted = outcomes(connection, campaign)
        catalogs = signal_catalogs.published_as(connection, text_digest(content.signal_catalog))
        pairs, told = compared(connection, campaign, version), events(connection, campaign, version)
        accounts = ledger.usage(connection, campaign, day=today, limit=MAX_SHOWN_ACCOUNTS)
        prices = price_books.newest_text(connection)
        report = reports.summary_of(connection, campaign, version)
        backtest_digest = reports.digest_of(connection, campaign, version)
    shown_review = review(
        content,
        other,
        runs=runs,
        catalogs=catalogs,
        prices=prices,
        today=today,
        report=report,
        backtest_digest=backtest_digest,
    )
    return details_view(
        shown,
        counted,
        content=content,
        review=shown_review,
        pairs=pairs,
        events=told,
        accounts=accounts,
        now=now,
    )


def assign(services: Services, user: User, campaign: str, request: AssignRequest) -> OwnerView:
    """Give a campaign another owner or cost centre. Forbidden unless the user owns it or is an operator."""
    user.require(Role.AUTHOR, Role.OPERATOR)
    storable([request.owner, request.reason], what="the request")
    with services.database.begin() as connection:
        before = owners.locked(connection, campaign)
        rules.check_may_assign(campaign, user=user, owner=before.owner, owner_id=before.owner_id)
        owner_id = before.owner_id if request.owner is None else users.find(connection, request.owner)[0]
        cost_centre = before.cost_centre if request.cost_centre is None else request.cost_centre
        after = owners.reassign(connection, campaign, owner_id=owner_id, cost_centre=cost_centre)
        was, now = ({"owner": each.owner, "cost_centre": each.cost_centre} for each in (before, after))
        audit.record(
            connection, user, "campaign.assign", "campaign", campaign, before=was, after=now, reason=request.reason
        )
    return OwnerView.model_validate(after)


def submit(services: Services, user: User, campaign: str, version: int, *, reason: str | None = None) -> CampaignView:
    """Submit a draft for approval."""
    user.require(Role.AUTHOR)
    with services.database.begin() as connection:
        before = _locked(connection, campaign, version)
        submitted = life.submit(connection, campaign, version, user=user)
        _note(connection, user, "submit", before=before, after=submitted, reason=reason)
    return CampaignView.model_validate(submitted)


def approve(
    services: Services,
    user: User,
    campaign: str,
    version: int,
    *,
    seen_digest: str,
    seen_backtest: str | None = None,
    reason: str | None = None,
) -> CampaignView:
    """Approve a submitted version: sign its bundle, and activate it if its start date has come.

    `seen_digest` is the `approval_digest` that the user has seen, `seen_backtest` the digest of forecast and report
    (None: there was neither). Conflict when the version has another of them, Forbidden when the user wrote or submitted
    the version and the deployment does not allow that.
    """
    user.require(Role.APPROVER)
    with services.database.begin() as connection:
        submitted = _locked(connection, campaign, version)
        settings = queries.settings_of(submitted.settings)
        program = queries.get_program(connection, campaign, version)
        _check_allowed(services, f"{campaign} version {version}", program)
        bundle = make_bundle(settings, version, program)
        rules.check_digest(
            campaign,
            version,
            seen_digest=seen_digest,
            approval_digest=submitted.approval_digest,
            program_digest=submitted.program_digest,
            sent_digest=bundle.approval_digest,
        )
        backtest_digest = reports.digest_of(connection, campaign, version)
        rules.check_backtest(campaign, version, seen_digest=seen_backtest, backtest_digest=backtest_digest)
        rules.check_four_eyes(
            campaign,
            version,
            approver=user,
            owners=_owners(submitted),
            allow_self_approval=services.settings.allow_self_approval,
        )
        sealed = sealed_bundle(
            f"{campaign} version {version}",
            bundle.canonical_json(),
            kept_signatures(connection, campaign, version),
            read_chain(connection),
            services.key,
        )
        approved = life.approve(connection, campaign, version, bundle=sealed, user=user)
        if has_begun(settings, life.utc_today(connection)):
            approved = life.activate(connection, campaign, version)
        more = {
            "bundle_digest": approved.bundle_digest,
            "backtest_digest": backtest_digest,
            "self_approval": user.id in _owners(submitted).ids,
        }
        _note(connection, user, "approve", before=submitted, after=approved, reason=reason, **more)
    return CampaignView.model_validate(approved)


def reject(services: Services, user: User, campaign: str, version: int, request: ReasonRequest) -> CampaignView:
    """Return a submitted version to its author, who sees the reason. The version is a draft again."""
    user.require(Role.APPROVER)
    with services.database.begin() as connection:
        before = _locked(connection, campaign, version)
        rejected = life.reject(connection, campaign, version, reason=request.reason, user=user)
        _note(connection, user, "reject", before=before, after=rejected, reason=request.reason)
    return CampaignView.model_validate(rejected)


def sign(services: Services, user: User, campaign: str, version: int, request: SignRequest) -> SignedView:
    """Keep a person's signature over a version's unsigned bundle; vehicles get it once there are enough of them.

    Untrusted unless a key that vehicles trust for bundles has signed exactly that bundle.
    """
    user.require(Role.AUTHOR, Role.APPROVER)
    signature = Signature(bytes.fromhex(request.key_id), base64.b64decode(request.signature))
    with services.database.begin() as connection:
        life.lock_campaigns(connection)
        shown = queries.get_version(connection, campaign, version)
        program = queries.get_program(connection, campaign, version)
        payload = make_bundle(queries.settings_of(shown.settings), version, program).canonical_json()
        chain = read_chain(connection)
        check_signature(signature, payload, chain)
        signatures.add_signature(
            connection, campaign, version, key_id=signature.key_id, signature=signature.signature, user=user.name
        )
        kept = kept_signatures(connection, campaign, version)
        trusted = trusted_signatures(payload, kept, chain, services.key)
        needed = chain.newest.bundles.threshold if chain.newest else 1
        if shown.state in signatures.SEALED and len(trusted) >= needed:
            signatures.replace_bundle(connection, campaign, version, envelope_of(payload, trusted))
        _note(connection, user, "sign", before=shown, after=shown, key_id=request.key_id)
    return SignedView(campaign=campaign, version=version, signatures=len(trusted), needed=needed)


def count_signatures(services: Services, user: User, campaign: str, version: int) -> SignedView:
    """How many bundle keys that vehicles trust have signed a version, and how many must; or NotFound."""
    user.require(Role.VIEWER)
    with services.database.begin() as connection:
        shown = queries.get_version(connection, campaign, version)
        program = queries.get_program(connection, campaign, version)
        kept, chain = kept_signatures(connection, campaign, version), read_chain(connection)
    payload = make_bundle(queries.settings_of(shown.settings), version, program).canonical_json()
    trusted = trusted_signatures(payload, kept, chain, services.key)
    needed = chain.newest.bundles.threshold if chain.newest else 1
    return SignedView(campaign=campaign, version=version, signatures=len(trusted), needed=needed)


def pause(services: Services, user: User, campaign: str, version: int, *, reason: str | None = None) -> CampaignView:
    """Take an active version off the vehicles; its place in the rollout is kept. Forbidden for others' versions."""
    user.require(Role.AUTHOR, Role.APPROVER)
    with services.database.begin() as connection:
        before = _locked(connection, campaign, version)
        rules.check_may_stop(campaign, version, user=user, owners=_owners(before), step="pause")
        paused = life.pause(connection, campaign, version, user=user, reason=reason)
        _note(connection, user, "pause", before=before, after=paused, reason=reason)
    return CampaignView.model_validate(paused)


def hold(services: Services, user: User, campaign: str, version: int, request: ReasonRequest) -> CampaignView:
    """Keep an active version in the stage that its rollout has reached, until it is resumed.

    Conflict when it is held already or has reached the last stage. Forbidden for others' versions.
    """
    user.require(Role.AUTHOR, Role.APPROVER)
    with services.database.begin() as connection:
        before = _locked(connection, campaign, version)
        rules.check_may_stop(campaign, version, user=user, owners=_owners(before), step="hold")
        stage = stage_view(before, datetime.now(UTC))
        rules.check_can_hold(campaign, version, stage, held_at=before.held_at)
        held = life.hold(connection, campaign, version, user=user, reason=request.reason)
        shown = None if stage is None else {"number": stage.number, "stages": stage.stages, "share": stage.share}
        _note(connection, user, "hold", before=before, after=held, reason=request.reason, stage=shown)
    return CampaignView.model_validate(held)


def resume(services: Services, user: User, campaign: str, version: int, *, reason: str | None = None) -> CampaignView:
    """Give a paused version back to the vehicles, or let the rollout of an active one that is held go on.

    A version that is held and paused is held still when it runs again: what it is held for may last.
    """
    user.require(Role.APPROVER)
    with services.database.begin() as connection:
        before = _locked(connection, campaign, version)
        is_held = before.state == CampaignState.ACTIVE and before.held_at is not None
        resumed = (life.release if is_held else life.resume)(connection, campaign, version)
        _note(connection, user, "resume", before=before, after=resumed, reason=reason)
    return CampaignView.model_validate(resumed)


def stop(services: Services, user: User, campaign: str, version: int, *, reason: str | None = None) -> CampaignView:
    """End a version for good. Forbidden for others' versions."""
    user.require(Role.AUTHOR, Role.APPROVER)
    with services.database.begin() as connection:
        before = _locked(connection, campaign, version)
        rules.check_may_stop(campaign, version, user=user, owners=_owners(before), step="stop")
        stopped = life.stop(connection, campaign, version, user=user)
        _note(connection, user, "stop", before=before, after=stopped, reason=reason)
    return CampaignView.model_validate(stopped)


def _check_allowed(services: Services, campaign: str, program: bytes) -> None:
    """The operator's limits, when a text is applied and again when it is approved: they may have been lowered since."""
    cost = cost_of_program(program)
    if cost is not None:  # a program that this release cannot read runs on no vehicle of it either
        allowed = services.settings
        rules.check_allowed(
            campaign, cost, state_bytes=allowed.program_state_bytes, operations=allowed.program_operations
        )


def _locked(connection: Connection, campaign: str, version: int) -> CampaignVersion:
    """The version as it is until this transaction ends; or NotFound."""
    life.lock_campaigns(connection)
    return queries.get_version(connection, campaign, version)


def _note(
    connection: Connection,
    user: User,
    step: str,
    *,
    before: CampaignVersion | None,
    after: CampaignVersion,
    reason: str | None = None,
    **more: Any,
) -> None:
    audit.record(
        connection,
        user,
        f"campaign.{step}",
        "campaign",
        f"{after.campaign}/{after.version}",
        before=None if before is None else {"state": before.state},
        after={"state": after.state, "approval_digest": after.approval_digest, **more},
        reason=reason,
    )


def _owners(version: CampaignVersion) -> rules.Owners:
    people = {version.author_id: version.author, version.submitted_by_id: version.submitted_by}
    known = {user_id: name for user_id, name in people.items() if user_id is not None and name is not None}
    return rules.Owners(frozenset(known), tuple(known.values()))
