"""Label jobs: a clip and a task; claimed under a lease, completed once with labels in ASAM OpenLABEL.

A job is held by a user, and only that user (or an administrator) may renew, complete or fail it: a token numbers the
claims of a job and is no secret. Labels keep who made them, as `<user>/<labeler>`, how (`provenance`), and the types
they name, which the catalog searches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storage import job_leases
from storage.jsonb import storable
from storage.tables import label_jobs, labels
from triggers.contracts.api.labels import WORK_NAME
from triggers.errors import Forbidden, InvalidInput

MAX_ATTEMPTS = 5
MAX_BIGINT = 2**63 - 1
MAX_TYPES = 1000
MAX_TYPE_CHARACTERS = 200
_NAME = re.compile(WORK_NAME)
_VERSION = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}")
_TYPED = ("objects", "actions", "events", "contexts", "relations", "tags")
"""The parts of an OpenLABEL document whose members have a `type` (ASAM OpenLABEL 1.0.0, section 7)."""


@dataclass(frozen=True, slots=True)
class LabelJob:
    """A job as its claimer gets it; `token` is needed to renew, complete or fail it."""

    id: int
    clip_id: str
    task: str
    token: int
    attempts: int
    lease_until: datetime


def ensure(connection: Connection, clip_id: str, task: str) -> bool:
    """Make the job of this task for a clip; False when it exists already."""
    _checked_name(task, "task")
    made = connection.execute(
        upsert(label_jobs)
        .values(clip_id=clip_id, task=task)
        .on_conflict_do_nothing(index_elements=["clip_id", "task"])
        .returning(label_jobs.c.id)
    )
    return made.one_or_none() is not None


def claim(connection: Connection, *, user: str, task: str, labeler: str, count: int, lease_s: float) -> list[LabelJob]:
    """Lease at most `count` jobs of a task to a user's labeler, oldest first; no other claim returns them meanwhile."""
    rows = job_leases.claim(
        connection,
        label_jobs,
        only=label_jobs.c.task == _checked_name(task, "task"),
        worker=f"{user}/{_checked_name(labeler, 'labeler')}",
        count=count,
        lease_s=lease_s,
        max_attempts=MAX_ATTEMPTS,
    )
    return [_job(row) for row in rows]


def renew(connection: Connection, job_id: int, *, user: str | None, token: int, lease_s: float) -> datetime:
    """Keep a job for `lease_s` more seconds; returns until when. LeaseLost when somebody else has it.

    Here and below Forbidden when another user claimed it with this token; `user` None is an administrator.
    """
    _check_holder(connection, job_id, user, token)
    row = job_leases.renew(connection, label_jobs, _key(job_id), token=_bounded(token), lease_s=lease_s)
    until: datetime = row.lease_until
    return until


