"""Odd disks: one of a few MiB for what happens when it is full, and one for reading. Only root may mount them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, *, mib: int) -> Iterator[Path]:
    """`folder` as a disk of that size, empty at first; the test is skipped where mounting is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    owner = folder.stat()
    options = f"size={mib}m,mode={owner.st_mode & 0o7777:o},uid={owner.st_uid},gid={owner.st_gid}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def mounted_for_reading(folder: Path) -> Iterator[None]:
    """`folder` as a file system that nobody can write to; the test is skipped where mounting is not allowed."""
    for arguments in (["--bind", str(folder), str(folder)], ["-o", "remount,bind,ro", str(folder)]):
        mounted = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"nothing can be mounted for reading here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, *, leave_bytes: int = 0) -> Path:
    """A file that takes all the room on the disk of `folder`, but `leave_bytes`."""
    disk = os.statvfs(folder)
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            left = max(0, disk.f_bavail * disk.f_frsize - leave_bytes)
            while left > 0:
                left -= file.write(bytes(min(left, 65536)))
        except OSError:
            return path
    return path
