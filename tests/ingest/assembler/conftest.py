"""Fixtures of the assembler's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.database import Database
from tests.ingest.assembler.world import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """A deployment with an enrolled vehicle and a running campaign."""
    return World(database, tmp_path)
