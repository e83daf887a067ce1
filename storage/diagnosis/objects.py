"""Which objects the rows name, with what they must be: a sample for a quick look, and all of them in pages."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from storage.tables import clip_assets, clips, dead_letters
from triggers.contracts.clip import ClipManifest
from triggers.errors import InvalidInput

_CLIP_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object that a row names; `size_bytes` is None where the row does not say."""

    key: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class StoredClip:
    """A clip's row: its object, its upload, and its manifest, None when that cannot be read any more."""

    id: str
    upload_id: str
    vehicle_id: str
    key: str
    size_bytes: int
    digest: str
    manifest: ClipManifest | None


def count_clips(connection: Connection) -> int:
    """How many clips the catalog has."""
    return int(connection.execute(select(func.count()).select_from(clips)).scalar_one())


def sample(connection: Connection, *, newest: int, drawn: int) -> list[NamedObject]:
    """Objects of the newest clips and assets, and of `drawn` further clips, picked at random."""
    named: dict[str, int] = {}
    for table, at in ((clips, clips.c.stored_at), (clip_assets, clip_assets.c.created_at)):
        latest = select(table.c.object_key, table.c.size_bytes).order_by(at.desc(), table.c.object_key).limit(newest)
        named |= {row.object_key: row.size_bytes for row in connection.execute(latest)}
    named |= {row.object_key: row.size_bytes for row in _drawn(connection, drawn)}
    return [NamedObject(key, size_bytes) for key, size_bytes in sorted(named.items())]


def _drawn(connection: Connection, count: int) -> list[Any]:
    """Rows of clips from a random id on, and from the first again: ids are hashes, so neighbours are unrelated."""
    begin = secrets.token_hex(_CLIP_ID_BYTES)
    rows: list[Any] = []
    for condition in (clips.c.id >= begin, clips.c.id < begin):
        chosen = select(clips.c.object_key, clips.c.size_bytes).where(condition).order_by(clips.c.id)
        rows += connection.execute(chosen.limit(count - len(rows))).all() if len(rows) < count else []
    return rows


def clips_after(connection: Connection, after: str, *, limit: int) -> list[StoredClip]:
    """At most `limit` clips whose id sorts after `after`, by id."""
    c = clips.c
    columns = (c.id, c.upload_id, c.vehicle_id, c.object_key, c.size_bytes, c.digest, c.manifest)
    rows = connection.execute(select(*columns).where(c.id > after).order_by(c.id).limit(limit))
    return [
        StoredClip(
            row.id, row.upload_id, row.vehicle_id, row.object_key, row.size_bytes, row.digest, _manifest(row.manifest)
        )
        for row in rows
    ]


def assets_after(connection: Connection, after: tuple[str, str], *, limit: int) -> list[tuple[Any, NamedObject]]:
    """At most `limit` assets after a (clip id, name), each with its own, by these."""
    c = clip_assets.c
    rows = connection.execute(
        select(c.clip_id, c.name, c.object_key, c.size_bytes)
        .where(tuple_(c.clip_id, c.name) > after)
        .order_by(c.clip_id, c.name)
        .limit(limit)
    )
    return [((row.clip_id, row.name), NamedObject(row.object_key, row.size_bytes)) for row in rows]


def letters_after(connection: Connection, after: int, *, limit: int) -> list[tuple[Any, NamedObject]]:
    """At most `limit` objects of dead letters after a letter's id, each with its letter's id, by these."""
    c = dead_letters.c
    rows = connection.execute(
        select(c.id, c.object_key).where(c.id > after, c.object_key.is_not(None)).order_by(c.id).limit(limit)
    )
    return [(row.id, NamedObject(row.object_key, None)) for row in rows]


def unknown_object_keys(connection: Connection, keys: Iterable[str]) -> list[str]:
    """Those of `keys` that neither a clip nor an asset nor a dead letter names."""
    asked = list(keys)
    known: set[str | None] = set()
    for column in (clips.c.object_key, clip_assets.c.object_key, dead_letters.c.object_key):
        known.update(connection.execute(select(column).where(column.in_(asked))).scalars())
    return [key for key in asked if key not in known]


def _manifest(stored: Any) -> ClipManifest | None:
    try:
        return ClipManifest.from_stored_json(json.dumps(stored).encode(), what="a stored manifest")
    except InvalidInput:
        return None
