"""The folders of backtests' files: gone at the end, or at the next start where a process was killed; full disks."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from fleet_api.backtests.folders import empty_folders, work_folder
from storage.settings import Settings
from triggers.errors import Unreachable


def settings_in(tmp_path: Path) -> Settings:
    return Settings.model_construct(data_dir=tmp_path)


def test_a_start_deletes_what_killed_processes_left_and_nothing_in_use(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    left = tmp_path / "backtests/longtail-backtest-left"
    left.mkdir(mode=0o700, parents=True)
    (left / "clip.signals").write_bytes(b"signals")
    with work_folder(settings) as folder:
        (folder / "clip.signals").write_bytes(b"signals")
        assert folder.parent == left.parent
        empty_folders(settings)
        assert not left.exists() and (folder / "clip.signals").exists()
    assert list(left.parent.iterdir()) == []


def test_a_full_disk_is_told_as_something_that_passes(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"cannot be written in .*backtests"), work_folder(settings_in(tmp_path)):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