def complete(
    connection: Connection,
    job_id: int,
    *,
    user: str | None,
    token: int,
    openlabel: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> int:
    """Write the labels and finish the job; returns the labels' id. LeaseLost, and nothing is written, when lost.

    Handing in the same content again with the same token gives the same id: the first answer may have been lost.
    """
    types = label_types(openlabel)
    document = storable(dict(openlabel), what="the labels")
    made_by = storable(dict(provenance), what="the provenance")
    if _check_holder(connection, job_id, user, token) == "done":
        written = _written(connection, job_id, document, made_by)
        if written is not None:
            return written
    job = job_leases.finish(connection, label_jobs, _key(job_id), token=_bounded(token))
    label_id: int = connection.execute(
        insert(labels)
        .values(
            job_id=job.id,
            clip_id=job.clip_id,
            labeler=job.worker,
            types=types,
            openlabel=document,
            provenance=made_by,
        )
        .returning(labels.c.id)
    ).scalar_one()
    return label_id


def fail(connection: Connection, job_id: int, *, user: str | None, token: int, reason: str) -> str:
    """Give a job back; returns its state: `ready` for another try, or `failed` when its attempts are used up."""
    storable(reason, what="the reason")
    _check_holder(connection, job_id, user, token)
    row = job_leases.fail(
        connection, label_jobs, _key(job_id), token=_bounded(token), reason=reason, max_attempts=MAX_ATTEMPTS
    )
    return str(row.state)


def stats(connection: Connection) -> dict[str, dict[str, int]]:
    """By task, how many jobs are in which state; `expired` are those leased whose lease is over."""
    expired = (label_jobs.c.state == "leased") & (label_jobs.c.lease_until < func.now())
    rows = connection.execute(
        select(
            label_jobs.c.task,
            label_jobs.c.state,
            func.count().label("jobs"),
            func.count().filter(expired).label("expired"),
        ).group_by(label_jobs.c.task, label_jobs.c.state)
    )
    by_task: dict[str, dict[str, int]] = {}
    for row in rows:
        counts = by_task.setdefault(row.task, {"ready": 0, "leased": 0, "expired": 0, "done": 0, "failed": 0})
        counts[row.state] += row.jobs - row.expired
        counts["expired"] += row.expired
    return dict(sorted(by_task.items()))


def label_types(document: Mapping[str, Any]) -> list[str]:
    """The types that an OpenLABEL document names, sorted; InvalidInput when it is no OpenLABEL document.

    Checked are the root (`openlabel`), `metadata.schema_version`, and the shape of the parts that carry types.
    """
    root = document.get("openlabel")
    if set(document) != {"openlabel"} or not isinstance(root, dict):
        raise InvalidInput("labels must be one OpenLABEL document", remedy='send {"openlabel": {"metadata": ...}}')
    metadata = root.get("metadata")
    version = metadata.get("schema_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InvalidInput(
            "the labels name no OpenLABEL schema version", remedy='set openlabel.metadata.schema_version to "1.0.0"'
        )
    types: set[str] = set()
    for part in _TYPED:
        members = root.get(part, {})
        if not isinstance(members, dict) or not all(isinstance(member, dict) for member in members.values()):
            raise InvalidInput(f"openlabel.{part} must map ids to objects")
        types.update(kind for member in members.values() if isinstance(kind := member.get("type"), str) and kind)
    if len(types) > MAX_TYPES or any(len(kind) > MAX_TYPE_CHARACTERS for kind in types):
        raise InvalidInput(f"labels may name {MAX_TYPES} types of {MAX_TYPE_CHARACTERS} characters at most")
    return sorted(types)


def _check_holder(connection: Connection, job_id: int, user: str | None, token: int) -> str | None:
    """Lock the job. Its state when this token is its newest, else None; Forbidden when that is another user's."""
    held = select(label_jobs.c.state, label_jobs.c.worker).where(
        label_jobs.c.id == _bounded(job_id), label_jobs.c.token == _bounded(token), label_jobs.c.worker.is_not(None)
    )
    row = connection.execute(held.with_for_update()).one_or_none()
    if row is None:
        return None
    holder = str(row.worker).partition("/")[0]
    if user is not None and holder != user:
        raise Forbidden(f"job {job_id} was claimed by {holder}, not by {user}", remedy="claim a job of your own")
    return str(row.state)


def _written(
    connection: Connection, job_id: int, openlabel: Mapping[str, Any], provenance: Mapping[str, Any]
) -> int | None:
    """The id of the job's labels if they have just this content; compared as the database keeps it."""
    same = select(labels.c.id).where(
        labels.c.job_id == job_id, labels.c.openlabel == openlabel, labels.c.provenance == provenance
    )
    return connection.execute(same).scalar_one_or_none()


def _checked_name(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"not a {what}: {name[:100]!r}", remedy="use letters, digits and _ . : @ + -, at most 100")
    return name


def _key(job_id: int) -> dict[str, int]:
    return {"id": _bounded(job_id)}


def _bounded(number: int) -> int:
    return number if abs(number) <= MAX_BIGINT else -1  # no row has it


def _job(row: Row[Any]) -> LabelJob:
    return LabelJob(row.id, row.clip_id, row.task, row.token, row.attempts, row.lease_until)
