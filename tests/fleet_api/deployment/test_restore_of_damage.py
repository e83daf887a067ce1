"""Restores from backups that lost something, lie on a medium mounted for reading, or are of a deployment without a key
of its own: what is whole is restored, and what is not is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from fleet_api.cli.main import main
from fleet_api.deployment.backup import make_backup, read_backup
from fleet_api.deployment.keys import create_key, ensure_signing_key
from fleet_api.deployment.restore import restore_backup
from storage.backup.index import ObjectIndex
from storage.database import Database
from storage.erasure.clips import erase
from storage.objects import open_store
from storage.settings import Settings
from storage.tables import clips
from storage.tables.erasure import ErasureCause
from tests.storage.clips.catalog_support import add_clip
from tests.support.servers.postgres import fresh_database
from tests.support.small_disk import fill, mounted_for_reading, small_disk
from triggers.errors import LongtailError, Misconfigured, Unreachable, Untrusted

CONTENTS = [b"first", b"second", b"third"]


@pytest.fixture
def source(database: Database, tmp_path: Path) -> Settings:
    """A deployment with three clips and their objects, and keys."""
    made = Settings(database_url=database.url, data_dir=tmp_path / "source")
    ensure_signing_key(made)
    create_key(tmp_path / "source" / "keys" / "list.pem")
    for content in CONTENTS:
        add_object(made, database, content)
    return made


def add_object(settings: Settings, database: Database, content: bytes) -> str:
    """A clip of one cell, and its object; returns the object's key."""
    digest = hashlib.sha256(hashlib.sha256(content).digest()).hexdigest()
    with database.begin() as connection:
        clip_id = add_clip(connection, size_bytes=len(content), digest=digest)
    open_store(settings).put(f"clips/{clip_id}.mcap", content)
    return f"clips/{clip_id}.mcap"


@pytest.fixture
def target(postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """An empty deployment."""
    with fresh_database(postgres_url) as url:
        yield Settings(database_url=url, data_dir=tmp_path / "target")


@pytest.fixture
def folder(source: Settings, tmp_path: Path) -> Path:
    """A backup of the source."""
    back_up(source, tmp_path / "backup")
    return tmp_path / "backup"


def back_up(settings: Settings, folder: Path) -> None:
    make_backup(settings, folder, lambda _: None)


def back_up_without_describing(settings: Settings, folder: Path) -> None:
    """A run that ends where it would write what the backup is: that file leads nowhere meanwhile."""
    description = folder / "backup.json"
    aside = description.rename(folder / "aside")
    description.symlink_to(folder / "nowhere" / "backup.json")
    with pytest.raises(LongtailError, match="cannot be written"):
        back_up(settings, folder)
    aside.replace(description)


def restore(settings: Settings, folder: Path) -> list[str]:
    """What the restore reports."""
    said: list[str] = []
    restore_backup(settings, folder, said.append)
    return said


def clips_in(url: str) -> list[str]:
    database = Database(url, pool_size=1)
    with database.begin() as connection:
        found = list(connection.execute(select(clips.c.id).order_by(clips.c.id)).scalars())
    database.close()
    return found


def contents(settings: Settings) -> list[bytes]:
    store = open_store(settings)
    return sorted(store.get(info.key) for info in store.list("clips/"))


def damage_sums(folder: Path) -> None:
    (folder / "objects.sqlite").write_bytes(b"SQLite format 3\0" + bytes(4096))


@pytest.mark.parametrize("lose", [lambda folder: (folder / "objects.sqlite").unlink(), damage_sums])
def test_without_the_sums_of_objects_all_are_restored_and_compared_with_their_rows(
    folder: Path, target: Settings, lose: Callable[[Path], None]
) -> None:
    lose(folder)
    damaged = next((folder / "objects").rglob("*.mcap"))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole.swapcase())
    said: list[str] = []
    _, done = restore_backup(target, folder, said.append)
    assert (done.missing, done.damaged) == ([], [f"clips/{damaged.name}"])
    assert [each for each in said if "objects.sqlite cannot be used" in each]
    assert contents(target) == sorted({*CONTENTS} - {whole})
    damaged.write_bytes(whole)
    restore(target, folder)
    assert contents(target) == sorted(CONTENTS)


def remove(path: Path) -> None:
    path.unlink()


