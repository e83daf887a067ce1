"""The user the server runs as: PostgreSQL refuses root, so root hands it to an existing unprivileged user.

Existing folders keep their modes; where that user cannot enter one, an error names it.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triggers.errors import Misconfigured

_CANDIDATES = ("postgres", "nobody")
_ANOTHER = (
    "choose another data directory (--data or LONGTAIL_DATA_DIR), for instance /var/lib/longtail or /srv/longtail"
)
_ENTER_EACH = 'for d; do cd -P -- "$d" 2>/dev/null || { printf %s "$d"; exit 1; }; done'


@dataclass(frozen=True)
class ServerUser:
    """An unprivileged account."""

    uid: int
    gid: int
    name: str

    def run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a short command as this user; Misconfigured when this process may not change its user."""
        try:
            return subprocess.run(
                argv,
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=60,
                check=False,
            )
        except (PermissionError, subprocess.SubprocessError) as error:
            if _may_change_user(self):
                return subprocess.CompletedProcess(argv, 126, "", str(error))
            raise Misconfigured(
                f"PostgreSQL does not run as root, and this process may not become user {self.name!r}",
                remedy="run longtail as an ordinary user, or grant the container CAP_SETUID and CAP_SETGID",
            ) from error


def scratch_dir(prefix: str) -> Path:
    """A new temporary folder, fit to hold a data directory even when root makes it (its user can pass through)."""
    base = "/tmp" if os.access("/tmp", os.W_OK) else None  # noqa: S108 - mkdtemp makes the name unguessable
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    path.chmod(0o711)
    return path


def server_user(data_dir: Path) -> ServerUser | None:
    """The user to drop to, None when this process is not root.

    The owner of the cluster, else of the data directory, keeps it; a new one goes to `postgres` where
    that account exists, else to `nobody`.
    """
    if os.geteuid() != 0:
        return None
    for path in (data_dir / "cluster", data_dir):
        try:
            status = path.lstat()
        except OSError:
            continue
        if status.st_uid != 0:
            return ServerUser(status.st_uid, status.st_gid, _name_of(status.st_uid))
    for name in _CANDIDATES:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if account.pw_uid != 0:
            return ServerUser(account.pw_uid, account.pw_gid, name)
    raise Misconfigured(
        "PostgreSQL does not run as root, and this machine has neither a user 'postgres' nor 'nobody'",
        remedy="run longtail as an ordinary user, or create one: useradd --system postgres",
    )


def prepare_data_dir(data_dir: Path, user: ServerUser | None) -> None:
    """Create `data_dir` if it is missing, and check that the server's user can reach it (else Misconfigured)."""
    missing = [path for path in (data_dir, *data_dir.parents) if not path.exists()]
    existing = missing[-1].parent if missing else data_dir
    if not existing.is_dir():
        raise Misconfigured(f"the data directory cannot be {data_dir}: {existing} is not a folder", remedy=_ANOTHER)
    if user and (blocked := _first_folder_closed_to(user, existing)):
        mode = stat.S_IMODE(blocked.stat().st_mode)
        raise Misconfigured(
            f"the data directory {data_dir} lies beneath {blocked} (mode {mode:04o}), which user {user.name!r} "
            "cannot enter; PostgreSQL runs as that user because it does not run as root",
            remedy=f"{_ANOTHER}, or run longtail as an ordinary user",
        )
    try:
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            if user:
                path.chmod(0o755)  # ours, so just made: under a strict umask the user could not pass through it
    except OSError as error:
        raise Misconfigured(
            f"the data directory {data_dir} cannot be created: {error.strerror or error}", remedy=_ANOTHER
        ) from error


def _first_folder_closed_to(user: ServerUser, folder: Path) -> Path | None:
    """Found by trying, as modes alone do not tell (ACLs, mounts)."""
    ancestors = [str(path) for path in (*reversed(folder.parents), folder)]
    answer = user.run(["/bin/sh", "-c", _ENTER_EACH, "sh", *ancestors])
    return Path(answer.stdout or folder) if answer.returncode else None


def _may_change_user(user: ServerUser) -> bool:
    """Whether setuid itself works, when running something as the user failed."""
    kwargs: dict[str, Any] = {"user": user.uid, "group": user.gid, "extra_groups": [], "cwd": "/"}
    try:
        return subprocess.run(["/bin/sh", "-c", ":"], check=False, timeout=60, **kwargs).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # the numeric user of a container's volume
        return str(uid)
