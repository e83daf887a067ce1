"""What campaign versions give the clips of their fires: the tags of triggers, and when they expire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from storage.statements.prepared import Prepared
from triggers.clips.clock import IMPLAUSIBLE, is_implausible
from triggers.contracts.clip import RecordingManifest
from triggers.times import NS_PER_S

MAX_TAGS = 1000
_NS_PER_US = 1000

_SETTINGS = Prepared(
    text("""
        SELECT now(), campaign, version, v.settings -> 'triggers', v.settings -> 'retain_ns'
        FROM unnest(CAST(:campaigns AS text[]), CAST(:versions AS integer[])) AS n (campaign, version)
        LEFT JOIN campaign_versions v USING (campaign, version)
    """)
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The tags of a clip, sorted, and when it expires; None: it stays."""

    tags: Sequence[str]
    expires_at: datetime | None


def marks_of(connection: Connection, recordings: Sequence[RecordingManifest]) -> list[Marks]:
    """What the clip of each recording gets if it is stored in this transaction.

    Its tags are those of the triggers that fired, and that of a wrong clock. It expires at the latest end of what the
    versions of its fires `retain`: a fire whose version has no `retain` keeps its clip for ever, and later versions
    change nothing for clips of earlier ones.
    """
    versions = sorted({(fire.campaign, fire.version) for recording in recordings for fire in recording.fires})
    campaigns, numbers = zip(*versions, strict=True)
    rows = _SETTINGS.rows(connection, campaigns=list(campaigns), versions=list(numbers))
    now: datetime = rows[0][0]
    tags: dict[tuple[str, int, str], Sequence[str]] = {}
    retained: dict[tuple[str, int], int | None] = {}
    for _, campaign, version, triggers, retain_ns in rows:
        retained[campaign, version] = retain_ns
        tags |= {(campaign, version, trigger["name"]): trigger.get("tags", ()) for trigger in triggers or ()}
    return [Marks(_tags(recording, tags, now), _expiry(recording, retained, now)) for recording in recordings]


def _tags(recording: RecordingManifest, tags: Mapping[tuple[str, int, str], Sequence[str]], now: datetime) -> list[str]:
    fired = {(fire.campaign, fire.version, fire.trigger) for fire in recording.fires}
    wrong = is_implausible(recording, received_ns=int(now.timestamp()) * NS_PER_S)
    marks = {IMPLAUSIBLE} if wrong else set()
    return sorted(marks | {tag for trigger in fired for tag in tags.get(trigger, ())})[:MAX_TAGS]


def _expiry(
    recording: RecordingManifest, retained: Mapping[tuple[str, int], int | None], now: datetime
) -> datetime | None:
    retained_ns = [retained[fire.campaign, fire.version] for fire in recording.fires]
    kept_ns = [each for each in retained_ns if each is not None]
    if len(kept_ns) < len(retained_ns):
        return None
    try:
        return now + timedelta(microseconds=max(kept_ns) // _NS_PER_US)
    except OverflowError:  # after the year 9999
        return None
