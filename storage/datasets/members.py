"""What the catalog has of members now: the objects of their derived files, and the documents of their pinned labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from storage.clips.details import LabelRecord
from storage.rows import columns_of
from storage.tables import clip_assets, labels

AssetId = tuple[str, str, str | None]
"""A clip, the name of one of its derived files, and the digest of that."""


def object_keys(connection: Connection, clip_ids: Sequence[str]) -> dict[AssetId, str]:
    """The keys of the objects of clips' derived files. A file that was derived again has another digest."""
    table = clip_assets.c
    rows = connection.execute(
        select(table.clip_id, table.name, table.digest, table.object_key).where(table.clip_id.in_(clip_ids))
    )
    return {(row.clip_id, row.name, row.digest): row.object_key for row in rows}


def label_documents(connection: Connection, pinned: Mapping[str, Sequence[int]]) -> dict[str, list[LabelRecord]]:
    """The labels with these ids, by clip, in the order of their ids; those that are gone are left out."""
    ids = [label_id for of_clip in pinned.values() for label_id in of_clip]
    columns = columns_of(LabelRecord, labels)
    rows = connection.execute(select(labels.c.clip_id, *columns).where(labels.c.id.in_(ids)).order_by(labels.c.id))
    found: dict[str, list[LabelRecord]] = {}
    for clip_id, *values in rows:
        found.setdefault(clip_id, []).append(LabelRecord(*values))
    return found
