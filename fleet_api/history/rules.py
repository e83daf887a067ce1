"""Rules of histories: what is known of a clip as events in order, how far it is, and what it waits for.

Pure functions. They take the facts as `storage.watching.history` has them, by their attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from triggers.contracts.api.watching.history import EventView, Stage
from triggers.times import NS_PER_S

SHORT_ID = 12
LATE_S = 120.0
"""After so long somebody should look at the process that has not done the next step."""
_LATEST_NS = 253_402_300_799 * NS_PER_S
"""The end of the year 9999, behind which no vehicle's clock can be shown."""


class FireLike(Protocol):
    """A fire of the clip."""

    @property
    def campaign(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def ordinal(self) -> int: ...
    @property
    def trigger(self) -> str: ...
    @property
    def t_ns(self) -> int: ...


class UploadLike(Protocol):
    """An attempt to upload it."""

    @property
    def id(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def offset_bytes(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def network(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def closed_at(self) -> datetime | None: ...
    @property
    def may_be_sent_again(self) -> bool: ...


class ClipLike(Protocol):
    """The clip in the catalog."""

    @property
    def state(self) -> str: ...
    @property
    def damage(self) -> str | None: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def stored_at(self) -> datetime: ...
    @property
    def ready_at(self) -> datetime | None: ...


class JobLike(Protocol):
    """An extraction or label job."""

    @property
    def task(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def holder(self) -> str | None: ...
    @property
    def lease_until(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def finished_at(self) -> datetime | None: ...


class LetterLike(Protocol):
    """A dead letter."""

    @property
    def id(self) -> int: ...
    @property
    def stage(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


class ErasedLike(Protocol):
    """That it was erased."""

    @property
    def cause(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def erased_at(self) -> datetime: ...


class Facts(Protocol):
    """Everything that is known of a clip."""

    @property
    def fires(self) -> Sequence[FireLike]: ...
    @property
    def uploads(self) -> Sequence[UploadLike]: ...
    @property
    def clip(self) -> ClipLike | None: ...
    @property
    def extractions(self) -> Sequence[JobLike]: ...
    @property
    def label_jobs(self) -> Sequence[JobLike]: ...
    @property
    def letters(self) -> Sequence[LetterLike]: ...
    @property
    def erased(self) -> ErasedLike | None: ...
    @property
    def unsent_events(self) -> int: ...


class Reported(Protocol):
    """What a vehicle reported of a campaign version's fires."""

    @property
    def watermark(self) -> int: ...
    @property
    def sampled_out(self) -> int: ...
    @property
    def refused(self) -> dict[str, int]: ...
    @property
    def dropped(self) -> dict[str, int]: ...
    @property
    def failed(self) -> dict[str, int]: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def received_at(self) -> datetime: ...


def events(facts: Facts) -> list[EventView]:
    """What happened, oldest first."""
    found = [fired(fire.campaign, fire.version, fire.ordinal, fire.trigger, fire.t_ns) for fire in facts.fires]
    for upload in facts.uploads:
        found += _of_upload(upload)
    if facts.clip is not None:
        found.append(_stored(facts.clip))
    for job in facts.extractions:
        found += _of_job(job, "extraction", f"extraction by version {job.task} of the extractor")
    if facts.clip is not None:
        found += _extracted(facts.clip, facts.extractions)
    for job in facts.label_jobs:
        found += _of_job(job, "label_job", f"label job of the task {job.task}")
    for letter in facts.letters:
        detail = f"dead letter {letter.id} ({letter.state}) of {letter.stage}: {letter.reason}: {letter.detail}"
        found.append(EventView(at=letter.created_at, what="dead_letter", detail=detail))
    if facts.erased is not None:
        found.append(EventView(at=facts.erased.erased_at, what="erased", detail=_erased(facts.erased)))
    return sorted(found, key=lambda event: event.at)


def fired(campaign: str, version: int, ordinal: int, trigger: str, t_ns: int) -> EventView:
    """The fire of a trigger, by the vehicle's clock."""
    at = datetime.fromtimestamp(min(max(t_ns, 0), _LATEST_NS) / NS_PER_S, UTC)
    detail = f"{trigger} of {campaign} version {version} fired, number {ordinal} of the vehicle (by its clock)"
    return EventView(at=at, what="fired", detail=detail)


def stage(facts: Facts) -> Stage:
    """How far the clip is."""
    if facts.erased is not None:
        return "erased"
    if facts.clip is not None:
        if facts.clip.state == "damaged":
            return "damaged"
        is_labelled = any(job.state == "done" for job in facts.label_jobs)
        return "labelled" if is_labelled else "ready" if facts.clip.state == "ready" else "stored"
    states = {upload.state for upload in facts.uploads}
    if "received" in states:
        return "received"
    if "open" in states:
        return "announced"
    # Of attempts that have all ended, the newest decides: one whose cells were lost failed, and may be begun again.
    newest = _newest(facts.uploads)
    return "expired" if newest is not None and newest.state == "expired" else "failed"


def waits_for(facts: Facts, *, now: datetime) -> str | None:
    """What is to happen next, and who does it; None when nothing is."""
    at = stage(facts)
    if at in ("announced", "received", "failed", "expired"):
        return _next_of_upload(facts, at, now)
    if at == "stored":
        return _next_of_jobs(facts.extractions, "the extraction", "a worker of `longtail ingest`", now)
    if at == "ready":
        if facts.label_jobs:
            return _next_of_jobs(facts.label_jobs, "labels", "a labeler to claim its job", now)
        why = "its event waits to be dispatched" if facts.unsent_events else "no label job is queued for it"
        return f"a label job: {why}"
    return None


def reported_of(report: Reported | None, ordinal: int) -> str:
    """Why the cloud does not have a fire, as far as the vehicle's newest report says."""
    if report is None:
        return "the vehicle: it has reported nothing of this campaign version"
    when = _told(report.received_at)
    if ordinal > report.watermark:
        return f"the vehicle: its newest report, of {when}, is of {report.watermark} fires, and this one is later"
    ended = {"sampled out": report.sampled_out} | {
        f"{kind} ({reason})": count
        for kind, reasons in (("refused", report.refused), ("dropped", report.dropped), ("failed", report.failed))
        for reason, count in sorted(reasons.items())
    }
    told = ", ".join(f"{count} {what}" for what, count in ended.items() if count) or "none that ended on the vehicle"
    waiting = f"; {report.in_flight} still wait on the vehicle" if report.in_flight else ""
    return f"nothing, unless it waits on the vehicle: of its {report.watermark} fires up to {when}: {told}{waiting}"


def _told(at: datetime) -> str:
    """A time within a sentence, which people read: in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _of_upload(upload: UploadLike) -> Iterator[EventView]:
    def event(at: datetime, what: str, detail: str) -> EventView:
        return EventView(at=at, what=what, detail=detail, upload_id=upload.id)

    sized = f"{upload.size_bytes} bytes over {upload.network}"
    yield event(upload.created_at, "announced", f"upload {upload.id[:SHORT_ID]} of {sized} was announced")
    if upload.closed_at is None:
        return
    if upload.state == "stored":
        yield event(upload.closed_at, "upload_ended", "all of its bytes are in the catalog")
    elif upload.state in ("failed", "expired"):
        came = f"after {upload.offset_bytes} of {upload.size_bytes} bytes"
        yield event(upload.closed_at, f"upload_{upload.state}", f"{came}: {upload.reason or 'no reason is kept'}")


def _stored(clip: ClipLike) -> EventView:
    return EventView(at=clip.stored_at, what="stored", detail=f"a clip of {clip.size_bytes} bytes is in the catalog")


def _extracted(clip: ClipLike, extractions: Sequence[JobLike]) -> Iterator[EventView]:
    if clip.state == "damaged":
        at = max((job.finished_at for job in extractions if job.finished_at is not None), default=clip.stored_at)
        yield EventView(at=at, what="damaged", detail=clip.damage or "nothing of it could be read")
    elif clip.ready_at is not None:
        yield EventView(at=clip.ready_at, what="ready", detail="its signals, track and previews can be used")


def _of_job(job: JobLike, what: str, name: str) -> Iterator[EventView]:
    yield EventView(at=job.created_at, what=f"{what}_queued", detail=f"{name} was queued")
    if job.finished_at is not None and job.state in ("done", "failed"):
        by = f" by {job.holder}" if job.holder else ""
        why = f": {job.reason}" if job.reason and job.state == "failed" else ""
        attempts = f" at attempt {job.attempts}" if job.attempts > 1 else ""
        yield EventView(
            at=job.finished_at, what=f"{what}_{job.state}", detail=f"{name}: {job.state}{by}{attempts}{why}"
        )


def _next_of_upload(facts: Facts, at: Stage, now: datetime) -> str:
    by_state = {upload.state: upload for upload in facts.uploads}
    if at == "announced":
        upload = by_state["open"]
        left = f"{upload.offset_bytes} of {upload.size_bytes} bytes have come over {upload.network}"
        until = _told(upload.expires_at)
        return f"the vehicle: {left}, and the upload ends at {until} unless more come"
    if at == "received":
        since_s = (now - by_state["received"].created_at).total_seconds()
        look = "; look at /readyz and longtail_ingest_lag_records of ingest" if since_s > LATE_S else ""
        return f"the assembler of `longtail ingest`: all bytes came, and are not in the catalog yet{look}"
    newest = _newest(facts.uploads)
    reason = newest.reason if newest is not None else next((letter.detail for letter in facts.letters), None)
    if newest is not None and newest.may_be_sent_again:
        return f"the vehicle, if it still has the clip: its upload ended before it was whole ({reason})"
    return f"nothing: it can never be in the catalog ({reason})"


def _newest(uploads: Sequence[UploadLike]) -> UploadLike | None:
    return max(uploads, key=lambda each: each.created_at, default=None)


def _next_of_jobs(jobs: Sequence[JobLike], what: str, whom: str, now: datetime) -> str:
    job = max(jobs, key=lambda each: each.created_at, default=None)
    if job is None:
        return f"{what}: no job is queued for it; run `longtail doctor`"
    before = f" (attempt {job.attempts} ended so: {job.reason})" if job.reason else ""
    if job.state == "leased" and job.lease_until is not None and job.lease_until > now:
        return f"{what}: {job.holder} has the job until {_told(job.lease_until)}"
    if job.state == "failed":
        return f"nothing, {what} failed{before}; try it again, or discard it"
    return f"{what}: it waits for {whom} since {_told(job.created_at)}{before}"


def _erased(erased: ErasedLike) -> str:
    why = f": {erased.reason}" if erased.reason else ""
    return {"expired": "its time in the catalog was over", "erased": "a user erased it"}.get(
        erased.cause, "its vehicle was erased"
    ) + why
