"""The data directory of this machine's deployment: where `longtail up` keeps everything, `client.json` included."""

from __future__ import annotations

import os
from pathlib import Path

from triggers.errors import Misconfigured

VARIABLE = "LONGTAIL_DATA_DIR"


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
