"""What the directory store does beyond the contract: its files, its links, its errors, and what a crash leaves."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.objects import DirectoryStore, names, open_store
from storage.objects.contract import LEFTOVER_AGE_S
from storage.objects.directory.errors import reaching
from storage.settings import Settings
from triggers.errors import InvalidInput, LongtailError, Misconfigured, Unreachable, Untrusted

SEGMENTS = st.text(alphabet="abzABZ019.-_=", min_size=1, max_size=200)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    return DirectoryStore(root, public_url="https://fleet.example/base/")


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root / "data")) for path in (root / "data").rglob("*"))


@given(SEGMENTS)
def test_a_name_on_disk_gives_back_its_segment_and_fits_the_file_system(segment: str) -> None:
    for name in (names.file_name(segment), names.folder_name(segment)):
        assert names.segment_of(name) == segment
        assert len(name) <= 255
        assert name == name.lower(), "file systems that ignore case cannot confuse two keys"


@given(SEGMENTS, SEGMENTS)
def test_two_segments_never_share_a_name(one: str, other: str) -> None:
    if one != other:
        assert names.file_name(one) != names.file_name(other)
    assert names.file_name(one) != names.folder_name(other)


@pytest.mark.parametrize("name", ["a^", "a^z", "a^2", "1^1", "a^01", "a^-1", "A^1", "a^1_0"])
def test_a_foreign_name_is_no_segment(name: str) -> None:
    with pytest.raises(ValueError):
        names.segment_of(name)


def test_a_foreign_file_is_not_listed(store: DirectoryStore, root: Path) -> None:
    store.put("a", b"")
    (root / "data" / "x^zz").write_bytes(b"")
    assert [info.key for info in store.list()] == ["a"]


def test_a_delete_leaves_no_empty_directories(store: DirectoryStore, root: Path) -> None:
    store.put("a/b/c/d", b"")
    store.put("a/x", b"")
    store.delete("a/b/c/d")
    assert files(root) == ["a~", "a~/x"]


def test_a_failed_write_leaves_no_file(store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(Unreachable, match=r"full .*LONGTAIL_OBJECTS_URL"):
            store.put("a/b", b"data")
    assert files(root) == []
    assert list((root / ".tmp").iterdir()) == []


def test_only_old_leftovers_of_a_crash_are_removed(store: DirectoryStore, root: Path) -> None:
    old, young = root / ".tmp" / "1-old", root / ".tmp" / "2-young"
    for path in (old, young):
        path.write_bytes(b"half of an object")
    long_ago_unix_s = time.time() - LEFTOVER_AGE_S - 60
    os.utime(old, (long_ago_unix_s, long_ago_unix_s))
    assert store.remove_leftovers() == 1
    assert [path.name for path in (root / ".tmp").iterdir()] == ["2-young"]


def test_a_store_whose_directory_went_away_is_unreachable_and_not_empty(store: DirectoryStore, root: Path) -> None:
    store.put("a", b"")
    shutil.move(root, root.with_name("unmounted"))
    for use in (
        lambda: store.put("a", b""),
        lambda: store.get("a"),
        lambda: store.stat("a"),
        store.list,
        lambda: store.list("a/"),
        lambda: store.delete("a"),
        store.check,
    ):
        with pytest.raises(Unreachable, match="LONGTAIL_OBJECTS_URL"):
            use()
    assert not root.exists(), "nothing is written to where a disk should be mounted"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, Unreachable),
        (errno.EDQUOT, Unreachable),
        (errno.EIO, Unreachable),
        (errno.ESTALE, Unreachable),
        (errno.EACCES, Misconfigured),
        (errno.EROFS, Misconfigured),
        (errno.EPERM, Misconfigured),
    ],
)
def test_what_the_system_says_names_the_directory_and_the_setting(number: int, kind: type[LongtailError]) -> None:
    with pytest.raises(kind, match=r"/srv/objects .*LONGTAIL_OBJECTS_URL"), reaching(Path("/srv/objects")):
        raise OSError(number, os.strerror(number))


def test_a_link_is_good_for_its_object_and_time_only(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    url = urlsplit(store.link("clips/day=1/a.mcap", expires_s=60))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://fleet.example/base/objects/clips/day=1/a.mcap"
    asked = {name: texts[0] for name, texts in parse_qs(url.query).items()}
    expires_unix_s, signature = int(asked["expires"]), asked["signature"]
    store.verify_link("clips/day=1/a.mcap", expires_unix_s=expires_unix_s, signature=signature)
    forged = "0" if signature[0] != "0" else "1"
    for key, expires, given_signature in (
        ("clips/day=1/b.mcap", expires_unix_s, signature),
        ("clips/day=1/a.mcap", expires_unix_s + 1, signature),
        ("clips/day=1/a.mcap", expires_unix_s, forged + signature[1:]),
        ("clips/day=1/a.mcap", expires_unix_s, ""),
        ("clips/day=1/a.mcap", expires_unix_s, "ä"),
    ):
        with pytest.raises(Untrusted, match="does not match"):
            store.verify_link(key, expires_unix_s=expires, signature=given_signature)
    with pytest.raises(InvalidInput):
        store.verify_link("../a", expires_unix_s=expires_unix_s, signature=signature)
    monkeypatch.setattr(time, "time", lambda: float(expires_unix_s))
    with pytest.raises(Untrusted, match="expired"):
        store.verify_link("clips/day=1/a.mcap", expires_unix_s=expires_unix_s, signature=signature)


def test_processes_share_one_secret_that_nobody_else_reads(store: DirectoryStore, root: Path) -> None:
    other = DirectoryStore(root, public_url="https://fleet.example")
    asked = parse_qs(urlsplit(other.link("a", expires_s=60)).query)
    store.verify_link("a", expires_unix_s=int(asked["expires"][0]), signature=asked["signature"][0])
    assert (root / ".link-secret").stat().st_mode & 0o777 == 0o600


def test_a_damaged_secret_is_named(store: DirectoryStore, root: Path) -> None:
    (root / ".link-secret").write_bytes(b"short")
    with pytest.raises(Misconfigured, match=r"\.link-secret"):
        DirectoryStore(root, public_url="")


def test_urls_with_spaces_and_other_letters_name_their_directory(tmp_path: Path) -> None:
    folder = tmp_path / "größe 100%"
    open_store(Settings(objects_url=folder.as_uri())).put("a", b"x")
    assert (folder / "data" / "a").read_bytes() == b"x"


def test_without_a_url_objects_lie_below_the_data_directory(tmp_path: Path) -> None:
    open_store(Settings(data_dir=tmp_path / "new" / "data")).put("a", b"x")
    assert (tmp_path / "new" / "data" / "objects" / "data" / "a").is_file()


@pytest.mark.parametrize(
    "url", ["s4://bucket/x", "https://host/x", "/srv/objects", "file:", "file:///", "file://host/x", "file:relative"]
)
def test_a_url_that_names_no_store_is_refused_with_the_setting(url: str) -> None:
    with pytest.raises(Misconfigured, match=f"LONGTAIL_OBJECTS_URL.*{re.escape(url)}"):
        open_store(Settings(objects_url=url))


def test_a_directory_that_cannot_be_made_is_refused_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "not" / "mounted", tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(Misconfigured, match="LONGTAIL_OBJECTS_URL"):
            open_store(Settings(objects_url=path.as_uri()))
