"""The filter of system calls, run in a small BPF machine: on both processors, whatever this test runs on."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest

from triggers.processes.jail import calls, seccomp
from triggers.processes.jail.calls import MACHINES, NUMBERS, Machine

OWN_PID = 4711
EPERM, ENOSYS = (seccomp.ERRNO | number for number in (errno.EPERM, errno.ENOSYS))
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
DANGEROUS = {
    "socket": (41, 198),
    "connect": (42, 203),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "mount": (165, 40),
    "move_mount": (429, 429),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "open_by_handle_at": (304, 265),
    "memfd_create": (319, 279),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "truncate": (76, 45),
    "symlinkat": (266, 36),
    "linkat": (265, 37),
    "mknodat": (259, 33),
    "fchmodat": (268, 53),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "personality": (135, 92),
}


def verdict(program: bytes, number: int, *arguments: int, arch: int) -> int:
    """What the kernel would answer to a call: the program is run as the kernel does (classic BPF)."""
    data = struct.pack("<IIQ6Q", number, arch, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    instructions = list(struct.iter_unpack("<HBBI", program))
    at, loaded = 0, 0
    while True:
        code, if_true, if_false, constant = instructions[at]
        at += 1
        if code == seccomp.RETURN:
            return int(constant)
        if code == seccomp.LOAD:
            (loaded,) = struct.unpack_from("<I", data, constant)
        elif code == seccomp.EQUAL:
            at += if_true if loaded == constant else if_false
        else:
            assert code == seccomp.ANY_BIT
            at += if_true if loaded & constant else if_false


def program(machine: Machine, *, server: bool = False) -> bytes:
    names = calls.OF_SERVER if server else calls.OF_CHILD
    return seccomp.compiled(names, seccomp.conditions(OWN_PID, server=server), machine)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("server", [False, True])
def test_only_what_is_listed_passes(name: str, server: bool) -> None:
    machine = MACHINES[name]
    allowed = {NUMBERS[call][machine.column] for call in (calls.OF_SERVER if server else calls.OF_CHILD)}
    limited = {NUMBERS[call][machine.column] for call in seccomp.conditions(OWN_PID, server=server)}
    compiled = program(machine, server=server)
    for number in set(range(1000)) - limited - {NUMBERS["clone3"][0]}:
        expected = seccomp.ALLOW if number in allowed else EPERM
        assert verdict(compiled, number, arch=machine.audit_arch) == expected, number


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("call", DANGEROUS)
@pytest.mark.parametrize("server", [False, True])
def test_what_could_leave_the_jail_is_refused(name: str, call: str, server: bool) -> None:
    machine = MACHINES[name]
    number = DANGEROUS[call][machine.column]
    assert verdict(program(machine, server=server), number, arch=machine.audit_arch) == EPERM


@pytest.mark.parametrize("name", MACHINES)
def test_another_architecture_is_killed_and_x32_is_refused(name: str) -> None:
    machine = MACHINES[name]
    for arch in {*(other.audit_arch for other in MACHINES.values()), 0x40000003} - {machine.audit_arch}:
        assert verdict(program(machine), 0, arch=arch) == seccomp.KILL_PROCESS
    assert verdict(program(machine), 0x40000000, arch=machine.audit_arch) == EPERM


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize(
    ("call", "arguments", "allowed"),
    [
        ("kill", (OWN_PID, 6), True),
        ("kill", (1, 9), False),
        ("kill", (2**32 - 1, 9), False),
        ("tgkill", (OWN_PID, OWN_PID, 6), True),
        ("tgkill", (OWN_PID + 1, OWN_PID + 1, 6), False),
        ("fcntl", (3, 2, 1), True),
        ("fcntl", (3, 1030), True),
        ("fcntl", (3, 8, 1), False),
        ("ioctl", (0, 0x5401), True),
        ("ioctl", (0, 0x5412), False),
        ("prlimit64", (0, 7), True),
        ("prlimit64", (1, 7), False),
        ("mmap", (0, 4096, 3), True),
        ("mmap", (0, 4096, 5), False),
        ("mprotect", (0, 4096, 4), False),
    ],
)
def test_arguments_decide_where_a_call_has_good_and_bad_uses(
    name: str, call: str, arguments: tuple[int, ...], allowed: bool
) -> None:
    machine = MACHINES[name]
    number = NUMBERS[call][machine.column]
    assert number is not None
    expected = seccomp.ALLOW if allowed else EPERM
    assert verdict(program(machine), number, *arguments, arch=machine.audit_arch) == expected


@pytest.mark.parametrize("name", MACHINES)
def test_the_server_forks_but_makes_no_namespace_and_a_child_does_neither(name: str) -> None:
    machine = MACHINES[name]
    clone, clone3 = (NUMBERS[call][machine.column] for call in ("clone", "clone3"))
    assert clone is not None
    assert clone3 is not None
    fork, new_user = 0x01200011, 0x10000000
    server, child = program(machine, server=True), program(machine)
    assert verdict(server, clone, fork, arch=machine.audit_arch) == seccomp.ALLOW
    assert verdict(server, clone, new_user, arch=machine.audit_arch) == EPERM
    assert verdict(child, clone, fork, arch=machine.audit_arch) == EPERM
    for each in (server, child):
        assert verdict(each, clone3, arch=machine.audit_arch) == ENOSYS


@pytest.mark.parametrize("name", MACHINES)
def test_numbers_are_those_of_the_kernels_headers(name: str) -> None:
    if not HEADERS[name].exists():
        pytest.skip(f"the kernel's headers are not installed ({HEADERS[name]})")
    defined = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", HEADERS[name].read_text(), re.MULTILINE)
    known = {"newfstatat" if call == "fstatat" else call: int(number) for call, number in reversed(defined)}
    column = MACHINES[name].column
    for call, numbers in {**NUMBERS, **DANGEROUS}.items():
        if numbers[column] is not None:
            assert known[call] == numbers[column], call
