"""The jars of the real servers: held to their locks, fetched once for everybody, and missed aloud."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.paths import REPOSITORY
from tools import fetch_jars
from tools.fetch_jars import JarsChanged, JarsMissing

JARS = REPOSITORY / "tools" / "jars"
MAVEN = """#!/bin/sh
echo run >> "{log}"
for argument; do case $argument in -DoutputDirectory=*) out=${{argument#-DoutputDirectory=}};; esac; done
mkdir -p "$out" && cp "{source}"/* "$out" && {then}
"""


@dataclass
class Maven:
    """A program named `mvn` that copies what `source` holds; the real one is tried by every test on a real server."""

    source: Path
    program: Path
    log: Path

    def does(self, then: str = "true") -> None:
        self.program.write_text(MAVEN.format(log=self.log, source=self.source, then=then))
        self.program.chmod(0o755)

    def runs(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maven:
    """Maven would fetch two jars, which are locked; nothing is cached."""
    made = Maven(tmp_path / "central", tmp_path / "bin" / "mvn", tmp_path / "mvn.log")
    for folder in (made.source, made.program.parent, tmp_path / "jars" / "thing"):
        folder.mkdir(parents=True)
    for name in ("a-1.jar", "b-2.jar"):
        (made.source / name).write_bytes(name.encode())
    made.does()
    monkeypatch.setenv("PATH", f"{made.program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LONGTAIL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch_jars, "JARS", tmp_path / "jars")
    fetch_jars.write_lock(tmp_path / "jars" / "thing.lock", made.source)
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_jars_are_fetched_once(maven: Maven) -> None:
    first = fetch_jars.jars("thing")
    assert names(first) == ["a-1.jar", "b-2.jar"]
    assert fetch_jars.jars("thing") == first
    assert maven.runs() == 1


def test_two_that_come_at_once_fetch_once(maven: Maven) -> None:
    maven.does("sleep 0.3")
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(fetch_jars.jars, ["thing"] * 4))) == 1
    assert maven.runs() == 1


@pytest.mark.parametrize("change", ["changed", "missing", "added"])
def test_what_differs_from_the_lock_is_named_and_not_used(maven: Maven, tmp_path: Path, change: str) -> None:
    file = maven.source / ("c-3.jar" if change == "added" else "b-2.jar")
    file.unlink(missing_ok=True)
    if change != "missing":
        file.write_bytes(b"something else")
    with pytest.raises(JarsChanged, match=rf"{file.name}.*thing\.lock"):
        fetch_jars.jars("thing")
    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_a_damaged_cache_is_fetched_again(maven: Maven) -> None:
    folder = fetch_jars.jars("thing")
    (folder / "a-1.jar").write_bytes(b"half")
    assert fetch_jars.jars("thing") == folder
    assert (folder / "a-1.jar").read_bytes() == b"a-1.jar"


def test_a_maven_that_fails_is_quoted(maven: Maven, tmp_path: Path) -> None:
    maven.does("echo Could not resolve host; exit 7")
    with pytest.raises(JarsMissing, match=r"(?s)exit status 7.*Could not resolve host"):
        fetch_jars.jars("thing")
    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_without_maven_what_is_cached_works_and_what_is_not_is_asked_for(
    maven: Maven, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fetch_jars.jars("thing")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert names(fetch_jars.jars("thing")) == ["a-1.jar", "b-2.jar"]
    monkeypatch.setenv("LONGTAIL_CACHE_DIR", str(tmp_path / "other"))
    with pytest.raises(JarsMissing, match=r"no Maven.*install Maven.*fetch_jars\.py"):
        fetch_jars.jars("thing")


def test_the_cache_is_the_users_or_lies_here(tmp_path: Path) -> None:
    assert fetch_jars.cache_dir({"LONGTAIL_CACHE_DIR": "/a/b", "HOME": str(tmp_path)}) == Path("/a/b")
    assert fetch_jars.cache_dir({"HOME": str(tmp_path)}) == tmp_path / ".cache" / "longtail"
    for home in ({}, {"HOME": "/nonexistent"}):
        assert fetch_jars.cache_dir(home) == REPOSITORY / ".cache"


@pytest.mark.parametrize("name", fetch_jars.NAMES)
def test_the_locks_are_those_of_the_poms(name: str) -> None:
    locked = fetch_jars.read_lock(JARS / f"{name}.lock")
    pom = (JARS / name / "pom.xml").read_text()
    for dependency in pom.split("<dependency>")[1:]:
        artifact, version = (dependency.split(f"<{tag}>")[1].split(f"</{tag}>")[0] for tag in ("artifactId", "version"))
        assert f"{artifact}-{version}.jar" in locked
    assert all(len(digest) == len(hashlib.sha256().hexdigest()) for digest in locked.values())


@pytest.mark.parametrize(
    ("jar", "image"), [("kafka_2.13", "apache/kafka"), ("s3proxy", "andrewgaul/s3proxy")], ids=["kafka", "s3proxy"]
)
def test_the_compose_file_offers_the_versions_that_are_tested(jar: str, image: str) -> None:
    locked = {name for lock in fetch_jars.NAMES for name in fetch_jars.read_lock(JARS / f"{lock}.lock")}
    services = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())["services"]
    (version,) = [
        service["image"].split(":")[1] for service in services.values() if service["image"].startswith(f"{image}:")
    ]
    assert f"{jar}-{version}.jar" in locked


@pytest.mark.integration
@pytest.mark.parametrize("ci", ["", "true"])
def test_a_run_without_servers_says_which_tests_it_leaves_out_and_under_ci_fails(tmp_path: Path, ci: str) -> None:
    java = shutil.which("java")
    if java:
        (tmp_path / "java").symlink_to(java)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/storage/objects", "-k", "links", "-p", "no:cacheprovider"],
        cwd=REPOSITORY,
        env={"PATH": str(tmp_path), "CI": ci, "LONGTAIL_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
        text=True,
    )
    if ci:
        assert run.returncode == 1, run.stdout
        assert "under CI=true no test may be left out" in run.stdout
    else:
        assert run.returncode == 0, run.stdout
        assert "TESTS LEFT OUT" in run.stdout
        assert "tests/storage/objects/test_s3_faults.py::test_links_read_the_object_without_credentials" in run.stdout
    assert ("tools/fetch_jars.py" if java else "Java 17") in run.stdout
