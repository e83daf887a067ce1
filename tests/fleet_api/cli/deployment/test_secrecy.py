"""A process of the deployment shows its environment, in which credentials are, to no other process of its user."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.paths import REPOSITORY
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux hides a process from others of its user"),
]
WITHOUT_PRIVILEGES = """
import os, sys
from triggers.processes.jail.privileges import drop_bounding_set, drop_capabilities
drop_bounding_set()
drop_capabilities()
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Also if this test is run by root, to whom nothing is hidden."""
SECRET = "LONGTAIL_KAFKA_SASL_PASSWORD"


def unprivileged(*words: str) -> list[str]:
    return [sys.executable, "-P", "-c", WITHOUT_PRIVILEGES, *words]


def can_read(process: subprocess.Popen[bytes]) -> bool:
    """Whether another process of this user finds the secret in the process's environment."""
    path = f"/proc/{process.pid}/environ"
    command = unprivileged("/bin/sh", "-c", f"cat {path}")
    done = subprocess.run(command, cwd=REPOSITORY, env=variables(), capture_output=True, check=False)
    assert done.returncode == 0 or b"Permission denied" in done.stderr, done.stderr
    return SECRET.encode() in done.stdout


def variables(**more: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), **more}


def test_another_process_of_the_user_cannot_read_the_gateways_environment(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = variables(
        LONGTAIL_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", LONGTAIL_DATA_DIR=str(tmp_path), **{SECRET: "x"}
    )
    longtail = str(Path(sys.executable).with_name("longtail"))
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(unprivileged(longtail, "gateway", "--port", str(port)), env=own, stderr=log) as process,
    ):
        try:
            wait_for(lambda: answers(port), within_s=60, what="the gateway")
            assert not can_read(process)
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False, timeout=60).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def test_a_process_that_does_not_hide_can_be_read() -> None:
    """That the test above can fail."""
    command = unprivileged("/bin/sh", "-c", "echo ready; read _")
    with subprocess.Popen(
        command, env=variables(**{SECRET: "x"}), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert can_read(process)
