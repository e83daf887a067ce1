"""Children of the fork server are held to their limits, whatever clips make them do, and know nothing of each other."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ingest.extraction.outputs import ExtractionRequest, ExtractionResult
from ingest.extraction.sandbox.answers import ChildFailed, LimitReached
from ingest.extraction.sandbox.isolation import extraction_user
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.sandbox import Interrupted, Sandbox
from ingest.extraction.sandbox.starter import MODULE
from storage.settings import Settings
from tests.ingest.extraction import footage
from tests.support.paths import REPOSITORY
from tests.support.processes import command_lines
from tests.support.waiting import wait_for
from triggers.contracts.api.clips import RECORDING_ASSET
from triggers.errors import Unreachable

pytestmark = pytest.mark.integration
CHILDREN = str(Path(__file__).with_name("children.py"))
LIMITS = ChildLimits(memory_bytes=2 * 1024**3, timeout_s=120)
RECORDING = footage.recording()
REQUEST = ExtractionRequest(recording=RECORDING, latitude=None, longitude=None, derived_bytes=10**7)
Opened = Callable[..., Sandbox]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    sandboxes: list[Sandbox] = []

    def open_one(role: str = "") -> Sandbox:
        program = (CHILDREN, role) if role else MODULE
        sandboxes.append(Sandbox(tmp_path, user=extraction_user(Settings()), program=program))
        return sandboxes[-1]

    yield open_one
    for sandbox in sandboxes:
        sandbox.close()


def run(sandbox: Sandbox, folder: Path, *, limits: ChildLimits = LIMITS) -> ExtractionResult:
    return sandbox.run(folder, REQUEST, limits, go_on=lambda: True)


def test_a_real_clip_is_extracted_within_the_limits(tmp_path: Path, opened: Opened) -> None:
    footage.write(tmp_path, RECORDING, footage.footage())
    sandbox = opened()
    result = run(sandbox, tmp_path)
    assert result.remarks == ()
    assert [output.asset for output in result.files] == ["signals", "thumbnail", "preview"]
    assert sandbox.used is not None
    assert (sandbox.used.status, sandbox.used.cpu_s > 0, sandbox.used.peak_bytes > 10**7) == (0, True, True)


def test_garbage_is_an_answer_not_a_failure(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / RECORDING_ASSET).write_bytes(os.urandom(100_000))
    (remark,) = run(opened(), tmp_path).remarks
    assert remark.reason == "mcap_unreadable"


def test_a_child_that_eats_memory_meets_a_limit_that_is_named(tmp_path: Path, opened: Opened) -> None:
    with pytest.raises(LimitReached, match="LONGTAIL_EXTRACTION_MEMORY_BYTES"):
        run(opened("eats-memory"), tmp_path, limits=ChildLimits(memory_bytes=512 * 1024**2, timeout_s=120))


def test_a_child_that_computes_for_too_long_meets_a_limit_that_is_named(tmp_path: Path, opened: Opened) -> None:
    with pytest.raises(LimitReached, match="LONGTAIL_EXTRACTION_TIMEOUT_S"):
        run(opened("spins"), tmp_path, limits=_Patient(memory_bytes=2 * 1024**3, timeout_s=1))


class _Patient(ChildLimits):
    """Limits under which a busy machine is no reason to give up."""

    @property
    def lifetime_s(self) -> float:
        return 60.0


def test_a_child_that_hangs_has_failed_when_its_time_is_over(tmp_path: Path, opened: Opened) -> None:
    sandbox = opened("hangs")
    for _ in range(2):
        with pytest.raises(ChildFailed, match="did not finish within 2 s"):
            run(sandbox, tmp_path, limits=ChildLimits(memory_bytes=2 * 1024**3, timeout_s=1))


def test_a_child_cannot_fill_the_disk(tmp_path: Path, opened: Opened) -> None:
    with pytest.raises(LimitReached, match="much larger than the clip"):
        run(opened("fills-the-disk"), tmp_path)
    assert (tmp_path / "signals.parquet").stat().st_size <= 300 * 1024**2


@pytest.mark.parametrize(
    ("role", "message"), [("lies", "no usable answer"), ("links-its-answer", "result.json cannot be read")]
)
def test_an_answer_that_leads_elsewhere_is_refused(tmp_path: Path, opened: Opened, role: str, message: str) -> None:
    with pytest.raises(ChildFailed, match=message):
        run(opened(role), tmp_path)


def test_the_child_does_not_get_this_processs_secrets(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", "postgresql://me:secret@db/x")
    names = run(opened("tells-secrets"), tmp_path).remarks[0].message.split(",")
    assert "PATH" in names
    assert not [name for name in names if name.startswith("LONGTAIL")]


def test_a_child_has_no_threads_and_nothing_of_the_child_before_it(tmp_path: Path, opened: Opened) -> None:
    sandbox = opened("counts")
    told = [run(sandbox, tmp_path).remarks[0].message for _ in range(3)]
    assert len(set(told)) == 1
    assert told[0].startswith("1 folders, 1 threads")


def test_the_server_of_real_children_has_no_threads(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / RECORDING_ASSET).write_bytes(b"x")
    run(opened(), tmp_path)
    server = _server()
    assert server.num_threads() == 1


def test_a_crash_costs_one_clip_only(tmp_path: Path, opened: Opened) -> None:
    sandbox = opened("crashes")
    for _ in range(2):
        with pytest.raises(ChildFailed, match="was killed by SIGSEGV"):
            run(sandbox, tmp_path)


def test_a_server_that_cannot_start_is_no_clips_fault(tmp_path: Path) -> None:
    broken = Sandbox(tmp_path, program=("-c", "raise SystemExit('No space left on device')"))
    with pytest.raises(Unreachable, match=r"the extractor does not start.*No space left on device"):
        run(broken, tmp_path)


def test_no_folder_for_temporary_files_is_needed_but_its_own(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/proc/nowhere")
    (tmp_path / RECORDING_ASSET).write_bytes(b"x")
    assert run(opened(), tmp_path).remarks[0].reason == "mcap_unreadable"


def test_a_server_that_was_killed_is_started_again(tmp_path: Path, opened: Opened) -> None:
    sandbox = opened("counts")
    run(sandbox, tmp_path)
    server = _server()
    server.kill()
    wait_for(lambda: server.status() == psutil.STATUS_ZOMBIE, within_s=20, what="the end of the server")
    assert run(sandbox, tmp_path).remarks[0].message.startswith("1 folders")


def test_what_a_child_started_ends_with_it_though_it_left_the_group(tmp_path: Path, opened: Opened) -> None:
    grandchild = int(run(opened("leaves-a-child"), tmp_path).remarks[0].message)
    assert not psutil.pid_exists(grandchild)


def test_a_caller_that_lost_interest_ends_the_child(tmp_path: Path, opened: Opened) -> None:
    stop = threading.Event()
    stop.set()
    sandbox = opened("hangs")
    with pytest.raises(Interrupted):
        sandbox.run(tmp_path, REQUEST, LIMITS, go_on=lambda: not stop.is_set())
    assert not _server().children()


def _server() -> psutil.Process:
    """The one fork server of this process, which has other children: by its program, as numbers begin again."""
    programs = {CHILDREN, "ingest.extraction.sandbox.fork_server"}
    own = psutil.Process().children()
    (server,) = [child for child, words in command_lines().items() if child in own and programs & set(words)]
    return server
