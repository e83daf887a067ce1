"""The jail of a process that forks children for hostile bytes, and of these children, which give up still more."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable, Sequence

from triggers.processes.jail import landlock, privileges, seccomp
from triggers.processes.jail.parts import Lack, Part, lack
from triggers.processes.jail.privileges import Account

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")


class Jail:
    """Begun by a process before it knows of any hostile byte, entered by each of its children.

    `folder` is a descriptor of the only folder in which a child's own may be.
    """

    def __init__(self, folder: int, *, packages: Sequence[str] = ()) -> None:
        """Opens what may be read: the interpreter, its libraries and these packages, so that late imports work."""
        self._folder = folder
        self._readable = [_opened(path) for path in interpreter_paths(packages)]
        self._readable = [descriptor for descriptor in self._readable if descriptor >= 0]
        self._given_up: set[Part] = set()

    def begin(self, user: Account | None) -> list[Lack]:
        """Restrict this process to what forking and ending children takes; returns what the system could not do.

        `user`: whom to become (None: nobody else).
        """
        lacks: list[Lack] = []
        # The bounding set is dropped as root; a new user has no capability left to drop it with.
        self._try(Part.CALLS, privileges.drop_bounding_set, lacks)
        if user is not None:
            self._try(Part.USER, lambda: privileges.become(user), lacks)
        self._try(Part.CALLS, privileges.drop_capabilities, lacks)
        privileges.hide_memory()
        self._try(Part.FILES, lambda: landlock.restrict(self._readable, [self._folder]), lacks)
        self._try(Part.CALLS, lambda: seccomp.restrict(server=True), lacks)
        return lacks

    def enter(self, folder: int) -> None:
        """In a child: give up all but its own folder and plain computing. OSError if a part fails that `begin` had."""
        if Part.FILES not in self._given_up:
            landlock.restrict(self._readable, [folder])
        for descriptor in (*self._readable, self._folder, folder):
            os.close(descriptor)
        if Part.CALLS not in self._given_up:
            seccomp.restrict()

    def _try(self, part: Part, step: Callable[[], None], lacks: list[Lack]) -> None:
        try:
            step()
        except OSError as error:
            if part not in self._given_up:
                self._given_up.add(part)
                lacks.append(lack(part, _why(part, error)))


def _why(part: Part, error: OSError) -> str:
    return f"the part {part!s} cannot be had ({error.strerror or error})" if sys.platform == "linux" else ""


def interpreter_paths(packages: Sequence[str] = ()) -> list[str]:
    """The interpreter's code and libraries, and folders of packages; not what may lie beside them."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    for name in packages:
        spec = importlib.util.find_spec(name)
        folders |= set(spec.submodule_search_locations or ()) if spec is not None else set()
    return [*sorted(folders), *_LIBRARIES]


def _opened(path: str) -> int:
    flags = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_PATH", 0)
    with contextlib.suppress(OSError):
        return os.open(path, flags)
    return -1
