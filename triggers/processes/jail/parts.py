"""The parts of the jail that this system lacks: what a child could do without each of them, and what to do about it."""

from __future__ import annotations

import os
import platform
import sys
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from triggers.processes.jail import landlock, seccomp

_SETGID, _SETUID = 6, 7
_NEEDED = (1 << _SETGID) | (1 << _SETUID)


class Part(StrEnum):
    """A part of the jail."""

    FILES = "files"
    CALLS = "system calls"
    USER = "another user"


class Lack(NamedTuple):
    """A part that is missing: why, what a child that was taken over could do, and what to do about it."""

    part: Part
    why: str
    risk: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.why}, so it could {self.risk}"


_RISKS = {
    Part.FILES: "read every file that this user can read, and write to those it can write to",
    Part.CALLS: "open connections and start programs",
    Part.USER: "act as root on what the other parts leave it",
}
_LINUX_ONLY = "extract on Linux; elsewhere only clips of vehicles that you trust"


def lack(part: Part, why: str = "") -> Lack:
    """The lack of a part, with `why` if that is known better than from looking at the system."""
    reason, remedy = _explained(part)
    return Lack(part, why or reason, _RISKS[part], remedy)


def lacking() -> list[Lack]:
    """What this system lacks, as far as can be seen before the jail is entered."""
    missing = []
    if not landlock.version():
        missing.append(lack(Part.FILES))
    if not seccomp.available():
        missing.append(lack(Part.CALLS))
    if os.geteuid() == 0 and not _may_change_user():
        missing.append(lack(Part.USER))
    return missing


def _explained(part: Part) -> tuple[str, str]:
    if part is Part.USER:
        return (
            "this process runs as root and may not change its user",
            "run longtail as an ordinary user, or grant it CAP_SETUID and CAP_SETGID",
        )
    if sys.platform != "linux":
        what = "Landlock" if part is Part.FILES else "seccomp"
        return f"{platform.system()} has no {what}", _LINUX_ONLY
    if part is Part.FILES:
        return (
            f"Linux {platform.release()} offers no Landlock here",
            "use Linux 5.13 or newer with `landlock` in /sys/kernel/security/lsm (boot option lsm=), "
            "and a container runtime whose seccomp profile allows the calls landlock_*",
        )
    return (
        f"Linux {platform.release()} on {platform.machine()} offers no seccomp filter that is known here",
        "use x86-64 or aarch64, and a kernel with CONFIG_SECCOMP_FILTER",
    )


def _may_change_user() -> bool:
    """Whether root has the capabilities for it, which containers may take away."""
    if sys.platform != "linux":
        return True
    with Path("/proc/self/status").open(encoding="ascii") as status:
        effective = next((int(line.split()[1], 16) for line in status if line.startswith("CapEff:")), 0)
    return effective & _NEEDED == _NEEDED
