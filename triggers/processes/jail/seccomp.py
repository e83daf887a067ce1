"""System calls, by seccomp-bpf: a filter in the kernel that lets those of a list pass and refuses all others.

A call that is not allowed fails with EPERM, so that a library takes it for something that this machine forbids, and
finds another way or reports it. A call of another architecture (whose numbers mean other things) ends the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triggers.processes.jail import calls
from triggers.processes.jail.calls import NUMBERS, Machine
from triggers.processes.jail.kernel import prctl

KILL_PROCESS, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
"""BPF: load a word of the call's data, jump if equal, jump if any bit is set, return (linux/bpf_common.h)."""
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16
"""Offsets in `struct seccomp_data`; of an argument the lower half, which is all that the kernel looks at in these."""
_PR_SET_SECCOMP, _PR_GET_SECCOMP, _MODE_FILTER = 22, 21, 2

_PROT_EXEC = 0x4
_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWTIME (linux/sched.h)."""
_OWN_LIMITS = 0
_FILE_COMMANDS = (0, 1, 2, 3, 4, 5, 6, 7, 1030)
"""F_DUPFD to F_SETLKW and F_DUPFD_CLOEXEC; not F_SETOWN, with which a file signals another process."""
_TERMINAL_QUESTIONS = (0x5401, 0x5413, 0x5450, 0x5451)
"""TCGETS and TIOCGWINSZ ("is this a terminal?"), FIONCLEX, FIOCLEX."""


@dataclass(frozen=True)
class Only:
    """Allowed if the argument has one of these values; if `values` is None, if none of the bits is set in it."""

    argument: int
    values: tuple[int, ...] | None = None
    without_bits: int = 0


def conditions(own_pid: int, *, server: bool) -> dict[str, Only]:
    """The calls that are allowed with certain arguments only.

    A child signals only itself, as `abort` does, sets no limits of others, and makes no memory executable.
    """
    limited = {
        "fcntl": Only(1, _FILE_COMMANDS),
        "ioctl": Only(1, _TERMINAL_QUESTIONS),
        "prlimit64": Only(0, (_OWN_LIMITS, own_pid)),
        "mmap": Only(2, without_bits=_PROT_EXEC),
        "mprotect": Only(2, without_bits=_PROT_EXEC),
        "clone": Only(0, without_bits=_NEW_NAMESPACES),
    }
    return limited if server else limited | dict.fromkeys(("kill", "tkill", "tgkill"), Only(0, (own_pid,)))


def compiled(allowed: Iterable[str], limited: dict[str, Only], machine: Machine) -> bytes:
    """The filter as an array of `struct sock_filter`; call it with names of `calls.NUMBERS`."""
    return b"".join(_instructions(allowed, limited, machine))


def _instructions(allowed: Iterable[str], limited: dict[str, Only], machine: Machine) -> Iterator[bytes]:
    yield _instruction(LOAD, ARCH_AT)
    yield _instruction(EQUAL, machine.audit_arch, if_true=1)
    yield _instruction(RETURN, KILL_PROCESS)
    yield _instruction(LOAD, NUMBER_AT)
    # glibc asks for clone3 first, and for clone only if the kernel says that it does not know clone3.
    yield from _answered(NUMBERS["clone3"][machine.column], ERRNO | errno.ENOSYS)
    names = sorted(allowed, key=lambda name: name in limited)
    for name in names:
        number = NUMBERS[name][machine.column]
        if number is not None and name != "clone3":
            only = limited.get(name)
            yield from _answered(number, ALLOW) if only is None else _limited(number, only)
    yield _instruction(RETURN, ERRNO | errno.EPERM)


def _answered(number: int | None, answer: int) -> Iterator[bytes]:
    if number is not None:
        yield _instruction(EQUAL, number, if_false=1)
        yield _instruction(RETURN, answer)


def _limited(number: int, only: Only) -> Iterator[bytes]:
    """A call by an argument: always ends with an answer, because the number is no longer loaded."""
    tests = list(_tests(only))
    yield _instruction(EQUAL, number, if_false=len(tests) + 1)
    yield _instruction(LOAD, ARGUMENTS_AT + 8 * only.argument)
    yield from tests


def _tests(only: Only) -> Iterator[bytes]:
    if only.values is None:
        yield _instruction(ANY_BIT, only.without_bits, if_false=1)
    else:
        for left, value in zip(range(len(only.values), 0, -1), only.values, strict=True):
            yield _instruction(EQUAL, value, if_true=left)
    yield _instruction(RETURN, ERRNO | errno.EPERM)
    yield _instruction(RETURN, ALLOW)


def _instruction(code: int, constant: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, constant)


def available() -> bool:
    """Whether this kernel filters system calls, and their numbers on this machine are known."""
    try:
        prctl(_PR_GET_SECCOMP)
    except OSError:
        return False
    return calls.machine() is not None


def restrict(*, server: bool = False) -> None:
    """Give up all system calls but those of `calls`, for this process and all that it forks; OSError if impossible.

    Needs `no_new_privs`. Another filter can only take away more.
    """
    machine = calls.machine()
    if machine is None:
        raise OSError(errno.ENOSYS, "the system calls of this machine are not listed")
    names = calls.OF_SERVER if server else calls.OF_CHILD
    program = compiled(names, conditions(os.getpid(), server=server), machine)
    buffer = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    holder = ctypes.create_string_buffer(described, len(described))
    prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(holder))
