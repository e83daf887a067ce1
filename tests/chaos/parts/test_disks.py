"""A disk of the stage is full when it is filled, and has room again when it is freed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.chaos.parts.disks import disk

MIB = 1024**2


def test_a_full_disk_takes_nothing_until_it_is_freed(tmp_path: Path) -> None:
    with disk(tmp_path / "small", size_bytes=8 * MIB) as small:
        if not small.mounted:
            pytest.skip("a file system cannot be mounted here")
        (small.folder / "before").write_bytes(bytes(MIB))
        for number in range(2):
            small.fill()
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                (small.folder / f"{number}").write_bytes(bytes(4096))
            small.free()
            (small.folder / f"{number}").write_bytes(bytes(MIB))
        assert (small.folder / "before").read_bytes() == bytes(MIB)
    assert not os.path.ismount(tmp_path / "small")


def test_whoever_may_not_mount_gets_a_folder_that_is_never_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with disk(tmp_path / "plain", size_bytes=MIB) as plain:
        assert not plain.mounted
        with pytest.raises(AssertionError, match="own disk"):
            plain.fill()
