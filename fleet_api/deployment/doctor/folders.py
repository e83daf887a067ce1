"""Folders on this machine: whether they can be written, and how much room their disks have."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fleet_api.deployment.doctor.findings import Finding, fail, ok, warn
from storage.settings import MIB, Settings

FULL_BYTES = 64 * MIB
"""Less room than this counts as a full disk: an object, a log and a checkpoint of the database may need as much."""
FEW_INODES = 1000
_PROBE_BYTES = 64 * 1024


def check(settings: Settings) -> Iterator[Finding]:
    """The data directory, then the folders in it that may be disks of their own: spool, extraction, logs, database."""
    folder = settings.require_data_dir()
    found = check_folder("data directory", folder, wanted_bytes=2 * settings.spool_bytes)
    yield found
    if found.status == "fail" and not folder.is_dir():
        return
    for name, below in (("spool", "spool"), ("extraction folder", "extraction"), ("logs", "logs")):
        if os.path.lexists(folder / below):
            yield check_folder(name, folder / below, wanted_bytes=2 * FULL_BYTES)
    if (cluster := folder / "postgres" / "cluster").is_dir():
        yield check_room("database disk", cluster, wanted_bytes=1024 * MIB)


def check_folder(name: str, folder: Path, *, wanted_bytes: int) -> Finding:
    """Whether a file can be written and synced there, and how much room is left."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror or error}"
        return fail(name, message, _remedy(name, error))
    return check_room(name, folder, wanted_bytes=wanted_bytes)


def check_room(name: str, folder: Path, *, wanted_bytes: int) -> Finding:
    """How much room the disk of a folder has; a failure when that is next to nothing."""
    disk = os.statvfs(folder)
    free_bytes = disk.f_bavail * disk.f_frsize
    if free_bytes < FULL_BYTES:
        message = f"the disk of {folder} is full: {free_bytes // MIB} MiB free"
        return fail(name, message, "free space on it; the work continues by itself then")
    if disk.f_files and disk.f_favail < FEW_INODES:
        message = f"the disk of {folder} can hold only {disk.f_favail} more files"
        return fail(name, message, "delete files there, or use a file system with more inodes")
    if free_bytes < wanted_bytes:
        need = f"free some: {wanted_bytes // MIB} MiB are advisable"
        return warn(name, f"{folder} has only {free_bytes // MIB} MiB free", need)
    return ok(name, f"{folder}, {free_bytes // 1024**3} GiB free")


def _remedy(name: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and name == "data directory":
        return "set LONGTAIL_DATA_DIR (--data) to the folder of the deployment"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "move away what is in its place; the process makes the folder when it starts"
    if isinstance(error, PermissionError):
        return "run longtail as the user who owns it, or give that user write access"
    return "free space on its disk, or mount it for writing"
