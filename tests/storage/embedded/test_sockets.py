"""The folder of the server's socket where /tmp has no room, tried with file systems that only the test sees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

FULL = "mount -t tmpfs -o size=64k,mode=1777 tmpfs {0}; dd if=/dev/zero of={0}/filler bs=1k 2>/dev/null"
READ_ONLY = "mount -t tmpfs -o ro,size=64k tmpfs {0}"
MAKE = """
from storage.embedded.sockets import make_socket_dir, remove_socket_dir
from triggers.errors import Unreachable
try:
    made = make_socket_dir(None)
except Unreachable as error:
    print(error)
else:
    print(made)
    remove_socket_dir(made)
    print("gone" if not made.exists() else "left")
"""


def made_with(mounts: str, **environment: str) -> str:
    """What comes of making the folder after these mounts; skipped where mounting is not allowed."""
    script = f'set -e; mount --make-rprivate /; {{ {mounts}; }} || true; exec "$0" -c "$1"'
    command = ["unshare", "--mount", "sh", "-c", script, sys.executable, MAKE]
    variables = {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", **environment}
    done = subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode and "unshare" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")
class TestWithoutRoom:
    """/tmp without room."""

    @pytest.mark.parametrize("mount", [FULL, READ_ONLY])
    def test_it_is_made_elsewhere_and_removed_there(self, mount: str) -> None:
        path, state = made_with(mount.format("/tmp")).split()
        assert path.startswith("/var/tmp/longtail-pg-") and state == "gone"

    def test_it_is_made_where_tmpdir_says(self, data_dir: Path) -> None:
        base = f"/run/{data_dir.name}"[:50]
        mounts = f"{FULL.format('/tmp')}; mount -t tmpfs tmpfs /run; mkdir {base}"
        path, state = made_with(mounts, TMPDIR=base).split()
        assert path.startswith(f"{base}/longtail-pg-") and state == "gone"

    def test_without_room_anywhere_that_is_told_in_one_line(self) -> None:
        said = made_with(f"{FULL.format('/tmp')}; {FULL.format('/var/tmp')}")
        assert "no room for the database's socket (/tmp: No space left on device; /var/tmp: No space" in said
        assert "TMPDIR" in said and said.count("\n") == 1
