"""Whoever dies, and however: the embedded PostgreSQL is gone within seconds and the next start recovers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from storage.embedded import EmbeddedPostgres, StartCancelled
from storage.embedded.locks import FileLock
from tests.support.processes import command_lines, descendants, python_process, read_line, wait_until_gone
from tests.support.servers.postgres import libpq_url
from tests.support.waiting import wait_for
from triggers.errors import Conflict

pytestmark = pytest.mark.integration

GONE_WITHIN_S = 60.0


@contextmanager
def owner_of(data_dir: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """A process with a server, one committed row and one open transaction; and the server's processes."""
    with python_process("-m", "tests.support.servers.postgres_owner", str(data_dir), *options) as owner:
        assert read_line(owner).startswith("ready")
        own = psutil.Process(owner.pid).cmdline()
        processes = [process for process, words in command_lines(owner.pid).items() if words != own]
        try:
            yield owner, processes
        finally:
            owner.kill()
            wait_until_gone(processes, within_s=GONE_WITHIN_S)


def postmaster_in(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "cluster" / "postmaster.pid").read_text().split()[0]))


def kept_rows(data_dir: Path) -> list[str]:
    with EmbeddedPostgres(data_dir) as server, psycopg.connect(libpq_url(server.url)) as connection:
        return [row[0] for row in connection.execute("SELECT what FROM kept")]


def socket_dirs(processes: list[psutil.Process]) -> list[Path]:
    started = [words for process, words in command_lines().items() if process in processes]
    options = [part for words in started for part in words if "unix_socket_directories=" in part]
    return [Path(option.partition("=")[2]) for option in options]


def test_the_server_is_gone_when_its_owner_was_killed(data_dir: Path) -> None:
    with owner_of(data_dir) as (owner, processes):
        (socket_dir,) = socket_dirs(processes)
        owner.kill()
        wait_until_gone(processes, within_s=GONE_WITHIN_S)
    wait_for(lambda: not socket_dir.exists(), within_s=GONE_WITHIN_S, what="removing the socket's folder")
    assert kept_rows(data_dir) == ["committed"]


def test_a_start_right_after_the_kill_waits_for_the_old_server(data_dir: Path) -> None:
    with owner_of(data_dir) as (owner, processes):
        owner.kill()
        owner.wait()
        assert kept_rows(data_dir) == ["committed"]
        wait_until_gone(processes, within_s=GONE_WITHIN_S)


def test_a_forked_child_of_the_owner_does_not_keep_the_server_alive(data_dir: Path) -> None:
    with owner_of(data_dir, "--fork") as (owner, processes):
        (fork,) = set(psutil.Process(owner.pid).children()).difference(processes)
        try:
            owner.kill()
            wait_until_gone(processes, within_s=GONE_WITHIN_S)
            assert kept_rows(data_dir) == ["committed"]
            assert fork.is_running()
        finally:
            fork.kill()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux has parent-death signals")
def test_the_server_is_gone_when_its_guard_was_killed(data_dir: Path) -> None:
    with owner_of(data_dir) as (owner, processes):
        (guard,) = psutil.Process(owner.pid).children()
        guard.kill()
        wait_until_gone(processes, within_s=GONE_WITHIN_S)
        assert owner.poll() is None
    assert kept_rows(data_dir) == ["committed"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
@pytest.mark.parametrize("stopped", ["guard", "server"])
def test_a_stopped_process_does_not_outlive_the_owner(data_dir: Path, stopped: str) -> None:
    with owner_of(data_dir) as (owner, processes):
        postmaster = postmaster_in(data_dir)
        process = postmaster.parent() if stopped == "guard" else postmaster
        assert process is not None
        process.suspend()
        wait_for(lambda: process.status() == psutil.STATUS_STOPPED, within_s=10, what="the process to stop")
        owner.kill()
        wait_until_gone(processes, within_s=3 * GONE_WITHIN_S)
    assert kept_rows(data_dir) == ["committed"]


def test_a_stopped_guard_still_stops_the_server_in_order(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir):
        guard = postmaster_in(data_dir).parent()
        assert guard is not None
        guard.suspend()
        wait_for(lambda: guard.status() == psutil.STATUS_STOPPED, within_s=10, what="the guard to stop")
    assert not guard.is_running()


def test_the_owner_sees_that_its_server_was_killed(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    with server:
        postmaster_in(data_dir).kill()
        wait_for(lambda: not server.alive, within_s=GONE_WITHIN_S, what="noticing the death")
    with server:
        assert server.alive


def test_a_backend_that_computes_does_not_outlive_its_killed_postmaster(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server, psycopg.connect(libpq_url(server.url)) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        connection.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")
        wait_for(lambda: backend.status() == psutil.STATUS_RUNNING, within_s=10, what="the endless loop")
        postmaster_in(data_dir).kill()
        wait_until_gone([backend], within_s=GONE_WITHIN_S)
        connection.close()


def test_a_kill_during_initdb_leaves_nothing_in_the_way(data_dir: Path) -> None:
    with python_process("-m", "tests.support.servers.postgres_owner", str(data_dir)) as owner:
        wait_for(lambda: any(data_dir.glob("cluster.unfinished-*/*")), within_s=30, what="the start of initdb")
        processes = descendants(owner.pid)
        owner.kill()
        wait_until_gone(processes, within_s=GONE_WITHIN_S)
    assert not (data_dir / "cluster").exists()
    with EmbeddedPostgres(data_dir) as server:
        assert server.alive
    assert not list(data_dir.glob("cluster.unfinished-*"))


def test_a_stale_pid_file_with_a_foreign_pid_neither_blocks_nor_kills(data_dir: Path) -> None:
    with owner_of(data_dir) as (owner, processes):
        pid_file = (data_dir / "cluster" / "postmaster.pid").read_text()
        owner.kill()
        wait_until_gone(processes, within_s=GONE_WITHIN_S)
    cluster_owner = (data_dir / "cluster").stat()
    foreign = subprocess.Popen(
        ["sleep", "600"],
        **({"user": cluster_owner.st_uid, "group": cluster_owner.st_gid} if os.geteuid() == 0 else {}),
    )
    try:
        stale = data_dir / "cluster" / "postmaster.pid"
        stale.write_text("\n".join([str(foreign.pid), *pid_file.splitlines()[1:]]) + "\n")
        assert kept_rows(data_dir) == ["committed"]
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_a_start_waits_out_a_long_recovery_and_tells_what_goes_on(data_dir: Path) -> None:
    with owner_of(data_dir) as (owner, _):
        owner.kill()
    (data_dir / "cluster" / "recovery.signal").touch()  # recovery asks an archive, and this one is slow to answer
    server = EmbeddedPostgres(data_dir, settings={"restore_command": "sleep 3; false"})
    told: list[str] = []
    try:
        server.start(told.append)
        assert server.alive
    finally:
        server.stop()
    assert any("PostgreSQL is starting" in line for line in told)


def test_a_long_recovery_is_given_up_when_told_so_and_finished_by_the_next_start(data_dir: Path) -> None:
    with owner_of(data_dir) as (owner, _):
        owner.kill()
    signal_file = data_dir / "cluster" / "recovery.signal"
    signal_file.touch()  # recovery asks an archive, and this one does not answer
    server = EmbeddedPostgres(data_dir, settings={"restore_command": "sleep 600; false"})
    told: list[str] = []
    with pytest.raises(StartCancelled, match="PostgreSQL was starting"):
        server.start(told.append, cancelled=lambda: any("PostgreSQL is starting" in line for line in told))
    assert not server.alive
    signal_file.unlink()
    assert kept_rows(data_dir) == ["committed"]


def test_the_making_of_a_cluster_and_the_wait_for_a_previous_server_are_given_up_when_told_so(data_dir: Path) -> None:
    told: list[str] = []
    with pytest.raises(StartCancelled, match=r"cluster .* was being created"):
        EmbeddedPostgres(data_dir).start(told.append, cancelled=lambda: bool(told))
    assert not (data_dir / "cluster").exists()
    previous = FileLock(data_dir / "server.lock")
    assert previous.try_acquire()
    try:
        with pytest.raises(StartCancelled, match="previous server"):
            EmbeddedPostgres(data_dir).start(cancelled=lambda: True)
    finally:
        previous.close()
    with EmbeddedPostgres(data_dir) as server:
        assert server.alive


@pytest.mark.parametrize("rubbish", ["", "\n", "no number\n", "-1\n", "99999999999999\n"])
def test_a_damaged_pid_file_does_not_block_the_start(data_dir: Path, rubbish: str) -> None:
    with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "cluster" / "postmaster.pid").write_text(rubbish)
    with EmbeddedPostgres(data_dir) as server:
        assert server.alive


def test_a_server_that_somebody_started_by_hand_is_left_alone(data_dir: Path) -> None:
    with owner_of(data_dir):
        postmaster = postmaster_in(data_dir)
        for lock in ("owner.lock", "server.lock"):  # without them it looks like a server of somebody else
            (data_dir / lock).unlink()
        with pytest.raises(Conflict, match=str(postmaster.pid)):
            EmbeddedPostgres(data_dir).start()
        assert postmaster.is_running()
