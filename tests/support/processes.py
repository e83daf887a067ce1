"""Processes of the system under test: start, find, wait for their end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil

from storage.settings import Settings
from tests.support.paths import REPOSITORY
from tests.support.waiting import wait_for


@contextmanager
def python_process(*arguments: str, python: str = sys.executable) -> Iterator[subprocess.Popen[str]]:
    """`python *arguments` in the repository, killed at the end if it still runs."""
    process = subprocess.Popen(
        [python, *arguments], cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def variables_of(settings: Settings) -> dict[str, str]:
    """The variables of the environment from which a process has these settings."""
    given = settings.model_dump()
    return {f"LONGTAIL_{name.upper()}": str(value) for name, value in given.items() if value is not None}


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line of its output; AssertionError when it ended instead."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"{process.args} ended with {process.wait()} before it said anything"
    return line.rstrip("\n")


def descendants(pid: int | None = None) -> list[psutil.Process]:
    return psutil.Process(pid or os.getpid()).children(recursive=True)


def command_lines(pid: int | None = None) -> dict[psutil.Process, list[str]]:
    """The words that each living descendant was started with; those that are ending are left out."""
    found = {}
    for process in descendants(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            found[process] = process.cmdline()
    return found


def started_with(word: str, pid: int | None = None) -> list[psutil.Process]:
    """The living descendants whose command line has this in it."""
    return [process for process, words in command_lines(pid).items() if word in " ".join(words)]


def named(name: str, *, besides: Collection[psutil.Process] = ()) -> list[dict[str, Any]]:
    """Program, users and groups of the living descendants of that name; those that are ending are left out."""
    found = []
    for process in set(descendants()).difference(besides):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name() == name and process.exe():  # one that is ending has no program any more
                found.append({"exe": process.exe(), "uids": process.uids(), "gids": process.gids()})
    return found


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended, even if its parent has not collected its status yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(processes: Sequence[psutil.Process], *, within_s: float) -> None:
    def all_gone() -> bool:
        return all(is_gone(process) for process in processes)

    wait_for(all_gone, within_s=within_s, what=f"the end of {[process.pid for process in processes]}")
