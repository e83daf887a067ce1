"""Where a system lacks a part of the jail: it is refused or told, as the setting says, and never passed over."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.extraction.sandbox.isolation import require_isolation
from storage.settings import Settings
from tests.support.paths import REPOSITORY
from triggers.errors import Misconfigured
from triggers.processes.jail import landlock, parts
from triggers.processes.jail.parts import Part
from triggers.processes.jail.privileges import account

linux_with_landlock = pytest.mark.skipif(
    not landlock.version(), reason="a kernel without Landlock can only be shown on one that has it"
)


def without_landlock(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "tests.support.without_landlock", *arguments]
    variables = {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout, done.stderr
    return done.stdout


@pytest.mark.integration
@linux_with_landlock
@pytest.mark.parametrize("isolation", ["require", "best_effort"])
def test_a_kernel_without_landlock_is_refused_or_told(tmp_path: Path, isolation: str) -> None:
    told = without_landlock("-m", "tests.ingest.extraction.extract_once", isolation, str(tmp_path))
    if isolation == "best_effort":
        assert told == "missing: files\nread: mcap_unreadable\n"
        return
    before, instead = told.splitlines()
    for line, start in ((before, "refused: "), (instead, "not read: ")):
        assert line.startswith(start)
        assert "could read every file that this user can read" in line
        assert "Linux 5.13" in line
        assert "LONGTAIL_EXTRACTION_ISOLATION=best_effort" in line


@pytest.mark.integration
@linux_with_landlock
@pytest.mark.parametrize(("isolation", "status"), [("require", "fail"), ("best_effort", "warn")])
def test_the_doctor_names_what_the_kernel_lacks(tmp_path: Path, isolation: str, status: str) -> None:
    words = ("-m", "fleet_api.cli", "doctor", "--json", "--data", str(tmp_path))
    told = without_landlock(*words, LONGTAIL_EXTRACTION_ISOLATION=isolation)
    (finding,) = [each for each in json.loads(told)["findings"] if each["check"].startswith("isolation")]
    assert (finding["check"], finding["status"]) == ("isolation: files", status)
    assert "offers no Landlock here" in finding["message"]
    assert "lsm=" in finding["remedy"]


def test_another_system_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert str(parts.lack(Part.FILES)).startswith("Darwin has no Landlock, so it could read every file")
    assert str(parts.lack(Part.CALLS)) == "Darwin has no seccomp, so it could open connections and start programs"
    assert "extract on Linux" in parts.lack(Part.CALLS).remedy


def test_nothing_is_required_where_no_clip_is_extracted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "lacking", lambda: [parts.lack(Part.FILES)])
    assert require_isolation(Settings(extraction_workers=0)) == []
    with pytest.raises(Misconfigured, match="cannot be contained"):
        require_isolation(Settings(extraction_workers=1))


@pytest.mark.parametrize(("name", "message"), [("0", "privileged"), ("root", "privileged"), ("no-such-one", "no user")])
def test_the_user_of_extractors_is_an_unprivileged_one(name: str, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        account(name)
    assert account("61000") == (61000, 61000)
