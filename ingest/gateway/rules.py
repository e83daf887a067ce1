"""Rules for which manifests the gateway accepts, as pure functions of what the database knows about their fires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.jsonb import storable
from storage.uploads.creation import ApprovedVersion
from storage.uploads.fire_identity import ENROL_AGAIN, KnownFires, reused_fire
from triggers.assignment import plausible
from triggers.assignment.given import AssignedVersion
from triggers.contracts.base import MAX_ATTRIBUTE_TEXT
from triggers.contracts.clip import MAX_SOFTWARE_TEXT, ClipManifest, Fire
from triggers.errors import AssignmentOver, InvalidInput, ManifestInvalid, NotAssigned

MAX_SHOWN = 100


def check_fires(fires: Sequence[Fire], approved: Mapping[tuple[str, int], ApprovedVersion], known: KnownFires) -> None:
    """ManifestInvalid unless every fire belongs to an approved version, its program and one of its triggers.

    `approved` has every version that was ever approved: fires of paused, stopped and superseded versions pass, as they
    may have been on the way at that time. A fire that has the ordinal of another fire in `known`, catalogued or failed
    before, does not pass: its vehicle lost its state.
    """
    for fire in fires:
        version = approved.get((fire.campaign, fire.version))
        where = f"fire {fire.ordinal} of {fire.campaign} version {fire.version}"
        if version is None:
            raise ManifestInvalid(f"{where}: this version was never approved")
        if version.program_digest != fire.program_digest:
            raise ManifestInvalid(f"{where}: its program {fire.program_digest} is not the approved one")
        if fire.trigger not in version.triggers:
            raise ManifestInvalid(f"{where}: the campaign has no trigger {fire.trigger}")
    reused = reused_fire(fires, known)
    if reused is not None:
        raise ManifestInvalid(reused, remedy=ENROL_AGAIN)


def check_assigned(fires: Sequence[Fire], assigned: Mapping[tuple[str, int], AssignedVersion], *, now_ns: int) -> None:
    """NotAssigned for a fire of a version that the vehicle was not given (any more); ManifestInvalid for an ordinal
    beyond reason.

    `assigned` has what the vehicle was given; an ordinal may be as high as the time since then allows.
    """
    for fire in fires:
        given = assigned.get((fire.campaign, fire.version))
        where = f"fire {fire.ordinal} of {fire.campaign} version {fire.version}"
        if given is None:
            raise NotAssigned(f"{where}: this vehicle was never given this version", remedy="check in first")
        if not given.in_time:
            raise AssignmentOver(
                f"{where}: this version ended for this vehicle too long ago",
                remedy="send clips earlier, or raise LONGTAIL_ASSIGNMENT_GRACE_S",
            )
        span = plausible.span_ns(since_ns=given.since_ns, now_ns=now_ns, replays=given.replays)
        most = plausible.most_ordinals(given.cooldowns, span)
        if fire.ordinal > most:
            raise ManifestInvalid(f"{where}: since it was given this version it can have fired {most} times at most")


def check_storable(manifest: ClipManifest) -> None:
    """ManifestInvalid for a text that PostgreSQL cannot hold, or that is too long for what it is."""
    for name in manifest.recording.attributes:
        if len(name) > MAX_ATTRIBUTE_TEXT:
            raise ManifestInvalid(
                f"the attribute {name[:MAX_SHOWN]!r} has a name of more than {MAX_ATTRIBUTE_TEXT} characters",
                remedy="give it a shorter name",
            )
    for name, value in manifest.recording.software.items():
        if max(len(name), len(value)) > MAX_SOFTWARE_TEXT:
            raise ManifestInvalid(
                f"software {name[:MAX_SHOWN]!r} has more than {MAX_SOFTWARE_TEXT} characters",
                remedy="give a digest or a version",
            )
    try:
        storable(manifest.model_dump(mode="json"), what="the manifest")
    except InvalidInput as error:
        raise ManifestInvalid(error.message, remedy=error.remedy) from error
