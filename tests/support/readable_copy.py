"""A copy of what a program imports, for a user who cannot read this environment (it may lie in root's home)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import REPOSITORY

_LIST = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def copy_imports(folder: Path, modules: Sequence[str], *, packages: Sequence[str] = ()) -> Path:
    """Copy everything of this project and its environment that importing `modules` loads, and `packages` besides.

    Returns `folder`, to be put on PYTHONPATH.
    """
    if not folder.exists():
        folder.mkdir()
        folder.chmod(0o755)
    answer = subprocess.run(
        [sys.executable, "-c", _LIST, *modules], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for name in (*json.loads(answer.stdout), *packages):
        for place in (REPOSITORY, Path(sysconfig.get_path("purelib"))):
            for suffix in ("", ".libs", ".py"):  # `.libs`: where wheels for Linux keep their shared libraries
                _copy(place / f"{name}{suffix}", folder)
    return folder


def copy_tree(source: Path, target: Path, **options: Any) -> None:
    """Like `shutil.copytree`, for every user, and with hard links where they will do: the files are only read."""
    shutil.copytree(source, target, symlinks=True, copy_function=_link, dirs_exist_ok=True, **options)
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(0o755)


def _link(source: str, target: str) -> None:
    """A link, which has the modes of its source; a copy where these close it (cloned under a strict umask)."""
    mode = Path(source).stat().st_mode
    if mode & stat.S_IROTH:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if mode & stat.S_IXUSR else 0o644)


def _copy(source: Path, folder: Path) -> None:
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.a", "include")
        copy_tree(source, folder / source.name, ignore=ignored)
    elif source.is_file():
        _link(str(source), str(folder / source.name))


def interpreter_for_everybody() -> str:
    """A Python of this version that `nobody` may execute: this one may lie in root's home."""
    candidates = [
        sys.executable,
        f"/usr/bin/python3.{sys.version_info.minor}",
        f"/usr/local/bin/python3.{sys.version_info.minor}",
    ]
    for candidate in candidates:
        options: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            tried = subprocess.run([candidate, "-c", ""], cwd="/", capture_output=True, check=False, **options)
        except OSError:
            continue
        if tried.returncode == 0:
            return candidate
    pytest.skip(f"NOT TESTED: what an unprivileged user does; 'nobody' may run none of {candidates}")


def python_path_for_everybody(python: str) -> str:
    """A PYTHONPATH with this project and its environment, if every user may read it; else the test is skipped."""
    path = os.pathsep.join([str(REPOSITORY), sysconfig.get_path("purelib")])
    options: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    code = [python, "-c", "import fleet_api, psycopg, pydantic"]
    tried = subprocess.run(code, cwd="/", env={"PYTHONPATH": path}, capture_output=True, check=False, **options)
    if tried.returncode:
        pytest.skip(f"NOT TESTED: what processes do as users of their own: they may not read {path}")
    return path
