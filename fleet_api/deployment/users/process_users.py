"""Whom a process becomes that root starts, and what is in the way of it (Linux; elsewhere it stays who it is)."""

from __future__ import annotations

import errno
import grp
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydantic

from storage.settings import PREFIX, Settings
from triggers.errors import Misconfigured
from triggers.processes.jail.privileges import Account, account

PROCESSES = ("api", "gateway", "ingest", "signer")
_STAYS = ("root", "0")
_TRY_S = 60.0
_READ_EACH = "import os, sys; [os.stat(path + '/.') if os.path.isdir(path) else open(path) for path in sys.argv[1:]]"


@dataclass(frozen=True, slots=True)
class ProcessUser:
    """The user of a process, and the groups that it is in besides its own."""

    process: str
    account: Account
    groups: tuple[int, ...]


def user_of(settings: Settings, process: str) -> ProcessUser | None:
    """Whom the process becomes; None where it stays who it is: it is not root, or a setting says so.

    Misconfigured if there is no such user, or two processes have the same one.
    """
    return next((user for user in users_of(settings) if user.process == process), None)


def users_of(settings: Settings) -> list[ProcessUser]:
    """The users of all processes that become one. Misconfigured as `user_of`."""
    if os.geteuid() != 0 or sys.platform != "linux":
        return []
    named = {process: str(getattr(settings, f"{process}_user")) for process in PROCESSES}
    accounts = {process: account(name) for process, name in named.items() if name not in _STAYS}
    _require_apart({**accounts, "extraction": account(settings.extraction_user)})
    group, extractors = group_of(settings), account(settings.extraction_user).gid
    groups = {"api": (group,), "gateway": (group,), "ingest": (group, extractors), "signer": ()}
    return [ProcessUser(name, who, groups[name]) for name, who in accounts.items()]


def group_of(settings: Settings) -> int:
    """The number of the group that API, gateway and ingest have in common. Misconfigured if it is none, or root's."""
    name = settings.process_group
    try:
        number = int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        remedy = f"create it, or use a number ({PREFIX}PROCESS_GROUP)"
        raise Misconfigured(f"there is no group {name!r}", remedy=remedy) from None
    if number == 0:
        raise Misconfigured(f"{PREFIX}PROCESS_GROUP is root's group", remedy="name one that has no other members")
    return number


def obstacle(user: ProcessUser, settings: Settings) -> str:
    """Why this process cannot become the user and work on, found by trying; empty if it can."""
    paths = [__file__, os.__file__, pydantic.__file__, *_data_dir(settings)]
    try:
        tried = _run_as(user, [sys.executable, "-I", "-S", "-c", _READ_EACH, *map(str, paths)])
    except (OSError, subprocess.SubprocessError) as error:
        if isinstance(error, OSError) and error.errno == errno.EACCES:
            return f"user {user.account.uid} may not run {sys.executable}"
        return f"this process may not become user {user.account.uid} ({error})"
    if tried.returncode == 0:
        return ""
    reason = (tried.stderr.strip().splitlines() or ["it does not run"])[-1]
    return f"user {user.account.uid} cannot work here: {reason}"


def _run_as(user: ProcessUser, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        user=user.account.uid,
        group=user.account.gid,
        extra_groups=user.groups,
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_TRY_S,
        check=False,
    )


def _data_dir(settings: Settings) -> list[Path]:
    return [settings.data_dir] if settings.data_dir is not None and settings.data_dir.is_dir() else []


def _require_apart(accounts: dict[str, Account]) -> None:
    """Two processes with one user could read each other's files, and what the user of extractors owns is in reach of
    any clip."""
    known: dict[int, str] = {}
    for process, who in accounts.items():
        other = known.setdefault(who.uid, process)
        if other != process:
            raise Misconfigured(
                f"{PREFIX}{process.upper()}_USER is user {who.uid}, and so is {PREFIX}{other.upper()}_USER",
                remedy="give each its own, by name or number",
            )