def turn_a_bit(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def make_unreadable(path: Path) -> None:
    """As a file whose directory entry a broken disk has changed."""
    path.unlink()
    path.mkdir()


LOST, DAMAGED = "the backup has lost it", "the backup has it with other bytes than were written, or cannot read it"


@pytest.mark.parametrize(
    ("says", "lose"), [(LOST, remove), (DAMAGED, turn_a_bit), (DAMAGED, cut), (DAMAGED, make_unreadable)]
)
def test_what_the_backup_has_lost_is_named_and_all_else_is_restored(
    source: Settings,
    folder: Path,
    target: Settings,
    says: str,
    lose: Callable[[Path], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = next((folder / "objects").rglob("*.mcap"))
    content = lost.read_bytes()
    lose(lost)
    monkeypatch.setenv("LONGTAIL_DATABASE_URL", target.database_url)
    command = ["restore", str(folder), "--data", str(target.require_data_dir())]
    assert main(command) == 1
    said = capsys.readouterr()
    assert f"{says}: clips/{lost.name}\n" in said.err and "2 objects copied" in said.out
    assert contents(target) == sorted({*CONTENTS} - {content})
    assert clips_in(target.database_url) == clips_in(source.database_url), "a clip without its object is known"

    assert main([*command, "--json"]) == 1, "as long as it is lost"
    assert json.loads(capsys.readouterr().out)["lost"] == [f"clips/{lost.name}"]
    if lost.is_dir():
        lost.rmdir()
    lost.write_bytes(content)
    assert main(command) == 0
    assert contents(target) == sorted(CONTENTS)


@pytest.mark.parametrize("lose", [remove, cut], ids=["missing", "cut"])
def test_the_next_run_of_a_backup_copies_what_its_folder_has_lost(
    source: Settings, folder: Path, lose: Callable[[Path], None]
) -> None:
    lose(next((folder / "objects").rglob("*.mcap")))
    back_up(source, folder)
    assert sorted(path.read_bytes() for path in (folder / "objects").rglob("*.mcap")) == sorted(CONTENTS)


def test_an_object_that_cannot_be_read_is_named_and_all_else_is_in_the_backup(source: Settings, tmp_path: Path) -> None:
    unreadable = next((source.require_data_dir() / "objects").rglob("*.mcap"))
    make_unreadable(unreadable)
    backup, done = make_backup(source, tmp_path / "backup", lambda _: None)
    assert (backup.damaged, done.copied) == ((f"clips/{unreadable.name}",), len(CONTENTS) - 1)


@pytest.mark.parametrize("text", ["", "[]", "null", '"backup"', "{", '{"format": 1}', '{"format": 1, "database": []}'])
def test_a_damaged_description_is_named(folder: Path, target: Settings, text: str) -> None:
    (folder / "backup.json").write_text(text)
    with pytest.raises(Untrusted, match=r"backup\.json is damaged"):
        restore(target, folder)


def test_a_backup_on_a_medium_that_is_mounted_for_reading_is_restored(folder: Path, target: Settings) -> None:
    with mounted_for_reading(folder):
        said = restore(target, folder)
    assert contents(target) == sorted(CONTENTS)
    assert not [each for each in said if "cannot be used" in each], "the sums were read"


def test_a_run_that_is_cut_leaves_the_backup_of_before_whole_with_what_was_erased_since(
    source: Settings, database: Database, folder: Path, target: Settings
) -> None:
    key = add_object(source, database, b"erased later")
    back_up(source, folder)
    with database.begin() as connection:
        clip_id = connection.execute(select(clips.c.id).where(clips.c.object_key == key)).scalar_one()
        erase(connection, [clip_id], ErasureCause.ERASED, reason="a test")
    open_store(source).delete(key)
    key_before = source.effective_signing_key().read_bytes()
    source.effective_signing_key().unlink()
    ensure_signing_key(source)
    back_up_without_describing(source, folder)
    restore(target, folder)
    assert target.effective_signing_key().read_bytes() == key_before, "replaced since, and restored as it was"
    assert contents(target) == sorted([*CONTENTS, b"erased later"])
    back_up(source, folder)
    assert len(list((folder / "objects").rglob("*.mcap"))) == read_backup(folder).objects == len(CONTENTS)


def test_where_people_sign_there_is_no_signing_key_to_save_or_to_restore(
    source: Settings, folder: Path, target: Settings
) -> None:
    source.effective_signing_key().unlink()
    back_up(source, folder)
    assert read_backup(folder).key == ""
    restore(target, folder)
    assert not target.effective_signing_key().exists()
    assert contents(target) == sorted(CONTENTS)


def test_a_backup_whose_signing_key_is_lost_says_which_key_it_needs(folder: Path, target: Settings) -> None:
    key = folder / read_backup(folder).keys_folder / "signing.pem"
    pem = key.read_bytes()
    key.unlink()
    with pytest.raises(Untrusted, match=read_backup(folder).key) as caught:
        restore(target, folder)
    assert str(key) in caught.value.message
    key.write_bytes(pem)
    restore(target, folder)
    assert target.effective_signing_key().read_bytes() == pem


def test_a_backup_of_an_earlier_version_has_its_keys_in_one_folder(
    source: Settings, folder: Path, target: Settings
) -> None:
    content = json.loads((folder / "backup.json").read_text())
    (folder / content.pop("keys_folder")).rename(folder / "keys")
    (folder / "backup.json").write_text(json.dumps(content | {"format": 1}))
    restore(target, folder)
    for name in ("list.pem", "signing.pem"):
        before, after = (each.require_data_dir() / "keys" / name for each in (source, target))
        assert after.read_bytes() == before.read_bytes()
    back_up(source, folder)
    assert [each.name for each in folder.glob("keys*")] == [read_backup(folder).keys_folder] != ["keys"]


def test_a_disk_that_is_full_before_the_keys_are_written_is_said_to_be_full(source: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "backup", mib=8) as disk:
        filler: list[Path] = []
        with pytest.raises(Unreachable, match=r"cannot be written.*No space") as caught:
            make_backup(source, disk, lambda _: filler.append(fill(disk)))
        assert "free space" in caught.value.remedy
        filler[0].unlink()
        back_up(source, disk)


@pytest.mark.parametrize("leave_bytes", [0, 4096, 16384, 32768])
def test_a_disk_that_is_full_while_the_index_of_objects_is_written_is_said_to_be_full(
    leave_bytes: int, tmp_path: Path
) -> None:
    """From the first page of a new index to its last commit: what was noted before is kept, or is noted again."""
    with small_disk(tmp_path / "backup", mib=1) as disk:
        filler = fill(disk, leave_bytes=leave_bytes)
        with pytest.raises(Unreachable, match=r"objects\.sqlite.*is full") as caught:
            note_objects(disk)
        assert "free space" in caught.value.remedy
        filler.unlink()
        assert note_objects(disk) == 1000


def note_objects(folder: Path) -> int:
    """Notes a thousand objects in the index of a backup; returns how many it has."""
    with ObjectIndex(folder / "objects.sqlite") as index:
        for number in range(1000):
            index.put(f"clips/{number}.mcap", 1, "0" * 64, run="a")
        return index.totals("a")[0]


def test_a_backup_whose_index_finds_the_disk_full_is_continued(source: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "backup", mib=8) as disk:
        back_up(source, disk)
        before = read_backup(disk)
        filler = fill(disk)
        with pytest.raises(Unreachable, match=r"backup.*cannot be written.* full|No space") as caught:
            back_up(source, disk)
        assert "run the same command again" in caught.value.remedy
        assert read_backup(disk) == before
        filler.unlink()
        back_up(source, disk)


def test_a_key_that_cannot_be_read_ends_the_run_before_anything_is_copied(source: Settings, tmp_path: Path) -> None:
    (source.require_data_dir() / "keys" / "list.pem").write_text("no key")
    with pytest.raises(LongtailError, match=r"list\.pem"):
        back_up(source, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_a_backup_of_another_schema_says_so_even_where_there_is_no_signing_key(
    source: Settings, database: Database, tmp_path: Path
) -> None:
    source.effective_signing_key().unlink()
    with database.begin() as connection:
        connection.execute(text("DROP TABLE bundle_signatures"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(Misconfigured, match="0001") as caught:
        back_up(source, tmp_path / "backup")
    assert "longtail migrate" in caught.value.remedy
    assert not (tmp_path / "backup").exists()


def test_nothing_is_made_in_a_folder_without_a_backup(tmp_path: Path, target: Settings) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(LongtailError, match="is not there"):
        restore(target, tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []
