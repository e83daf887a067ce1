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

PORT = 5432  # only a part of the socket's name: no TCP port is opened
_BASE = Path("/tmp")  # noqa: S108 - mkdtemp makes unguessable folders of mode 0700
_PREFIX = "longtail-pg-"


def make_socket_dir(user: ServerUser | None) -> Path:
    """A new folder that only `user` (None: this process's own) and root can enter.

    Beneath /tmp, as a socket's path has at most 107 bytes (103 on macOS). Not in XDG_RUNTIME_DIR, which goes
    away when its user logs out, although the server may have been meant to stay.
    """
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_BASE))
    if user:
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
    return path


def remove_socket_dir(noted: object) -> None:
    """Remove what a killed guard left; only ever a folder that looks like one of ours."""
    path = Path(str(noted))
    if path.parent == _BASE and path.name.startswith(_PREFIX):
        with contextlib.suppress(OSError):
            if stat.S_ISDIR(path.lstat().st_mode):
                shutil.rmtree(path)


def socket_in(socket_dir: Path) -> Path:
    return socket_dir / f".s.PGSQL.{PORT}"


def url_at(socket_dir: Path, database: str, *, user: str = SUPERUSER, password: str = "") -> str:
    """SQLAlchemy's URL; the port is named so that PGPORT cannot change it."""
    who = f"{user}:{quote(password)}" if password else user
    return f"postgresql+psycopg://{who}@/{quote(database)}?host={quote(str(socket_dir))}&port={PORT}"
