"""Log-ins that are kept on this machine: a file for each API, readable only by its owner, with a short-lived token."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from triggers.atomic_file import replace_private
from triggers.errors import Misconfigured
from triggers.private_files import private_folder, read_private

MAX_BYTES = 16 * 1024


class KeptLogin(BaseModel):
    """A log-in: at which API, as whom, with which token, and until when."""

    url: str
    user: str
    token: str
    expires_at: datetime


def read(url: str) -> KeptLogin | None:
    """The log-in at the API with this URL; None if there is none.

    Misconfigured when it is over: whoever logged in would otherwise go on as somebody else without noticing.
    """
    path = _path(url)
    try:
        kept = KeptLogin.model_validate_json(read_private(path, what="the token", limit_bytes=MAX_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise Misconfigured(f"cannot read your log-in from {path}", remedy="log in again: longtail login") from error
    if kept.expires_at <= datetime.now(UTC):
        raise Misconfigured(
            f"your log-in at {kept.url} ended at {kept.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            remedy=f"log in again, `longtail login --url {kept.url}`, or forget it, `longtail logout --url {kept.url}`",
        )
    return kept


def keep(login: KeptLogin) -> Path:
    """Keep a log-in in place of an earlier one at the same API. Misconfigured if it cannot be written."""
    path = _path(login.url)
    try:
        private_folder(path.parent)
        replace_private(path, login.model_dump_json().encode() + b"\n")
    except OSError as error:
        raise Misconfigured(f"cannot keep the log-in in {path}: {error.strerror}") from error
    return path


def forget(url: str) -> bool:
    """Delete the log-in at an API; whether there was one."""
    try:
        _path(url).unlink()
    except FileNotFoundError:
        return False
    return True


def _path(url: str) -> Path:
    name = hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:32]
    return _folder() / f"{name}.json"


def _folder() -> Path:
    """State that lasts (XDG Base Directory Specification)."""
    configured = os.environ.get("XDG_STATE_HOME", "")
    if configured.startswith("/"):
        return Path(configured) / "longtail" / "logins"
    try:
        return Path.home() / ".local" / "state" / "longtail" / "logins"
    except RuntimeError as error:
        raise Misconfigured("this user has no home folder for log-ins", remedy="set XDG_STATE_HOME") from error
