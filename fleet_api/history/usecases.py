"""Use cases for histories: of a clip, of a fire, and latencies over many clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from fleet_api.history import rules
from fleet_api.services import Services
from storage.campaigns.queries import get_versions
from storage.clips.positions import Sight
from storage.database import Connection
from storage.labels import jobs
from storage.watching import history
from storage.watching.history import ClipFacts, FireRow
from storage.watching.latency import latencies
from triggers.contracts.api.watching.history import HistoryView, LatencyList, LatencyView, Percentiles
from triggers.contracts.users import Role, User
from triggers.errors import NotFound


def clip_history(services: Services, user: User, clip_id: str) -> HistoryView:
    """What happened to a clip, from its first announcement, whether or not it came; NotFound for one that never was.

    To one who only labels, every clip but those that it has claimed is NotFound.
    """
    user.require(Role.VIEWER, Role.LABELER)
    with services.database.snapshot() as connection:
        if not user.may(Role.VIEWER):
            jobs.require_claimed(connection, clip_id, user=user.name)
        return _of_clip(connection, clip_id, services.sight_of(user, connection))


def fire_history(
    services: Services, user: User, *, vehicle_id: str, campaign: str, version: int, ordinal: int
) -> HistoryView:
    """What happened to a fire: the history of its clip, or what is known where there is none.

    NotFound when the vehicle has nothing to do with the campaign version.
    """
    user.require(Role.VIEWER)
    key = (vehicle_id, campaign, version, ordinal)
    with services.database.snapshot() as connection:
        clips = history.clips_of_fire(connection, *key)
        if clips:
            newest = _of_clip(connection, clips[-1], services.sight_of(user, connection))
            return newest.model_copy(update={"clip_ids": clips})
        known = history.fire_row(connection, *key)
        report = history.reported(connection, *key[:3])
    if known is None and report is None:
        raise NotFound(
            f"nothing is known of fire {ordinal} of {campaign} version {version} on {vehicle_id}",
            remedy="a fire is VEHICLE/CAMPAIGN/VERSION/ORDINAL; it is known once its vehicle has reported on it",
        )
    if known is None:
        waits_for = rules.reported_of(report, ordinal)
        return HistoryView(vehicle_id=vehicle_id, clip_ids=[], stage="fired", waits_for=waits_for, events=[])
    return _without_clip(known, vehicle_id, campaign, version, ordinal)


def show_latencies(services: Services, user: User, *, since: datetime, campaign: str | None) -> LatencyList:
    """Percentiles of how long clips that were stored since then took, by campaign and network; NotFound
    without such a campaign."""
    user.require(Role.VIEWER)
    with services.searches.turn(user.name), services.database.snapshot() as connection:
        if campaign is not None:
            get_versions(connection, campaign, limit=1)
        found, capped = latencies(connection, since=since, campaign=campaign)
    rows = [
        LatencyView(
            campaign=each.campaign,
            network=each.network,
            clips=each.clips,
            labelled_clips=each.labelled_clips,
            stored=_percentiles(each.stored),
            ready=_percentiles(each.ready),
            labelled=_percentiles(each.labelled),
        )
        for each in found
    ]
    return LatencyList(since=since, capped=capped, rows=rows)


def _of_clip(connection: Connection, clip_id: str, sight: Sight) -> HistoryView:
    facts = _seen(history.clip_facts(connection, clip_id), sight)
    if not facts.is_known:
        raise NotFound(f"there is no clip {clip_id}, and nobody announced one", remedy="look for it in the catalog")
    return HistoryView(
        vehicle_id=_vehicle_of(facts),
        clip_ids=[clip_id],
        stage=rules.stage(facts),
        waits_for=rules.waits_for(facts, now=datetime.now(UTC)),
        events=rules.events(facts),
    )


def _seen(facts: ClipFacts, sight: Sight) -> ClipFacts:
    """What a user may see of it: reasons quote what was read of a clip, and may say where it was recorded."""
    if sight.precise:
        return facts
    return replace(
        facts,
        clip=None if facts.clip is None else replace(facts.clip, damage=sight.damage(facts.clip.damage)),
        extractions=[replace(job, reason=sight.damage(job.reason)) for job in facts.extractions],
        label_jobs=[replace(job, reason=job.reason and "its reason is a labeler's") for job in facts.label_jobs],
        letters=[replace(letter, detail=sight.damage(letter.detail) or "") for letter in facts.letters],
    )


def _vehicle_of(facts: ClipFacts) -> str:
    """Empty when the clip was erased, as that tells no vehicle."""
    if facts.clip is not None:
        return facts.clip.vehicle_id
    return facts.uploads[-1].vehicle_id if facts.uploads and facts.erased is None else ""


def _without_clip(fire: FireRow, vehicle_id: str, campaign: str, version: int, ordinal: int) -> HistoryView:
    fired = rules.fired(campaign, version, ordinal, fire.trigger, fire.t_ns)
    is_failed = fire.outcome == "failed"
    why = f"its clip failed: {fire.reason}" if is_failed else f"its last clip was {fire.without_clip or 'erased'}"
    return HistoryView(
        vehicle_id=vehicle_id,
        clip_ids=[],
        stage="failed" if is_failed else "erased",
        waits_for=f"nothing: {why}",
        events=[fired],
    )


def _percentiles(values: Sequence[float | None]) -> Percentiles:
    return Percentiles(p50=values[0], p90=values[1], p99=values[2])  # as QUANTILES are
