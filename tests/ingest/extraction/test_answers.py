"""What a child leaves is opened as what hostile bytes may have made of it: through no link, and never without bound."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.extraction.sandbox.answers import ChildFailed, LimitReached, last_line, open_output, require_success
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.orders import NOT_JAILED, Ended
from triggers.errors import Misconfigured

LIMITS = ChildLimits(memory_bytes=10**9, timeout_s=2)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "signing.pem"
    path.write_text("secret")
    return path


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_a_plain_file_within_its_size_is_opened(work: Path) -> None:
    (work / "thumbnail.jpg").write_bytes(b"picture")
    with open_output(work / "thumbnail.jpg", 7) as file:
        assert file.read() == b"picture"
    with pytest.raises(ChildFailed, match="at most 6 bytes"):
        open_output(work / "thumbnail.jpg", 6)


@pytest.mark.parametrize("kind", ["link", "second name", "pipe", "folder", "nothing"])
def test_anything_else_is_refused(work: Path, key: Path, kind: str) -> None:
    path = work / "thumbnail.jpg"
    if kind == "link":
        path.symlink_to(key)
    elif kind == "second name":
        path.hardlink_to(key)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(ChildFailed, match=r"thumbnail\.jpg"):
        open_output(path, 1000)


def test_the_error_output_is_not_read_through_a_link_and_cannot_steer_a_terminal(work: Path, key: Path) -> None:
    (work / "stderr.txt").symlink_to(key)
    assert last_line(work / "stderr.txt") == ""
    with pytest.raises(ChildFailed) as failed:
        require_success(Ended(status=1, cpu_s=0, peak_bytes=0), LIMITS, work)
    assert "secret" not in failed.value.message
    (work / "stderr.txt").unlink()
    (work / "stderr.txt").write_bytes(b"first\n\x1b]0;PWNED\x07 last\n")
    assert last_line(work / "stderr.txt") == ": ?]0;PWNED? last"


def test_a_child_that_ignores_the_signal_of_its_limit_has_met_it_all_the_same(work: Path) -> None:
    with pytest.raises(LimitReached, match="2 s of processor time"):
        require_success(Ended(status=-9, cpu_s=3.0, peak_bytes=0), LIMITS, work)
    with pytest.raises(ChildFailed) as failed:
        require_success(Ended(status=-9, cpu_s=0.1, peak_bytes=0), LIMITS, work)
    assert not isinstance(failed.value, LimitReached)


def test_a_child_that_could_not_be_confined_is_not_the_clips_fault(work: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be confined"):
        require_success(Ended(status=NOT_JAILED, cpu_s=0, peak_bytes=0), LIMITS, work)
