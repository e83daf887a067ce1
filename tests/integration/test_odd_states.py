"""`longtail up` in odd states of its machine: each start works, or ends in one line with what, where and what to do."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.embedded import running_url
from tests.support.paths import server_folder
from tests.support.processes import descendants, wait_until_gone
from tests.support.small_disk import fill, small_disk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration
START_S = 240.0
COMMAND = [sys.executable, "-P", "-m", "fleet_api.cli", "up", "--data"]


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """The data directory of a deployment that has run and was stopped; tests copy it."""
    with server_folder() as folder:
        process = start(folder / "data", "--port", "0")
        wait_ready(process, folder / "data")
        stop(process)
        yield folder / "data"


@pytest.fixture
def data(made: Path) -> Iterator[Path]:
    with server_folder() as folder:
        subprocess.run(["cp", "-a", str(made), str(folder / "data")], check=True)
        yield folder / "data"


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("LONGTAIL_")}


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    log = (folder.parent / "up.stderr").open("w")
    with log:
        return subprocess.Popen([*COMMAND, str(folder), *options], cwd="/", env=environment(), stderr=log, text=True)


def said(folder: Path) -> str:
    return (folder.parent / "up.stderr").read_text()


def wait_ready(process: subprocess.Popen[str], folder: Path) -> None:
    wait_for(lambda: process.poll() is not None or "ready;" in said(folder), within_s=START_S, what="the start of up")
    assert process.poll() is None, said(folder)


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0


def refusal(folder: Path, *options: str) -> str:
    """The line with which `longtail up` ends; nothing is left running."""
    process = start(folder, *(options or ("--port", "0")))
    try:
        assert process.wait(START_S) == 1, said(folder)
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in said(folder)
    assert running_url(folder / "postgres") is None
    lines = [line for line in said(folder).splitlines() if line.startswith("longtail: ")]
    assert len(lines) == 1, said(folder)
    return said(folder)[said(folder).index("longtail: ") :]


def test_a_port_that_is_taken_is_named_with_its_setting(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refusal(data, "--port", str(port))
    assert f"'127.0.0.1', port {port}" in line and "LONGTAIL_API_PORT or --port" in line and "stop the process" in line


def test_a_data_directory_that_is_a_file_or_lies_in_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        line = refusal_of(folder, tmp_path)
        assert str(tmp_path / "file") in line and "--data" in line


def refusal_of(folder: Path, log_folder: Path) -> str:
    done = subprocess.run(
        [*COMMAND, str(folder), "--port", "0"], cwd="/", env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr, done.stderr
    return done.stderr


def test_a_data_directory_without_room_is_told(tmp_path: Path) -> None:
    with server_folder() as folder, small_disk(folder / "disk", mib=8) as disk:
        fill(disk, leave_bytes=512 * 1024)
        line = refusal_of(disk / "data", folder)
        assert "space" in line.lower() and str(disk) in line


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ("postgres/cluster/PG_VERSION", "is not a PostgreSQL cluster"),
        ("postgres/cluster/global", "global"),
        ("postgres/cluster/pg_wal", "pg_wal"),
    ],
)
def test_a_half_deleted_database_is_not_replaced_by_an_empty_one(data: Path, gone: str, says: str) -> None:
    path = data / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    line = refusal(data)
    assert says in line and str(data) in line


def test_what_can_be_made_again_is(data: Path) -> None:
    for name in ("spool", "logs"):
        shutil.rmtree(data / name)
    for name in ("client.json", "up.lock"):
        (data / name).unlink()
    process = start(data, "--port", "0")
    try:
        wait_ready(process, data)
        assert (data / "client.json").exists()
    finally:
        stop(process)


def test_a_key_that_cannot_be_read_is_named(data: Path) -> None:
    (data / "keys" / "signing.pem").write_text("-----BEGIN nothing-----")
    assert "signing.pem" in refusal(data)


def test_two_starts_at_once_end_with_one_deployment(data: Path) -> None:
    first = start(data, "--port", "0")
    second = subprocess.Popen(
        [*COMMAND, str(data), "--port", "0"], cwd="/", env=environment(), stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(
            lambda: any(process.poll() is not None for process in (first, second)), within_s=START_S, what="one end"
        )
        loser = second if second.poll() is not None else first
        winner = first if loser is second else second
        assert loser.wait() == 1
        told = second.communicate()[1] if loser is second else said(data)
        assert "in use by process" in told and "another data directory" in told
        wait_for(lambda: (data / "client.json").exists() and winner.poll() is None, within_s=START_S, what="the other")
    finally:
        for process in (first, second):
            process.send_signal(signal.SIGTERM)
            process.wait(120)


@pytest.mark.parametrize("moment", ["creating the database", "postgres/cluster/postmaster.pid", "logs/api.log"])
def test_a_start_that_was_killed_at_any_stage_is_followed_by_one_that_works(moment: str) -> None:
    with server_folder() as folder:
        data = folder / "data"
        process = start(data, "--port", "0")

        def reached() -> bool:
            return moment in said(data) or (data / moment).exists()

        wait_for(reached, within_s=START_S, what=moment)
        family = descendants(process.pid)
        process.kill()
        process.wait()
        wait_until_gone(family, within_s=60)
        process = start(data, "--port", "0")
        try:
            wait_ready(process, data)
        finally:
            stop(process)
