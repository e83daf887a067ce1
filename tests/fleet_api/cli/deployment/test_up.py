"""`longtail up` as a process: what it leaves behind when it is stopped or killed, and how it starts again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from storage.embedded import running_url, scratch_dir
from tests.support.paths import REPOSITORY
from tests.support.processes import descendants, started_with, wait_until_gone
from tests.support.up_process import GONE_WITHIN_S, api_url, log_of, longtail_up
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def up_dir(data_dir: Path) -> Path:
    return data_dir / "with a space"


def test_after_kill_9_nothing_is_left_within_seconds_and_the_next_start_recovers(up_dir: Path) -> None:
    with longtail_up(up_dir) as process:
        family = descendants(process.pid)
        assert started_with("bin/postgres", process.pid)
        # What one of them has just forked looks like it at first.
        wait_for(lambda: len(started_with("fleet_api.cli", process.pid)) == 4, within_s=30, what="the four processes")
        token = json.loads((up_dir / "client.json").read_text())["token"]
        process.kill()
        wait_until_gone(family, within_s=GONE_WITHIN_S)
        assert running_url(up_dir / "postgres") is None
    with longtail_up(up_dir):
        answer = httpx.get(f"{api_url(up_dir)}/v1/campaigns", headers={"Authorization": f"Bearer {token}"}, timeout=60)
        assert answer.status_code == 200, answer.text  # the token of before: the database is the same


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_after_kill_9_nothing_is_left_of_processes_that_were_stopped(up_dir: Path) -> None:
    with longtail_up(up_dir) as process:
        family = descendants(process.pid)
        for each in family:
            each.suspend()
        process.kill()
        wait_until_gone(family, within_s=GONE_WITHIN_S)
        assert running_url(up_dir / "postgres") is None


def test_sigterm_ends_everything_in_order_with_status_0(up_dir: Path) -> None:
    with longtail_up(up_dir) as process:
        family = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(GONE_WITHIN_S) == 0
        wait_until_gone(family, within_s=GONE_WITHIN_S)


def test_a_killed_api_comes_back_at_the_same_address(up_dir: Path) -> None:
    with longtail_up(up_dir) as process:
        url = api_url(up_dir)
        api = started_with(" api ", process.pid)[0]
        api.kill()
        assert httpx.get(f"{url}/readyz", timeout=60).status_code == 200  # waits in the socket's queue meanwhile
        assert psutil.pid_exists(process.pid)


def test_a_database_that_dies_is_started_again_with_the_processes(up_dir: Path) -> None:
    with longtail_up(up_dir) as process:
        log = log_of(up_dir)
        token = json.loads((up_dir / "client.json").read_text())["token"]
        (guard,) = started_with("guard.py", process.pid)
        guard.kill()
        wait_for(lambda: "database ended unexpectedly" in log.read_text(), within_s=GONE_WITHIN_S, what="the notice")

        def answers() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                headers = {"Authorization": f"Bearer {token}"}
                return httpx.get(f"{api_url(up_dir)}/v1/campaigns", headers=headers, timeout=60).status_code == 200
            return False

        wait_for(answers, within_s=60, what="the recovery")
        assert process.poll() is None


def test_sigterm_during_the_recovery_of_a_database_that_died_ends_everything(up_dir: Path) -> None:
    with longtail_up(up_dir) as process:
        log = log_of(up_dir)
        cluster = up_dir / "postgres" / "cluster"
        (cluster / "recovery.signal").touch()  # the recovery asks an archive that does not answer
        with (cluster / "postgresql.auto.conf").open("a") as settings:
            settings.write("restore_command = 'sleep 600; false'\n")
        (guard,) = started_with("guard.py", process.pid)
        guard.kill()
        wait_for(lambda: "PostgreSQL is starting" in log.read_text(), within_s=60, what="the recovery")
        family = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(GONE_WITHIN_S) == 0, log.read_text()
        wait_until_gone(family, within_s=GONE_WITHIN_S)
    assert "the next start continues with it" in log.read_text()


def test_sigterm_during_the_first_start_ends_everything(up_dir: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LONGTAIL_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "fleet_api.cli", "up", "--data", str(up_dir), "--port", "0"],
        cwd=REPOSITORY,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: any(up_dir.glob("postgres/cluster.unfinished-*/*")), within_s=30, what="the start of initdb")
        family = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        assert "Traceback" not in process.communicate(timeout=GONE_WITHIN_S)[1]
        assert process.returncode == 130
        wait_until_gone(family, within_s=GONE_WITHIN_S)
    finally:
        process.kill()
        process.wait()


def failing_up(up_dir: Path, **variables: str) -> str:
    """What `longtail up` says on standard error before it ends with status 1."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LONGTAIL_")}
    process = subprocess.run(
        [sys.executable, "-m", "fleet_api.cli", "up", "--data", str(up_dir), "--port", "0"],
        cwd=REPOSITORY,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 1
    assert running_url(up_dir / "postgres") is None
    return process.stderr


def test_a_process_that_cannot_start_ends_up_with_the_end_of_its_log(up_dir: Path) -> None:
    up_dir.mkdir(exist_ok=True)
    up_dir.chmod(0o755)  # under a strict umask the database could not pass through it
    (up_dir / "spool").write_text("where the ingest worker wants its folder")
    said = failing_up(up_dir)
    assert "the process ingest does not stay up" in said
    assert f"{up_dir / 'spool'}" in said


def test_a_setting_that_names_no_engine_ends_up_in_one_line(up_dir: Path) -> None:
    last_line = failing_up(up_dir, LONGTAIL_LOG_URL="carrier-pigeon:").splitlines()[-1]
    assert last_line.startswith("longtail: LONGTAIL_LOG_URL: no log for 'carrier-pigeon:'")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, psutil.Process]]:
    """A deployment that was started by the command `longtail` in a folder of traps, under a permissive umask."""
    folder = tmp_path_factory.mktemp("evil")
    for trap in ("uvicorn", "json", "fleet_api", "ingest", "av", "numpy", "click", "sitecustomize"):
        (folder / f"{trap}.py").write_text(f"open({str(folder / 'sprung')!r}, 'a').write('{trap}')\n")
    data_dir = scratch_dir("longtail-test-up-") / "data"
    before = os.umask(0)
    try:
        longtail = (str(Path(sys.executable).with_name("longtail")),)
        with longtail_up(data_dir, command=longtail, cwd=folder) as process:
            yield data_dir, psutil.Process(process.pid)
    finally:
        os.umask(before)
        shutil.rmtree(data_dir.parent)


