"""The private folder of the server's socket, the only way to reach the server; only its owner can enter."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

from storage.embedded.cluster import SUPERUSER
from storage.embedded.runas import ServerUser
from triggers.errors import Unreachable

PORT = 5432  # only a part of the socket's name: no TCP port is opened
_PREFIX = "longtail-pg-"
_MAX_BASE_BYTES = 60  # a socket's path has at most 103 on macOS, 107 on Linux
_ROOM_BYTES = 4096  # the server writes a small file beside its socket


def make_socket_dir(user: ServerUser | None) -> Path:
    """A new folder that only `user` (None: this process's own) and root can enter.

    Beneath /tmp, as a socket's path is short, else where there is room. Not in XDG_RUNTIME_DIR, which goes away when
    its user logs out, although the server may have been meant to stay. Unreachable when there is no room anywhere.
    """
    problems: list[str] = []
    for base in _bases():
        try:
            return _make_in(base, user)
        except OSError as error:
            problems.append(f"{base}: {error.strerror or error}")
    raise Unreachable(
        f"there is no room for the database's socket ({'; '.join(problems)})",
        remedy="make /tmp writable and free some of it, or set TMPDIR to a folder with a path of at most 60 characters",
    )


def _bases() -> list[Path]:
    """Where the folder may be: in this order, but each only once."""
    named = ("/tmp", os.environ.get("TMPDIR", ""), "/var/tmp")  # noqa: S108 - see _make_in
    return list(dict.fromkeys(Path(base) for base in named if base.startswith("/")))


def _make_in(base: Path, user: ServerUser | None) -> Path:
    """OSError where it cannot be made, or hold what the server will write. `mkdtemp` makes an unguessable name."""
    if len(os.fsencode(base)) > _MAX_BASE_BYTES:
        raise OSError("its path is too long for a socket")
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    try:
        probe = path / "probe"
        probe.write_bytes(bytes(_ROOM_BYTES))
        probe.unlink()
        if user:
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    return path


def remove_socket_dir(noted: object) -> None:
    """Remove what a killed guard left; only ever a folder that looks like one of ours."""
    path = Path(str(noted))
    if path.parent in _bases() and path.name.startswith(_PREFIX):
        with contextlib.suppress(OSError):
            if stat.S_ISDIR(path.lstat().st_mode):
                shutil.rmtree(path)


def socket_in(socket_dir: Path) -> Path:
    return socket_dir / f".s.PGSQL.{PORT}"


def url_at(socket_dir: Path, database: str, *, user: str = SUPERUSER, password: str = "") -> str:
    """SQLAlchemy's URL; the port is named so that PGPORT cannot change it."""
    who = f"{user}:{quote(password)}" if password else user
    return f"postgresql+psycopg://{who}@/{quote(database)}?host={quote(str(socket_dir))}&port={PORT}"
