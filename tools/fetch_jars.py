#!/usr/bin/env python3
"""The jars of the real servers that tests run against, fetched by Maven and held to the committed locks.

`python tools/fetch_jars.py` fetches what the cache lacks; `--lock` writes the locks again after a change of a pom.
`jars/<name>/pom.xml` lists the artifacts, `jars/<name>.lock` the name and SHA-256 of every file they must resolve to.

The cache is shared between clones and runs: `$LONGTAIL_CACHE_DIR`, else `~/.cache/longtail`, else `.cache` here.
A set of jars appears in it whole or not at all, under a name made of its lock, so that nothing there ever changes.
Only the standard library is needed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JARS = ROOT / "tools" / "jars"
NAMES = ("kafka", "s3proxy")
HOW_TO_GET_THEM = "install Maven (apt-get install maven, brew install maven), then run: python tools/fetch_jars.py"
_COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_MAVEN_TIMEOUT_S = 900


class JarsMissing(Exception):
    """The jars are not in the cache and cannot be fetched; the message says why, and what to do."""


class JarsChanged(Exception):
    """What was fetched is not what the lock says; the message names the file."""


def jars(name: str) -> Path:
    """The folder with the jars of `name`, fetched if necessary; raises JarsMissing or JarsChanged."""
    lock = JARS / f"{name}.lock"
    expected = read_lock(lock)
    home = cache_dir() / "jars"
    folder = home / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    if differing_file(folder, expected) is None:
        return folder
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home / f"{folder.name}.lock"):
        if differing_file(folder, expected) is not None:  # no other process fetched them while this one waited
            _fetch_into(name, folder, expected)
    return folder


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Where fetched files stay between runs."""
    if environment.get("LONGTAIL_CACHE_DIR"):
        return Path(environment["LONGTAIL_CACHE_DIR"]).absolute()
    home = Path(environment.get("HOME") or "/nonexistent")
    return home / ".cache" / "longtail" if os.access(home, os.W_OK) else ROOT / ".cache"


def read_lock(lock: Path) -> dict[str, str]:
    """SHA-256 (hex) by file name."""
    pairs = (line.split() for line in lock.read_text().splitlines() if line and not line.startswith("#"))
    return {name: digest for digest, name in pairs}


def write_lock(lock: Path, folder: Path) -> None:
    """Lock what `folder` holds."""
    lines = [f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    lock.write_text(f"# Written by tools/fetch_jars.py --lock from {lock.stem}/pom.xml.\n" + "".join(lines))


def differing_file(folder: Path, expected: Mapping[str, str]) -> str | None:
    """The first file of `folder` that is not as `expected` (missing, changed or foreign), None when all are."""
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for name in sorted(found | expected.keys()):
        if name not in found or name not in expected or _sha256(folder / name) != expected[name]:
            return name
    return None


def _fetch_into(name: str, folder: Path, expected: Mapping[str, str]) -> None:
    with _downloaded(name, folder.parent) as fresh:
        if (file := differing_file(fresh, expected)) is not None:
            raise JarsChanged(
                f"{file} of {name} is not what tools/jars/{name}.lock says. If tools/jars/{name}/pom.xml was changed "
                "on purpose, lock it again: python tools/fetch_jars.py --lock; else do not trust where it came from"
            )
        shutil.rmtree(folder, ignore_errors=True)  # one that was damaged
        fresh.rename(folder)


@contextmanager
def _downloaded(name: str, home: Path) -> Iterator[Path]:
    """A folder in `home` with the jars that Maven resolves; gone afterwards unless it was renamed."""
    maven = shutil.which("mvn")
    if maven is None:
        raise JarsMissing(
            f"the jars of {name} are not in {home}, and there is no Maven to fetch them; {HOW_TO_GET_THEM}"
        )
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=home))
    try:
        command = [maven, "--batch-mode", "--quiet", "--file", str(JARS / name / "pom.xml")]
        if not os.access(Path.home(), os.W_OK):
            command.append(f"-Dmaven.repo.local={home / 'maven-repository'}")
        command += [_COPY_DEPENDENCIES, "-DincludeScope=runtime", f"-DoutputDirectory={work / 'jars'}"]
        _run_maven(command, name)
        yield work / "jars"
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run_maven(command: list[str], name: str) -> None:
    try:
        done = subprocess.run(
            command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_MAVEN_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise JarsMissing(f"Maven did not fetch the jars of {name} within {_MAVEN_TIMEOUT_S} s") from error
    if done.returncode:
        said = done.stdout.decode(errors="replace").strip()[-2000:]
        raise JarsMissing(f"Maven could not fetch the jars of {name} (exit status {done.returncode}):\n{said}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Exclusive among processes; the kernel frees it when the holder is gone."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Fetch the jars of the servers that tests run against.")
    parser.add_argument("--lock", action="store_true", help="write the locks again from what Maven resolves now")
    options = parser.parse_args(argv)
    try:
        for name in NAMES:
            if options.lock:
                cache_dir().mkdir(parents=True, exist_ok=True)
                with _downloaded(name, cache_dir()) as fresh:
                    write_lock(JARS / f"{name}.lock", fresh)
            sys.stdout.write(f"{name}: {jars(name)}\n")
    except (JarsMissing, JarsChanged) as problem:
        sys.stderr.write(f"fetch_jars: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
