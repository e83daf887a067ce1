"""Files, by Landlock: a process gives up every file and folder but those it names (landlock(7)).

Rights that a kernel does not know yet cannot be given up: before version 3 a file could be truncated by its name, which
the filter of system calls refuses, and before version 4 TCP was free, as sockets still are without that filter.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterable
from enum import IntFlag

from triggers.processes.jail.kernel import system_call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_ONLY = 1
_PATH_BENEATH = 1
_TCP_FROM, _SCOPES_FROM = 4, 6
_BIND_AND_CONNECT_TCP = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


class Access(IntFlag):
    """Rights on files (linux/landlock.h, LANDLOCK_ACCESS_FS_*)."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_FILE = 1 << 5
    MAKE_REG = 1 << 8
    TRUNCATE = 1 << 14


_KNOWN = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_KNOWN_FROM_5 = (1 << 16) - 1
"""All rights that a version of Landlock knows: everything of it is given up, whatever it is."""
READ = Access.READ_FILE | Access.READ_DIR
WORK = READ | Access.WRITE_FILE | Access.TRUNCATE | Access.MAKE_REG | Access.REMOVE_FILE
"""Plain files only: no links, folders, devices, pipes or sockets."""
_OF_A_FILE = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE


def version() -> int:
    """The version of Landlock that the kernel has; 0 without it."""
    try:
        return system_call(_CREATE_RULESET, None, 0, _VERSION_ONLY)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, None):
            return 0
        raise


def restrict(readable: Iterable[int], writable: Iterable[int]) -> None:
    """Give up all files but those at or beneath these descriptors; OSError where the kernel cannot.

    Needs `no_new_privs`. What is open already stays open.
    """
    known = version()
    if not known:
        raise OSError(errno.EOPNOTSUPP, "this kernel has no Landlock")
    rights = _KNOWN.get(known, _KNOWN_FROM_5)
    fields = [rights]
    fields += [_BIND_AND_CONNECT_TCP] if known >= _TCP_FROM else []
    fields += [_ABSTRACT_SOCKETS_AND_SIGNALS] if known >= _SCOPES_FROM else []
    attributes = struct.pack(f"<{len(fields)}Q", *fields)
    ruleset = system_call(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for allowed, descriptors in ((READ, readable), (WORK, writable)):
            for descriptor in descriptors:
                _allow(ruleset, descriptor, allowed & rights)
        system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, descriptor: int, allowed: int) -> None:
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        allowed &= _OF_A_FILE
    system_call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("<Qi", allowed, descriptor), 0)