PARTS = {"api", "gateway", "ingest", "signer"}


def test_what_lies_in_the_working_directory_is_not_run(elsewhere: tuple[Path, psutil.Process]) -> None:
    _, up = elsewhere
    assert not (Path(up.environ()["PWD"]) / "sprung").exists()
    parts = started_with("fleet_api.cli", up.pid)
    assert {part.cmdline()[part.cmdline().index("fleet_api.cli") + 1] for part in parts} == PARTS
    assert {process.cwd() for process in [up, *parts]} == {"/"}


def test_nothing_of_the_data_directory_can_be_read_by_others(elsewhere: tuple[Path, psutil.Process]) -> None:
    data_dir, _ = elsewhere
    for name in ("spool", "spool/ingest-0", "logs", "keys"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o700, name
    for path in [*(data_dir / "logs").iterdir(), *(data_dir / "keys").iterdir(), data_dir / "client.json"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_second_up_is_refused(elsewhere: tuple[Path, psutil.Process]) -> None:
    data_dir, _ = elsewhere
    second = subprocess.run(
        [sys.executable, "-m", "fleet_api.cli", "up", "--data", str(data_dir), "--port", "0"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "in use by process" in second.stderr and "Traceback" not in second.stderr


def test_the_databases_guard_knows_no_credentials(elsewhere: tuple[Path, psutil.Process]) -> None:
    _, up = elsewhere
    (guard,) = started_with("guard.py", up.pid)
    assert guard.environ().keys() <= {"PATH", "LC_ALL", "TZDIR", "LD_LIBRARY_PATH"}
