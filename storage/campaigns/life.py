"""Campaign versions and their life: draft, submitted, approved, active, paused, completed or stopped.

Versions are immutable but for their state, and every step is one compare-and-swap on it. Whatever changes which
campaigns run raises the assignment revision in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, and_, func, insert, select, text, update

from storage.campaigns.queries import (
    VERSION_COLUMNS,
    CampaignVersion,
    checked_version,
    get_version,
    no_version,
    settings_of,
    version_of,
)
from storage.jsonb import storable
from storage.tables import assignment_revision, campaign_versions
from triggers.contracts.bundle import make_bundle, seal_bundle
from triggers.contracts.campaign import CampaignSettings
from triggers.errors import Conflict, Forbidden

_c = campaign_versions.c
_ENDED = ("completed", "stopped")


def apply(
    connection: Connection,
    *,
    settings: CampaignSettings,
    program: bytes,
    source: str,
    signal_catalog: str,
    author: str,
    draft: bool,
) -> tuple[CampaignVersion, bool]:
    """Make a version of a campaign, `draft` or submitted at once; returns it and whether it is new.

    The same text, signal catalog, program and settings as a version that has not ended give that version; a draft of
    it is submitted unless `draft` is asked for again.
    """
    lock_campaigns(connection)
    wanted = {
        "source": storable(source, what="the source"),
        "signal_catalog": storable(signal_catalog, what="the signal catalog"),
        "settings": storable(settings.model_dump(mode="json"), what="the campaign"),
        "program_digest": hashlib.sha256(program).hexdigest(),
    }
    same = and_(*(_c[name] == value for name, value in wanted.items()))
    existing = connection.execute(
        select(*VERSION_COLUMNS)
        .where(_c.campaign == settings.name, _c.state.not_in(_ENDED), same)
        .order_by(_c.version.desc())
        .limit(1)
    ).one_or_none()
    if existing is not None:
        found = version_of(existing)
        if found.state == "draft" and not draft:
            return submit(connection, found.campaign, found.version, user=author), False
        return found, False
    latest = select(func.coalesce(func.max(_c.version), 0)).where(_c.campaign == settings.name).scalar_subquery()
    row = connection.execute(
        insert(campaign_versions)
        .values(campaign=settings.name, version=latest + 1, state="draft", program=program, author=author, **wanted)
        .returning(*VERSION_COLUMNS)
    ).one()
    made = version_of(row)
    return (made if draft else submit(connection, made.campaign, made.version, user=author)), True


def submit(connection: Connection, campaign: str, version: int, *, user: str) -> CampaignVersion:
    """Hand a draft to those who approve."""
    values = {"state": "submitted", "submitted_by": user, "submitted_at": func.now()}
    return _step(connection, campaign, version, ("draft",), values, verb="submitted")


def approve(
    connection: Connection,
    campaign: str,
    version: int,
    *,
    digest: str,
    user: str,
    key: Ed25519PrivateKey,
    allow_self_approval: bool,
) -> CampaignVersion:
    """Approve a submitted version: seal its bundle with `key`, and activate it unless its first day is yet to come.

    `digest` is the SHA-256 of the program that `user` has seen: Conflict when the version's is another. Forbidden
    when `user` wrote or submitted the version and the deployment does not allow that. The version that ran before,
    or waited for its day, is stopped as superseded in the same transaction.
    """
    lock_campaigns(connection)
    row = connection.execute(
        select(*VERSION_COLUMNS, _c.program).where(_c.campaign == campaign, _c.version == checked_version(version))
    ).one_or_none()
    if row is None:
        raise no_version(campaign, version)
    if row.program_digest != digest:
        raise Conflict(
            f"{campaign} version {version} has the program {row.program_digest}, not {digest[:64]}",
            remedy="look at the version again, then approve its digest",
        )
    if user in (row.author, row.submitted_by) and not allow_self_approval:
        raise Forbidden(
            f"{user} wrote or submitted {campaign} version {version} and may not approve it alone",
            remedy="ask somebody else to approve, or set LONGTAIL_ALLOW_SELF_APPROVAL=true for this deployment",
        )
    settings = settings_of(row.settings)
    bundle = seal_bundle(make_bundle(settings, version, row.program), key)
    values = {
        "state": "approved",
        "approved_by": user,
        "approved_at": func.now(),
        "bundle": bundle,
        "bundle_digest": hashlib.sha256(bundle).hexdigest(),
    }
    approved = _step(connection, campaign, version, ("submitted",), values, verb="approved")
    _supersede(connection, campaign, version, states=("approved",))
    if settings.active_from is not None and settings.active_from > utc_today(connection):
        return approved
    return activate(connection, campaign, version)


def activate(connection: Connection, campaign: str, version: int) -> CampaignVersion:
    """Let an approved version run instead of the one that ran before, which is stopped as superseded."""
    lock_campaigns(connection)
    _supersede(connection, campaign, version, states=("active", "paused"))
    values = {"state": "active", "activated_at": func.now(), "rollout_from": func.now()}
    active = _step(connection, campaign, version, ("approved",), values, verb="activated")
    raise_revision(connection)
    return active


def pause(connection: Connection, campaign: str, version: int) -> CampaignVersion:
    """Take an active version off the vehicles, and keep its place in the rollout."""
    values = {"state": "paused", "paused_at": func.now()}
    paused = _step(connection, campaign, version, ("active",), values, verb="paused")
    raise_revision(connection)
    return paused


def resume(connection: Connection, campaign: str, version: int) -> CampaignVersion:
    """Give a paused version back to the vehicles; its rollout goes on at the stage where it was paused."""
    values = {"state": "active", "rollout_from": _c.rollout_from + (func.now() - _c.paused_at), "paused_at": None}
    active = _step(connection, campaign, version, ("paused",), values, verb="resumed")
    raise_revision(connection)
    return active


def stop(connection: Connection, campaign: str, version: int, *, user: str) -> CampaignVersion:
    """End a version for good, whatever state it is in, unless it has ended."""
    states = ("draft", "submitted", "approved", "active", "paused")
    values = {"state": "stopped", "ended_at": func.now(), "ended_reason": f"stopped by {user}"}
    stopped = _step(connection, campaign, version, states, values, verb="stopped")
    raise_revision(connection)
    return stopped


def end(connection: Connection, campaign: str, version: int, *, reason: str) -> CampaignVersion:
    """Complete a running version: its date, clips or bytes are reached (`reason`)."""
    values = {"state": "completed", "ended_at": func.now(), "ended_reason": reason}
    completed = _step(connection, campaign, version, ("active", "paused"), values, verb="completed")
    raise_revision(connection)
    return completed


def lock_campaigns(connection: Connection) -> None:
    """Let nobody else take a step with any campaign until the transaction ends; check-ins go on.

    One lock for all, taken first: steps are rare, and a transaction may take several without a deadlock.
    """
    connection.execute(select(assignment_revision.c.revision).with_for_update())


def raise_revision(connection: Connection) -> None:
    """The set of running campaigns changes with this transaction: lists made before it are outdated."""
    connection.execute(update(assignment_revision).values(revision=assignment_revision.c.revision + 1))


def utc_today(connection: Connection) -> date:
    """The day by the database's clock, in UTC."""
    today: date = connection.execute(text("SELECT (now() AT TIME ZONE 'UTC')::date")).scalar_one()
    return today


def _supersede(connection: Connection, campaign: str, version: int, *, states: tuple[str, ...]) -> None:
    connection.execute(
        update(campaign_versions)
        .where(_c.campaign == campaign, _c.version != version, _c.state.in_(states))
        .values(state="stopped", ended_at=func.now(), ended_reason="superseded")
    )


def _step(
    connection: Connection,
    campaign: str,
    version: int,
    allowed: tuple[str, ...],
    values: Mapping[str, Any],
    *,
    verb: str,
) -> CampaignVersion:
    """Compare-and-swap on the state; NotFound, or Conflict naming the state that does not allow the step."""
    lock_campaigns(connection)
    row = connection.execute(
        update(campaign_versions)
        .where(_c.campaign == campaign, _c.version == checked_version(version), _c.state.in_(allowed))
        .values(**values)
        .returning(*VERSION_COLUMNS)
    ).one_or_none()
    if row is not None:
        return version_of(row)
    state = get_version(connection, campaign, version).state
    raise Conflict(
        f"{campaign} version {version} is {state} and cannot be {verb}",
        remedy=f"that needs the state {' or '.join(allowed)}",
    )
