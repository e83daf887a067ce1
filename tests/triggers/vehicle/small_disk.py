"""A small filesystem of its own (tmpfs), on which a disk is really full. Only root may mount one; others skip."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from triggers.vehicle.journal.space import free_bytes


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[Path]:
    """Mount a filesystem of this size at `folder`, and unmount it at the end."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount here, so no disk can be made full")
    if done.returncode != 0:
        pytest.skip(f"only root may mount a small disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Let another program's file take every byte that is left; returns the file."""
    other = folder / "another-program.log"
    with other.open("ab") as file:
        for piece_bytes in (64 * 1024, 4096, 1):
            while free_bytes(folder) >= piece_bytes:
                try:
                    file.write(b"\x55" * piece_bytes)
                    file.flush()
                except OSError:
                    break
    return other
