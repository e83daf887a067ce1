"""The system calls that an extracting child needs, and those that its server needs to fork and end it, by name.

A child computes, allocates, and reads and writes the files that Landlock has left it. Everything else is refused:
sockets, programs, processes and threads, tracing, mounts, keys, BPF, io_uring, and whatever a later kernel brings.
"""

from __future__ import annotations

import platform
from typing import NamedTuple


class Machine(NamedTuple):
    """A processor: its name in the audit interface (linux/audit.h), and the column of its numbers in `NUMBERS`."""

    audit_arch: int
    column: int


MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    # Files
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "lseek": (8, 62),
    "open": (2, None),
    "openat": (257, 56),
    "close": (3, 57),
    "close_range": (436, 436),
    "stat": (4, None),
    "lstat": (6, None),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "fadvise64": (221, 223),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "fstatfs": (138, 44),
    # Memory
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    # Signals and locks within the process
    "futex": (202, 98),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "pause": (34, None),
    "ppoll": (271, 73),
    "restart_syscall": (219, 128),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    # Time, and what the process may know of itself and the machine
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "times": (100, 153),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "prlimit64": (302, 261),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "getppid": (110, 173),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "getcpu": (309, 168),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # The server: forking and ending children, and its socket
    "clone": (56, 220),
    "clone3": (435, 435),
    "fork": (57, None),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "setpgid": (109, 154),
    "poll": (7, None),
    "select": (23, None),
    "pselect6": (270, 72),
    "pipe2": (293, 59),
    "fchdir": (81, 50),
    "setrlimit": (160, 164),
    "alarm": (37, None),
    "setitimer": (38, 103),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "prctl": (157, 167),
    "capset": (126, 91),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}
"""Numbers on x86-64 and on aarch64 (asm/unistd_64.h, asm-generic/unistd.h); None: that machine has no such call."""

_FIRST_OF_SERVER = list(NUMBERS).index("clone")
OF_CHILD = frozenset(list(NUMBERS)[:_FIRST_OF_SERVER])
OF_SERVER = frozenset(NUMBERS)


def machine() -> Machine | None:
    """This machine; None if it is one whose calls are not listed."""
    return MACHINES.get(platform.machine())
