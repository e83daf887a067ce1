"""The extracting child is held to its limits, whatever a clip makes it do."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ingest.extraction.outputs import CLIP_FILE, ExtractionRequest, ExtractionResult
from ingest.extraction.sandbox import ChildFailed, ChildLimits, run_child
from tests.ingest.extraction import footage
from tests.support.paths import REPOSITORY
from triggers.processes.bounded import Interrupted

pytestmark = pytest.mark.integration
CHILDREN = str(Path(__file__).with_name("children.py"))
LIMITS = ChildLimits(memory_bytes=1024**3, timeout_s=20)
RECORDING = footage.recording()
REQUEST = ExtractionRequest(recording=RECORDING, latitude=None, longitude=None)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


def run(folder: Path, role: str, *, limits: ChildLimits = LIMITS) -> ExtractionResult:
    return run_child(folder, REQUEST, limits, go_on=lambda: True, program=(CHILDREN, role))


def test_a_real_clip_is_extracted_within_the_limits(tmp_path: Path) -> None:
    footage.write(tmp_path, RECORDING, footage.footage())
    result = run_child(tmp_path, REQUEST, LIMITS, go_on=lambda: True)
    assert result.damage is None
    assert [output.asset for output in result.files] == ["signals", "thumbnail", "preview"]


def test_garbage_is_an_answer_not_a_failure(tmp_path: Path) -> None:
    (tmp_path / CLIP_FILE).write_bytes(os.urandom(100_000))
    result = run_child(tmp_path, REQUEST, LIMITS, go_on=lambda: True)
    assert (result.damage or "").startswith("mcap_unreadable:")


def test_a_child_that_eats_memory_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="MemoryError"):
        run(tmp_path, "eats-memory", limits=ChildLimits(memory_bytes=256 * 1024**2, timeout_s=20))


def test_a_child_that_hangs_has_failed_when_its_time_is_over(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="did not finish within 1 s"):
        run(tmp_path, "hangs", limits=ChildLimits(memory_bytes=1024**3, timeout_s=1))


def test_a_child_cannot_fill_the_disk(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed):
        run(tmp_path, "fills-the-disk")
    assert (tmp_path / "signals.parquet").stat().st_size <= 300 * 1024**2


def test_an_answer_with_a_path_in_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="no usable answer"):
        run(tmp_path, "lies")


def test_the_child_does_not_get_this_processs_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", "postgresql://me:secret@db/x")
    names = (run(tmp_path, "tells-secrets").damage or "").split(",")
    assert "PATH" in names
    assert not [name for name in names if name.startswith("LONGTAIL")]


def test_a_caller_that_lost_interest_ends_the_child(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        run_child(tmp_path, REQUEST, LIMITS, go_on=lambda: not stop.is_set(), program=(CHILDREN, "hangs"))
