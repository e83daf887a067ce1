"""Clips that are stored, for the stages that come after: extraction and likeness."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from storage.database import Database
from storage.tables import campaign_versions
from tests.ingest.assembler.world import World, drive
from tests.ingest.extraction import footage
from tests.support.paths import REPOSITORY
from triggers.clips.footage import Footage


@pytest.fixture
def world(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    world = World(database, tmp_path)
    with database.begin() as connection:
        connection.execute(update(campaign_versions).values(signal_catalog=footage.CATALOG))
    return world


@pytest.fixture
def stored(world: World) -> Callable[..., str]:
    """Store a clip, a sound one, one of this footage, or the given bytes; returns its id."""

    def store(data: bytes | None = None, content: Footage | None = None) -> str:
        manifest = footage.recording()
        data = footage.clip_bytes(manifest, content or footage.footage()) if data is None else data
        clip = world.clip(len(data), manifest=footage.announced(manifest, data))
        clip.data = data
        with closing(world.assembler()) as assembler:
            world.send(clip, *clip.indices)
            drive(assembler, lambda: world.upload_state(clip) == "stored" and world.lag() == 0)
        return clip.manifest.clip_id

    return store
