"""The signing key: made once, whoever is first, readable by its owner only."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleet_api.deployment.keys import ensure_signing_key
from storage.settings import Settings
from triggers.errors import Misconfigured


def test_the_key_is_made_once_by_processes_at_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: ensure_signing_key(settings), range(8)))
    (path,) = paths
    key = path.read_bytes()
    assert ensure_signing_key(settings).read_bytes() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["signing.pem"]


def test_what_is_no_key_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("no key")
    with pytest.raises(Misconfigured, match=r"key\.pem"):
        ensure_signing_key(Settings(signing_key=path))
    assert path.read_text() == "no key"


def test_a_place_where_no_key_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="LONGTAIL_SIGNING_KEY"):
        ensure_signing_key(Settings(signing_key=tmp_path / "file" / "key.pem"))
