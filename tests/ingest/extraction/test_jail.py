"""What a clip could do with the child that it takes over: everything outside the jail, nothing inside."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from ingest.extraction.outputs import ExtractionRequest
from ingest.extraction.sandbox.isolation import extraction_user
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.sandbox import Interrupted, Sandbox
from storage.settings import Settings
from tests.ingest.extraction import footage, probes
from tests.support.paths import REPOSITORY
from tests.support.processes import started_with
from triggers.processes.jail import parts
from triggers.processes.jail.isolation import Isolation
from triggers.processes.jail.parts import Part
from triggers.processes.jail.privileges import Account

pytestmark = pytest.mark.integration
LIMITS = ChildLimits(memory_bytes=2 * 1024**3, timeout_s=120)
REQUEST = ExtractionRequest(recording=footage.recording(), latitude=None, longitude=None, derived_bytes=10**7)
PROBES = str(Path(probes.__file__))
CHILDREN = str(Path(__file__).with_name("children.py"))
Outcomes = dict[str, str]


@pytest.fixture(scope="module")
def found() -> Iterator[dict[str, Outcomes]]:
    """The outcomes of all probes, inside and outside of the jail."""
    with ExitStack() as stack:
        data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="longtail-jail-")))
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("PYTHONPATH", str(REPOSITORY))
        targets = {"data_dir": str(data_dir), "ingest_pid": str(os.getpid())}
        for name in ("key", "spare_key"):
            targets[name] = str(data_dir / name)
            Path(targets[name]).write_bytes(b"secret")
        database = stack.enter_context(closing(socket.socket(socket.AF_UNIX)))
        database.bind(targets.setdefault("database_socket", str(data_dir / ".s.PGSQL.5432")))
        database.listen()
        tcp = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
        targets["tcp_port"] = str(tcp.getsockname()[1])
        other = extraction_user(Settings())
        yield {
            "free": outcomes(data_dir / "free", "free", targets),
            "jailed": outcomes(data_dir / "jailed", "jailed", targets),
            "jailed as another user": outcomes(data_dir / "another", "jailed", targets, user=other),
        }


def outcomes(folder: Path, how: str, targets: dict[str, str], *, user: Account | None = None) -> Outcomes:
    work = folder / "work"
    work.mkdir(parents=True)
    (work / probes.TARGETS_FILE).write_text(json.dumps(targets))
    (work / probes.TARGETS_FILE).chmod(0o644)
    sandbox = Sandbox(folder, isolation=Isolation.BEST_EFFORT, user=user, program=(PROBES, how))
    with closing(sandbox):
        sandbox.run(work, REQUEST, LIMITS, go_on=lambda: True)
    told: Outcomes = json.loads((work / probes.OUTCOMES_FILE).read_text())
    return told


def needs(part: Part) -> None:
    for lack in parts.lacking():
        if lack.part is part:
            pytest.skip(str(lack))


@pytest.mark.parametrize("probe", [probe.__name__ for probe in probes.FILES])
def test_files_beyond_its_folder_are_closed_to_a_child(found: dict[str, Outcomes], probe: str) -> None:
    needs(Part.FILES)
    assert found["free"][probe] == probes.DONE, "outside the jail it can be done"
    assert probes.DONE not in (found["jailed"][probe], found["jailed as another user"][probe])


@pytest.mark.parametrize("probe", [probe.__name__ for probe in probes.CALLS])
def test_what_a_child_has_no_need_for_is_refused(found: dict[str, Outcomes], probe: str) -> None:
    needs(Part.CALLS)
    assert found["free"][probe] == probes.DONE, "outside the jail it can be done"
    assert probes.DONE not in (found["jailed"][probe], found["jailed as another user"][probe])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these fields")
def test_a_child_is_nobody_without_any_privilege(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs(Part.CALLS)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    user = extraction_user(Settings())
    seen: dict[str, str] = {}

    def look() -> bool:
        for process in started_with(CHILDREN):
            if process.ppid() != os.getpid():
                seen.update(status_of(process.pid))
        return seen.get("Seccomp_filters") != "2"

    with closing(Sandbox(tmp_path, user=user, program=(CHILDREN, "hangs"))) as sandbox, pytest.raises(Interrupted):
        sandbox.run(tmp_path, REQUEST, LIMITS, go_on=look)
    assert (seen["NoNewPrivs"], seen["Seccomp"], seen["Threads"]) == ("1", "2", "1")
    assert {int(seen[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    if user is not None:
        assert seen["Uid"].split() == [str(user.uid)] * 4
        assert (seen["Gid"].split(), seen["Groups"]) == ([str(user.gid)] * 4, "")
        assert int(seen["CapBnd"], 16) == 0


def status_of(pid: int) -> dict[str, str]:
    lines = Path("/proc", str(pid), "status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}
