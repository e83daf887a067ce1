"""The data directory of this machine's deployment, and its `client.json`, with which commands find the deployment.

`longtail up` keeps everything in that directory, and writes the file with its addresses and the administrator's token,
readable only by its owner.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from triggers.errors import Misconfigured

VARIABLE = "LONGTAIL_DATA_DIR"
NAME = "client.json"


def default_data_dir() -> Path:
    """Where a deployment keeps its data unless told otherwise (XDG Base Directory Specification)."""
    if os.geteuid() == 0:
        return Path("/var/lib/longtail")
    configured = os.environ.get("XDG_DATA_HOME", "")
    if configured.startswith("/"):
        return Path(configured) / "longtail"
    try:
        return Path.home() / ".local" / "share" / "longtail"
    except RuntimeError as error:  # neither HOME nor an account with a home
        raise Misconfigured(
            "this user has no home folder for the data", remedy=f"choose a data directory (--data or {VARIABLE})"
        ) from error


def data_dir_of_environment() -> Path:
    """The data directory that a command means when none is named: the variable's, else the default."""
    return Path(os.environ.get(VARIABLE) or default_data_dir())


@dataclass(frozen=True, slots=True)
class ClientFile:
    """Addresses and the administrator's token of a deployment."""

    api_url: str
    gateway_url: str
    token: str
    ingest_url: str = ""
    """Where ingest tells whether it works; empty in a file that an older version wrote."""


def read_client_file(data_dir: Path) -> ClientFile | None:
    """The file's content; None if there is no such file. Raises Misconfigured if it is damaged or not readable."""
    path = data_dir / NAME
    try:
        content = json.loads(path.read_bytes())
        urls = str(content["api_url"]), str(content["gateway_url"])
        return ClientFile(*urls, str(content["token"]), str(content.get("ingest_url", "")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Misconfigured(
            f"cannot read {path}: {error}",
            remedy="run as the user who ran `longtail up`, or give --url and --token",
        ) from error


def write_client_file(data_dir: Path, content: ClientFile) -> None:
    """Replace the file; other users can never read it, and no reader sees half of it."""
    path = data_dir / NAME
    partial = path.with_name(f"{NAME}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        partial.unlink()
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump(asdict(content), file)
    partial.replace(path)
