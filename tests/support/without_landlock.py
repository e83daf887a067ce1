"""A kernel without Landlock: `python -m tests.support.without_landlock PROGRAM...` runs a program that finds none.

A filter of system calls answers ENOSYS, as an older kernel would; it stays with everything that the program starts.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

LANDLOCK_CREATE_RULESET = 444
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
PROGRAM = b"".join(
    struct.pack("<HBBI", *instruction)
    for instruction in [
        (0x20, 0, 0, 0),  # load the number of the call
        (0x15, 0, 1, LANDLOCK_CREATE_RULESET),
        (0x06, 0, 0, 0x00050000 | errno.ENOSYS),
        (0x06, 0, 0, 0x7FFF0000),  # allow all others
    ]
)


def main() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(PROGRAM, len(PROGRAM))
    described = struct.pack("@HP", len(PROGRAM) // 8, ctypes.addressof(buffer))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, MODE_FILTER, described, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter can be set")
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])


if __name__ == "__main__":
    main()
