"""A deployment that root starts: each process is a user of its own, and reaches nothing that is another one's."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from fleet_api.deployment.users.ownership import prepare, take_back
from fleet_api.deployment.users.process_users import PROCESSES, obstacle, user_of, users_of
from storage.embedded import running_url, scratch_dir
from storage.roles.rights import PROCESS_ROLES
from storage.settings import Settings
from tests.fleet_api.cli.deployment.test_up import longtail_up
from tests.support.readable_copy import interpreter_for_everybody, python_path_for_everybody
from triggers.errors import Misconfigured

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="about what root does; these tests do not run as root"),
]
USERS = {"api": 61001, "gateway": 61002, "ingest": 61003, "signer": 61004}
GROUP, EXTRACTORS = 61005, 61000
DEMO_S = 540.0
CONNECT = """
import sys, psycopg
try:
    psycopg.connect(host=sys.argv[1], port=5432, user=sys.argv[2], dbname="longtail")
except psycopg.OperationalError as error:
    sys.exit(str(error))
"""


@dataclass(frozen=True)
class Running:
    """A running deployment of root, and how to run its commands."""

    data_dir: Path
    python: str
    pid: int

    def longtail(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-m", "fleet_api.cli", *arguments], cwd="/", capture_output=True, text=True, check=False
        )

    def as_process(self, name: str, *argv: str) -> subprocess.CompletedProcess[str]:
        """What a program does as the user of a process."""
        groups = {"api": [GROUP], "gateway": [GROUP], "ingest": [GROUP, EXTRACTORS], "signer": []}[name]
        whose: dict[str, Any] = {"user": USERS[name], "group": USERS[name], "extra_groups": groups}
        return subprocess.run(argv, cwd="/", capture_output=True, text=True, errors="replace", check=False, **whose)

    def reads(self, name: str, path: str) -> bool:
        return self.as_process(name, "cat", str(self.data_dir / path)).returncode == 0


@pytest.fixture(scope="module")
def readable() -> Iterator[str]:
    """A Python that every user may run, with this code on its path."""
    python = interpreter_for_everybody()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", python_path_for_everybody(python))
        yield python


@pytest.fixture(scope="module")
def running(readable: str) -> Iterator[Running]:
    folder = scratch_dir("longtail-test-")
    with longtail_up(folder / "data", command=(readable, "-m", "fleet_api.cli")) as process:
        yield Running(folder / "data", readable, process.pid)
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_each_process_is_a_user_without_any_right_of_root(running: Running) -> None:
    found = {}
    for child in psutil.Process(running.pid).children():
        words = child.cmdline()
        name = next((each for each in PROCESSES if each in words), None)
        if name is None:
            continue
        lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        assert set(status["Uid"].split()) == {str(USERS[name])}
        assert "0" not in status["Gid"].split() + status["Groups"].split()
        assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        found[name] = child.pid
    assert found.keys() == USERS.keys()


@pytest.mark.parametrize("process", ["api", "gateway", "ingest"])
@pytest.mark.parametrize("path", ["keys/signing.pem", "keys/list.pem", "keys/root.pem", "client.json", "logs/api.log"])
def test_only_the_signer_reads_the_keys_that_sign(running: Running, process: str, path: str) -> None:
    assert (running.data_dir / path).is_file()
    assert not running.reads(process, path)
    assert running.reads("signer", path) == (path in ("keys/signing.pem", "keys/list.pem"))


def test_the_api_reads_objects_and_writes_none_and_the_gateway_sees_none(running: Running) -> None:
    secret = "objects/.link-secret"
    reading = {name for name in USERS if running.reads(name, secret)}
    assert reading == {"api", "ingest"}
    touch = "touch", f"{running.data_dir}/objects/data/x"
    writing = {name for name in USERS if running.as_process(name, *touch).returncode == 0}
    assert writing == {"ingest"}
    for folder in ("spool", "extraction"):
        assert {name for name in USERS if running.reads(name, f"{folder}/..")} == set()
        assert stat.S_IMODE((running.data_dir / folder).stat().st_mode) == 0o700


def test_only_the_api_reaches_the_signer(running: Running) -> None:
    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    path = str(running.data_dir / "run" / "signer.sock")
    reaching = {name for name in USERS if not running.as_process(name, running.python, "-c", code, path).returncode}
    assert reaching == {"api"}


@pytest.mark.parametrize("process", sorted(USERS))
@pytest.mark.parametrize("role", ["longtail", "longtail_owner", *sorted(PROCESS_ROLES.values())])
def test_no_process_connects_to_the_database_as_somebody_else(running: Running, process: str, role: str) -> None:
    url = running_url(running.data_dir / "postgres")
    assert url is not None
    socket_dir = url.partition("?host=")[2].partition("&")[0]
    said = running.as_process(process, running.python, "-c", CONNECT, socket_dir, role)
    assert said.returncode == 1
    reason = "no password supplied" if role in PROCESS_ROLES.values() else "Peer authentication failed"
    if process == "signer":
        reason = "Permission denied"
    assert reason in said.stderr


def test_the_doctor_says_whose_the_processes_are(running: Running) -> None:
    said = running.longtail("doctor", "--data", str(running.data_dir))
    assert said.returncode == 0, said.stdout
    assert "processes become users: api 61001, gateway 61002, ingest 61003, signer 61004" in said.stdout
    roles = "api as longtail_api, gateway as longtail_gateway, ingest as longtail_ingest"
    assert f"ok    database roles: connected: {roles}" in said.stdout
    assert "as user 61000" in said.stdout


def test_commands_of_root_work_beside_it(running: Running) -> None:
    made = running.longtail("token", "issue", "ada", "--role", "viewer", "--data", str(running.data_dir), "--json")
    assert json.loads(made.stdout)["user"] == "ada"
    backup = running.longtail("backup", str(running.data_dir.parent / "backup"), "--data", str(running.data_dir))
    assert backup.returncode == 0, backup.stderr


def test_the_whole_loop_closes(readable: str) -> None:
    """Approved by bundles that the signer signs, extracted by a user of its own, served by an API that only reads."""
    folder = scratch_dir("longtail-test-")
    data, out = folder / "data", folder / "out"
    command = [readable, "-m", "fleet_api.cli", "demo", "--vehicles", "1", "--data", str(data), "--out", str(out)]
    said = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=DEMO_S, check=False)
    assert said.returncode == 0, said.stderr
    for name, uid in USERS.items():
        assert f"{name} runs as user {uid}" in (data / "logs" / f"{name}.log").read_text()
    owners = {path.stat().st_uid for path in (data / "objects").rglob("*")}
    assert owners == {USERS["ingest"]}
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_setting_names_another_user_or_none(tmp_path: Path) -> None:
    settings = Settings(api_user="nobody", ingest_user="root", data_dir=tmp_path)
    assert {user.process for user in users_of(settings)} == {"api", "gateway", "signer"}
    api = user_of(settings, "api")
    assert api is not None
    assert api.account.uid == 65534
    assert user_of(settings, "ingest") is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(api_user="61002"), "LONGTAIL_GATEWAY_USER is user 61002, and so is LONGTAIL_API_USER"),
        (Settings(signer_user="61000"), "LONGTAIL_EXTRACTION_USER is user 61000, and so is LONGTAIL_SIGNER_USER"),
        (Settings(api_user="no-such-user"), "there is no user 'no-such-user'"),
        (Settings(process_group="no-such-group"), "there is no group 'no-such-group'"),
        (Settings(process_group="root"), "LONGTAIL_PROCESS_GROUP is root's group"),
    ],
)
def test_users_that_separate_nothing_are_refused(settings: Settings, message: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        users_of(settings)
    assert caught.value.message == message
    assert caught.value.remedy


def test_a_user_that_cannot_reach_the_data_directory_is_an_obstacle(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)
    user = user_of(Settings(), "api")
    assert user is not None
    assert "user 61001" in obstacle(user, Settings(data_dir=closed / "data"))


def test_what_root_wrote_in_between_is_given_to_ingest_with_all_the_rest(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    user = user_of(settings, "ingest")
    assert user is not None
    clip = tmp_path / "objects" / "data" / "clip.mcap"
    clip.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"of somebody else")
    os.link(elsewhere, clip.parent / "linked")
    (clip.parent / "pointing").symlink_to(elsewhere)
    prepare(settings, user)
    clip.write_bytes(b"written by root")
    take_back(settings)
    prepare(settings, user)
    assert (clip.stat().st_uid, clip.stat().st_gid) == (USERS["ingest"], USERS["api"])
    assert stat.S_IMODE(clip.stat().st_mode) == 0o640
    assert (elsewhere.stat().st_uid, stat.S_IMODE(elsewhere.stat().st_mode)) == (0, 0o644)
