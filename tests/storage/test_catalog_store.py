"""The object store of a catalog, opened: new for a new catalog, and never anew for one whose directory is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.database import Database
from storage.objects.catalog_store import open_store_of_catalog
from storage.settings import Settings
from tests.storage.clips.catalog_support import add_clip
from triggers.errors import Unreachable


@pytest.mark.parametrize("mount_point", [False, True], ids=["gone", "not mounted"])
def test_a_directory_that_is_gone_is_not_made_again_over_stored_clips(
    database: Database, tmp_path: Path, mount_point: bool
) -> None:
    objects = tmp_path / "objects"
    settings = Settings(database_url=database.url, data_dir=tmp_path, objects_url=objects.as_uri())
    open_store_of_catalog(settings, database).put("clips/a", b"a")
    with database.begin() as connection:
        add_clip(connection)
    assert open_store_of_catalog(settings, database).get("clips/a") == b"a"
    objects.rename(tmp_path / "elsewhere")
    if mount_point:
        objects.mkdir()
    store = open_store_of_catalog(settings, database)
    uses: list[Callable[[], object]] = [
        store.check,
        store.remove_leftovers,
        lambda: store.put("clips/b", b"b"),
        lambda: store.link("clips/a", expires_s=60),
    ]
    for use in uses:
        with pytest.raises(Unreachable, match="is not there") as refused:
            use()
        assert "mount or restore it" in refused.value.remedy
    assert not (objects / "data").exists()
    if mount_point:
        objects.rmdir()
    (tmp_path / "elsewhere").rename(objects)
    store.put("clips/b", b"b")
    assert (store.get("clips/a"), store.get("clips/b")) == (b"a", b"b"), "it goes on by itself"
    assert store.link("clips/a", expires_s=60)
