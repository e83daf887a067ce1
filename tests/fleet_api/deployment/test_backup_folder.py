"""The folder of a backup belongs to one deployment and one run: whatever else would write there is refused."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete

from fleet_api.deployment.backup import make_backup
from fleet_api.deployment.backup_keys import restore_keys
from fleet_api.deployment.keys import create_key, ensure_signing_key
from storage.database import Database
from storage.embedded.locks import FileLock
from storage.settings import Settings
from storage.tables import campaign_versions
from tests.support.fleet import add_version
from triggers.errors import Conflict


@pytest.fixture
def settings(tmp_path: Path, database: Database) -> Settings:
    made = Settings(data_dir=tmp_path / "data", database_url=database.url)
    ensure_signing_key(made)
    return made


def back_up(settings: Settings, folder: Path) -> None:
    make_backup(settings, folder, lambda _: None)


def add(database: Database, version: int = 1) -> None:
    with database.begin() as connection:
        add_version(connection, "cut_in", version)


def forget_everything(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(delete(campaign_versions))


def tree(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_deployment_that_began_anew_never_takes_the_place_of_the_one_in_the_backup(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    back_up(settings, folder)  # before there is anything to tell it by
    add(database)
    back_up(settings, folder)
    add(database, 2)
    back_up(settings, folder)
    before = tree(folder)
    forget_everything(database)  # its disk was lost, and the service manager has started it again
    with pytest.raises(Conflict, match="another deployment") as caught:
        back_up(settings, folder)
    assert "longtail restore" in caught.value.remedy
    add(database)
    with pytest.raises(Conflict, match="another deployment"):
        back_up(settings, folder)
    assert tree(folder) == before


def test_the_backup_of_an_earlier_version_is_told_by_its_signing_key(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    add(database)
    back_up(settings, folder)
    content = json.loads((folder / "backup.json").read_text())
    del content["origin"]
    (folder / "backup.json").write_text(json.dumps(content))
    other = settings.model_copy(update={"signing_key": tmp_path / "other.pem"})
    ensure_signing_key(other)
    with pytest.raises(Conflict, match="another deployment"):
        back_up(other, folder)
    back_up(settings, folder)


def test_keys_that_are_made_while_the_rows_are_written_are_in_the_backup(settings: Settings, tmp_path: Path) -> None:
    data, restored = settings.require_data_dir() / "keys", tmp_path / "restored"

    def rotate(said: str) -> None:
        if said.startswith("database:"):
            create_key(data / "list-2.pem")
            settings.effective_signing_key().unlink()
            ensure_signing_key(settings)

    backup, _ = make_backup(settings, tmp_path / "backup", rotate)
    restore_keys(Settings(data_dir=restored), tmp_path / "backup" / backup.keys_folder, backup.key)
    for name in ("list-2.pem", "signing.pem"):
        assert (restored / "keys" / name).read_bytes() == (data / name).read_bytes()


def test_two_runs_never_write_into_one_folder(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    back_up(settings, folder)
    with closing(FileLock(folder / ".longtail-backup")) as other:
        assert other.try_acquire()
        with pytest.raises(Conflict, match="another run"):
            back_up(settings, folder)
    back_up(settings, folder)


@pytest.mark.parametrize("name", ["objects/backup", "postgres", "keys/backup", "spool/x/y"])
def test_a_folder_of_the_deployment_itself_is_refused_and_not_made(settings: Settings, name: str) -> None:
    folder = settings.require_data_dir() / name
    with pytest.raises(Conflict, match="belongs to the deployment"):
        back_up(settings, folder)
    assert not folder.exists()
