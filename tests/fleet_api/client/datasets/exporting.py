"""A dataset to export: clips with files in the object store, derived files and labels."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import select, update

from storage.tables import clip_assets, labels
from tests.fleet_api.api_server import Api
from tests.storage.clips.catalog_support import OPENLABEL, add_clip, add_labels
from tests.support.rows import add_row

BOX = (13.0, 52.0, 13.5, 52.5)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def content_of(number: int) -> bytes:
    """The recording of a clip."""
    return f"clip {number} ".encode() * 20_000


def add_whole_clip(api: Api, number: int, *, labelled: bool = False, **columns: Any) -> str:
    """A clip whose recording and derived signals are in the object store."""
    data, derived = content_of(number), f"signals of {number}".encode()
    store = api.app.state.services.store
    about: dict[str, Any] = {"box": BOX, "fired": [("braking", "hard")], "attributes": {"region": "EU"}, **columns}
    with api.database.begin() as connection:
        clip_id = add_clip(connection, digest=sha256(data), size_bytes=len(data), **about)
        key = f"derived/v1/{clip_id}/signals.parquet"
        asset = {"name": "signals", "object_key": key, "size_bytes": len(derived), "digest": sha256(derived)}
        add_row(connection, clip_assets, clip_id=clip_id, **asset)
        if labelled:
            add_labels(connection, clip_id, "car", "braking")
            connection.execute(update(labels).where(labels.c.clip_id == clip_id).values(openlabel=OPENLABEL))
    store.put(f"clips/{clip_id}.mcap", data)
    store.put(key, derived)
    return clip_id


def asset_keys(api: Api) -> list[str]:
    with api.database.begin() as connection:
        return list(connection.execute(select(clip_assets.c.object_key)).scalars())
