"""The systemd unit is valid, and what it starts tells systemd when it is ready and when it stops."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from storage.settings import PREFIX, Settings
from tests.support.paths import REPOSITORY

UNIT = REPOSITORY / "packaging" / "longtail.service"


def service() -> dict[str, str]:
    parser = ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names of options keep their case
    parser.read(UNIT)
    return dict(parser["Service"])


def test_systemd_finds_no_mistake_in_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze on this machine")
    unit = tmp_path / "longtail.service"
    unit.write_text(UNIT.read_text().replace("/opt/longtail/bin/longtail", sys.executable))
    checked = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "longtail.service" not in checked.stderr, checked.stderr


def test_its_variables_are_settings_and_a_stop_has_time_for_all_processes() -> None:
    name = service()["Environment"].partition("=")[0]
    assert name.removeprefix(PREFIX).lower() in Settings.model_fields
    assert service()["TimeoutStopSec"] == "2min" and service()["Type"] == "notify"


def under_its_file_system(command: list[str], *, writable: list[Path]) -> list[str]:
    """The command where only these folders, and what has its own file system, can be written."""
    assert service()["ProtectSystem"] == "strict" and "PrivateTmp" not in service()
    paths = [*map(str, writable), *service()["ReadWritePaths"].split()]
    script = f"for path in {shlex.join(paths)}; do mount --bind $path $path || exit 99; done; " + (
        'mount -o remount,bind,ro / && ! touch /closed 2>/dev/null || exit 99; exec "$@"'
    )
    wrapped = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if subprocess.run([*wrapped, "true"], capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be closed here")
    return [*wrapped, *command]


@pytest.mark.integration
def test_what_it_starts_tells_systemd_that_it_is_ready_and_that_it_stops(data_dir: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(240)
        program, *words = service()["ExecStart"].split()
        assert program.endswith("/longtail")
        variable, _, folder = service()["Environment"].partition("=")
        assert folder == "/var/lib/longtail"
        environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        environment |= {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            variable: str(data_dir / "data"),
            "LONGTAIL_API_PORT": "0",
            "LONGTAIL_GATEWAY_PORT": "0",
            "LONGTAIL_INGEST_PORT": "0",
        }
        command = [sys.executable, "-P", "-m", "fleet_api.cli", *words]
        (data_dir / "data").mkdir()
        command = under_its_file_system(command, writable=[data_dir / "data", tmp_path])
        process = subprocess.Popen(command, cwd="/", env=environment)
        try:
            assert systemd.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert systemd.recv(100) == b"STOPPING=1"
            assert process.wait(120) == 0
        finally:
            process.kill()
            process.wait()
