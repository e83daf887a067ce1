"""Bounded logs: rotated by size, closed to others, and never in the way when their disk is full."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.support.small_disk import fill, small_disk
from triggers.processes.bounded_log import BoundedLog


def test_a_log_is_rotated_by_size_and_keeps_a_bounded_number_of_older_files(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "a.log", limit_bytes=100, kept=2)
    for number in range(20):
        log.write(b"%02d" % number + b"." * 38)
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["a.log", "a.log.1", "a.log.2"]
    assert [path.read_bytes()[:2] for path in sorted(tmp_path.iterdir())] == [b"18", b"16", b"14"]
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())


def test_a_log_is_its_owners_alone_and_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("before\n")
    (tmp_path / "a.log").chmod(0o644)
    BoundedLog(tmp_path / "a.log").write(b"after\n")
    assert (tmp_path / "a.log").read_text() == "before\nafter\n"
    assert stat.S_IMODE((tmp_path / "a.log").stat().st_mode) == 0o600


def test_a_full_disk_costs_lines_and_the_log_says_how_many_bytes_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", mib=1) as folder:
        log = BoundedLog(folder / "a.log")
        log.write(b"before\n")
        filler = fill(folder)
        for _ in range(10):
            log.write(b"x" * 4096)
        filler.unlink()
        log.write(b"after\n")
        log.close()
        lines = (folder / "a.log").read_bytes().splitlines()
        assert lines[0].startswith(b"before") and lines[-1] == b"after"
        assert b"bytes of this log are missing" in lines[-2]


def test_a_log_that_cannot_be_opened_loses_what_is_written_without_an_error(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "not there" / "a.log")
    log.write(b"lost")
    (tmp_path / "not there").mkdir()
    log.write(b"kept")
    assert (tmp_path / "not there" / "a.log").read_bytes().endswith(b"kept")
