"""`client.json` in a data directory: how the command line finds the deployment on this machine, and who it is there.

`longtail up` writes it with its addresses and the administrator's token, readable for its owner only.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from triggers.errors import Misconfigured

NAME = "client.json"


@dataclass(frozen=True, slots=True)
class ClientFile:
    """Addresses and the administrator's token of a deployment."""

    api_url: str
    gateway_url: str
    token: str


def read_client_file(data_dir: Path) -> ClientFile | None:
    """The file's content; None when there is no such file; Misconfigured when it is damaged or not ours to read."""
    path = data_dir / NAME
    try:
        content = json.loads(path.read_bytes())
        return ClientFile(str(content["api_url"]), str(content["gateway_url"]), str(content["token"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Misconfigured(
            f"cannot read {path}: {error}",
            remedy="run as the user who ran `longtail up`, or give --url and --token",
        ) from error


def write_client_file(data_dir: Path, content: ClientFile) -> None:
    """Replace the file; at no moment can others read it or see half of it."""
    path = data_dir / NAME
    partial = path.with_name(f"{NAME}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        partial.unlink()
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump(asdict(content), file)
    partial.replace(path)
