"""Privileges: another user, no capabilities, none to be gained, and memory that others of the same user cannot read."""

from __future__ import annotations

import contextlib
import os
import pwd
import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple

from triggers.errors import Misconfigured
from triggers.processes.jail.calls import NUMBERS, machine
from triggers.processes.jail.kernel import prctl, system_call

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 24, 38, 47
_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_MOST_CAPABILITIES = 64


class Account(NamedTuple):
    """An unprivileged user by its numbers."""

    uid: int
    gid: int


def account(name: str) -> Account:
    """The account of this name, or number (which need not be in the list of users). Misconfigured if it is root's."""
    if name.isdecimal():
        found = Account(int(name), int(name))
    else:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise Misconfigured(f"there is no user {name!r}", remedy="create it, or use a number") from None
        found = Account(entry.pw_uid, entry.pw_gid)
    if 0 in found:
        raise Misconfigured(f"user {name!r} is privileged", remedy="use one that owns nothing and runs nothing else")
    return found


def become(user: Account, groups: Sequence[int] = ()) -> None:
    """Change to another user for good, in these groups besides its own; OSError if this process may not."""
    os.setgroups(groups)
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)


def drop_bounding_set() -> None:
    """Let no program that this process runs gain a capability. Without the right to do so nothing is done (Linux)."""
    with contextlib.suppress(OSError):  # also the end of the list: a kernel knows about forty
        for capability in range(_MOST_CAPABILITIES):
            prctl(_PR_CAPBSET_DROP, capability)


def drop_capabilities() -> None:
    """Give up every capability, and that programs of another user give any; OSError where there is no such thing."""
    with contextlib.suppress(OSError):  # before Linux 4.3 there was nothing to clear
        prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    here = machine()
    number = None if here is None else NUMBERS["capset"][here.column]
    if number is not None:
        system_call(number, struct.pack("<Ii", _CAPABILITY_VERSION_3, 0), bytes(24))
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def hide_memory() -> None:
    """Let no other process of the same user read this one's memory, environment or files (Linux; root still can)."""
    if sys.platform == "linux":
        prctl(_PR_SET_DUMPABLE, 0)
