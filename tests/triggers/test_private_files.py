"""Files and folders that hold what vehicles recorded are closed to other users, whatever the umask is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.assembler.spool import Spool
from triggers.errors import Misconfigured
from triggers.private_files import private_file, private_folder, read_private
from triggers.vehicle.journal.journal import Journal


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_closed_whether_it_is_new_or_not(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o777)
    for name in ("old", "new"):
        private_folder(tmp_path / name)
        assert mode(tmp_path / name) == 0o700


def test_a_file_is_closed_and_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"kept")
    for name in ("old", "new"):
        private_file(tmp_path / name)
        assert mode(tmp_path / name) == 0o600
    assert (tmp_path / "old").read_bytes() == b"kept"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to("target")
    with pytest.raises(OSError, match="symbolic"):
        private_file(tmp_path / "link")


def test_what_others_can_read_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    private_file(file)
    file.write_bytes(b"lt_secret")
    assert read_private(file, what="the token", limit_bytes=4) == b"lt_s"
    for open_to in (0o640, 0o604, 0o610):
        file.chmod(open_to)
        with pytest.raises(Misconfigured, match="others can read the token in") as refused:
            read_private(file, what="the token", limit_bytes=100)
        assert refused.value.remedy == f"run `chmod 600 {file}`"


def test_the_spool_is_closed(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    spool = Spool(tmp_path / "spool" / "ingest-0", limit_bytes=10)
    assert {mode(tmp_path / "spool"), mode(tmp_path / "spool" / "ingest-0")} == {0o700}
    spool.close()


def test_a_vehicles_journal_is_closed_with_everything_beside_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state" / "vehicle.sqlite", reserve_bytes=4096)
    found = {path.name: mode(path) for path in (tmp_path / "state").iterdir()}
    assert found
    assert set(found.values()) == {0o600}
    assert mode(tmp_path / "state") == 0o700
    journal.close()


def test_what_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch()
    link.symlink_to(tmp_path / "nowhere")
    for path in (file, link):
        with pytest.raises(NotADirectoryError, match="Not a directory") as refused:
            private_folder(path)
        assert refused.value.filename == str(path)
