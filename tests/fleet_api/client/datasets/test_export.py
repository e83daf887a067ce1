"""Exports: every format is read back by its own reader, is checked by hashes, and goes on where it was cut off."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely
import webdataset
from sqlalchemy import update

from fleet_api.client import Client
from fleet_api.client.datasets.export import folder as folders
from fleet_api.client.datasets.export import rows, shards
from fleet_api.client.datasets.export.run import FORMATS, Format, Progress, export
from storage.tables import clip_assets, labels
from tests.fleet_api.api_server import Api
from tests.fleet_api.client.datasets.exporting import BOX, add_whole_clip, content_of, sha256
from tests.storage.clips.catalog_support import OPENLABEL
from tests.support.rows import add_row
from triggers.contracts.api.datasets.versions import SplitRequest
from triggers.errors import Conflict, Misconfigured, NotFound, Untrusted

pytestmark = pytest.mark.integration
CLIPS = 6
SPLIT = SplitRequest(by="vehicle", train=50, val=50)


class Cut(Exception):
    """The export was killed."""


@pytest.fixture
def clips(api: Api) -> dict[str, bytes]:
    """Clips of a dataset `cuts`, with their bytes. Two have labels."""
    made = {
        add_whole_clip(api, number, labelled=number < 2, vehicle_id=f"car-{number}"): content_of(number)
        for number in range(CLIPS)
    }
    api.as_client("author").datasets.create("cuts", clips=list(made), split=SPLIT)
    return made


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder; the deployment's data are beside it."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def client(api: Api) -> Client:
    return api.as_client("admin")


@pytest.fixture
def fetched(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The links that were followed."""
    links: list[str] = []
    opened = client.datasets.opened

    @contextmanager
    def counted(link: str) -> Iterator[Iterator[bytes]]:
        links.append(link)
        with opened(link) as chunks:
            yield chunks

    monkeypatch.setattr(client.datasets, "opened", counted)
    return links


def killed_after(count: int) -> Callable[[Progress], None]:
    """A listener that ends the export once so many clips are done."""

    def told(progress: Progress) -> None:
        if progress.done >= count:
            raise Cut

    return told


def files(folder: Path) -> dict[str, bytes]:
    """All files but the lock, by their relative names."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".export.lock"
    }


def test_the_manifest_has_every_member_with_its_hashes(client: Client, clips: dict[str, bytes], out: Path) -> None:
    done = export(client.datasets, "cuts", out, "parquet")
    assert (done.clips, done.done, done.fetched, done.erased) == (CLIPS, CLIPS, 0, 0)
    file = pq.ParquetFile(out / "manifest.parquet")
    version = client.datasets.version("cuts@1")
    assert file.schema_arrow.equals(rows.SCHEMA)
    assert file.metadata.metadata[b"longtail.dataset"] == b"cuts@1"
    assert file.metadata.metadata[b"longtail.digest"] == version.digest.encode()
    table = {row["clip_id"]: row for row in file.read().to_pylist()}
    assert {clip_id: row["digest"] for clip_id, row in table.items()} == {
        key: sha256(data) for key, data in clips.items()
    }
    row = table[min(clips)]
    assert row["triggers"] == ["hard"] and row["campaigns"] == ["braking"]
    assert (row["west"], row["south"], row["east"], row["north"]) == BOX
    assert json.loads(row["attributes"]) == {"vehicle.region": "EU"}
    assert [asset["name"] for asset in row["assets"]] == ["signals"] and row["file"] is None
    assert sum(len(row["labels"]) for row in table.values()) == 2
    assert json.loads((out / "dataset.json").read_text())["digest"] == version.digest


def test_recordings_are_whole_and_the_manifest_says_where_they_are(
    client: Client, clips: dict[str, bytes], out: Path
) -> None:
    done = export(client.datasets, "cuts@1", out, "mcap")
    assert (done.fetched, done.reused, done.fetched_bytes) == (CLIPS, 0, sum(map(len, clips.values())))
    table = pq.read_table(out / "manifest.parquet").to_pylist()
    assert {row["clip_id"]: (out / row["file"]).read_bytes() for row in table} == clips
    assert all(row["file"] == f"clips/{row['split']}/{row['clip_id']}.mcap" for row in table)


@pytest.mark.parametrize("kind", ["mcap", "webdataset"])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_killed_export_goes_on_and_fetches_nothing_twice(
    client: Client,
    clips: dict[str, bytes],
    fetched: list[str],
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: Format,
    count: int,
) -> None:
    monkeypatch.setattr(shards, "SHARD_SAMPLES", 1)
    with pytest.raises(Cut):
        export(client.datasets, "cuts", out, kind, killed_after(count))
    before = len(fetched)
    done = export(client.datasets, "cuts", out, kind)
    of_clip = 1 if kind == "mcap" else 2
    assert before == count * of_clip and len(fetched) == CLIPS * of_clip
    assert (done.fetched, done.reused) == (CLIPS - count, count)
    again = export(client.datasets, "cuts", out, kind)
    assert (again.fetched, again.reused, again.fetched_bytes) == (0, CLIPS, 0)


@pytest.mark.parametrize("kind", ["mcap", "webdataset"])
def test_a_file_that_is_cut_off_or_altered_in_the_folder_is_fetched_again(
    client: Client, clips: dict[str, bytes], out: Path, kind: Format
) -> None:
    assert clips
    export(client.datasets, "cuts", out, kind)
    before = files(out)
    large = sorted(path for path in out.rglob("*") if path.suffix in (".mcap", ".tar"))
    large[0].write_bytes(large[0].read_bytes()[:-1])
    large[1].write_bytes(b"x" + large[1].read_bytes()[1:])
    done = export(client.datasets, "cuts", out, kind)
    assert done.fetched == 2
    assert files(out) == before


def test_an_export_that_dies_within_a_file_leaves_no_part_of_it(
    client: Client, clips: dict[str, bytes], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clips

    @contextmanager
    def broken(_: str) -> Iterator[Iterator[bytes]]:
        def chunks() -> Iterator[bytes]:
            yield b"half"
            raise Cut

        yield chunks()

    monkeypatch.setattr(client.datasets, "opened", broken)
    for kind in ("mcap", "webdataset"):
        with pytest.raises(Cut):
            export(client.datasets, "cuts", out, kind)
    assert set(files(out)) == {"dataset.json"}


def test_the_webdataset_package_reads_every_sample(
    client: Client, clips: dict[str, bytes], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_SAMPLES", 2)
    done = export(client.datasets, "cuts", out, "webdataset")
    paths = sorted(str(path) for path in (out / "shards").glob("*.tar"))
    assert done.fetched == len(paths) > 2
    samples = list(webdataset.WebDataset(paths, shardshuffle=False, empty_check=False))
    assert {sample["__key__"]: sample["mcap"] for sample in samples} == clips
    sides = {member.clip_id: member for member in client.datasets.members("cuts")}
    for sample in samples:
        member, about = sides[sample["__key__"]], json.loads(sample["json"])
        assert (about["split"], about["digest"]) == (member.split, member.digest)
        assert f"/cuts-{member.split}-" in sample["__url__"]
        assert sha256(sample["signals.parquet"]) == member.assets[0].digest
        assert ("labels.json" in sample) == bool(member.labels)
        if member.labels:
            (label,) = json.loads(sample["labels.json"])
            assert label["id"] == member.labels[0].id and label["openlabel"] == OPENLABEL
    table = pq.read_table(out / "manifest.parquet").to_pylist()
    for row in table:
        with tarfile.open(out / row["file"]) as tar:
            assert f"{row['clip_id']}.mcap" in tar.getnames()


def test_previews_of_all_cameras_are_samples_of_their_type_however_long_their_names_are(api: Api, out: Path) -> None:
    clip_id, pictures = add_whole_clip(api, 0), b"moving pictures"
    cameras = ("rear", "c" * 64)
    with api.database.begin() as connection:
        for camera in cameras:
            asset = {"name": f"preview.{camera}", "object_key": f"previews/{camera}", "media_type": "video/mp4"}
            asset |= {"size_bytes": len(pictures), "digest": sha256(pictures)}
            add_row(connection, clip_assets, clip_id=clip_id, **asset)
            api.app.state.services.store.put(f"previews/{camera}", pictures)
    api.as_client("author").datasets.create("films", clips=[clip_id])
    export(api.as_client("admin").datasets, "films", out, "webdataset")
    (sample,) = webdataset.WebDataset(str(out / "shards" / "films-all-000000.tar"), shardshuffle=False)
    assert [sample[f"preview.{camera}.mp4"] for camera in cameras] == [pictures] * 2


def test_shards_are_the_same_bytes_wherever_and_whenever_they_are_made(
    client: Client, clips: dict[str, bytes], out: Path
) -> None:
    assert clips
    for name in ("one", "two"):
        export(client.datasets, "cuts", out / name, "webdataset")
    assert files(out / "one" / "shards") == files(out / "two" / "shards")


def test_a_clip_that_is_erased_later_leaves_its_shard_and_no_other_one_changes(
    client: Client, clips: dict[str, bytes], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_SAMPLES", 2)
    export(client.datasets, "cuts", out, "webdataset")
    before = files(out / "shards")
    gone = min(clips)
    client.clips.erase(gone, reason="a face", datasets=["cuts"])
    done = export(client.datasets, "cuts", out, "webdataset")
    assert (done.erased, done.fetched) in ((1, 1), (1, 0))
    after = files(out / "shards")
    changed = {name for name in before if after.get(name) != before[name]}
    assert {name.removesuffix(".json") for name in changed} == {min(changed).removesuffix(".json")}
    table = {row["clip_id"]: row for row in pq.read_table(out / "manifest.parquet").to_pylist()}
    assert (table[gone]["erased_cause"], table[gone]["erased_reason"]) == ("erased", "a face")
    assert table[gone]["file"] is None and len(table) == CLIPS


def test_the_recording_of_a_clip_that_is_erased_during_the_export_leaves_the_folder(
    client: Client, clips: dict[str, bytes], out: Path
) -> None:
    gone = min(clips)

    def erase(progress: Progress) -> None:
        if progress.done == 1:
            assert len(list(out.rglob(f"{gone}.mcap"))) == 1
            client.clips.erase(gone, reason="a face", datasets=["cuts"])

    done = export(client.datasets, "cuts", out, "mcap", erase)
    assert (done.erased, done.fetched) == (1, CLIPS)
    assert list(out.rglob(f"{gone}.mcap")) == []
    table = {row["clip_id"]: row for row in pq.read_table(out / "manifest.parquet").to_pylist()}
    assert (table[gone]["file"], table[gone]["erased_cause"]) == (None, "erased")
    assert all((out / row["file"]).is_file() for clip_id, row in table.items() if clip_id != gone)


def test_the_recording_of_a_clip_that_is_erased_later_leaves_the_folder(
    client: Client, clips: dict[str, bytes], out: Path
) -> None:
    export(client.datasets, "cuts", out, "mcap")
    gone = min(clips)
    client.clips.erase(gone, reason="a face", datasets=["cuts"])
    done = export(client.datasets, "cuts", out, "mcap")
    assert (done.erased, done.reused, done.fetched) == (1, CLIPS - 1, 0)
    assert {path.stem for path in out.rglob("*.mcap")} == set(clips) - {gone}


def test_items_are_geoparquet_that_pyarrow_and_shapely_read(
    api: Api, client: Client, clips: dict[str, bytes], out: Path
) -> None:
    over_the_line = add_whole_clip(api, 8, box=(179.5, -1.0, -179.5, 1.0))
    nowhere, point = add_whole_clip(api, 9, box=None), add_whole_clip(api, 10, box=(5.0, 5.0, 5.0, 5.0))
    line = add_whole_clip(api, 11, box=(5.0, 5.0, 6.0, 5.0))
    client.datasets.create("places", clips=[*clips, over_the_line, nowhere, point, line])
    client.clips.erase(min(clips), reason="a face", datasets=["cuts", "places"])
    export(client.datasets, "places", out, "geoparquet")
    file = pq.ParquetFile(out / "items.parquet")
    geo = json.loads(file.metadata.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["LineString", "MultiPolygon", "Point", "Polygon"]
    assert column["bbox"] == [-180.0, -1.0, 180.0, 52.5]
    items = {row["clip_id"]: row for row in file.read().to_pylist()}
    assert len(items) == CLIPS + 3 and min(clips) not in items
    shapes = {key: None if row["geometry"] is None else shapely.from_wkb(row["geometry"]) for key, row in items.items()}
    assert shapes[nowhere] is None
    found = shapes[max(clips)]
    assert found is not None and found.bounds == BOX and found.is_valid and found.exterior.is_ccw
    crossing = shapes[over_the_line]
    assert crossing is not None and crossing.is_valid and crossing.area == pytest.approx(2.0)
    assert {shapes[point].geom_type, shapes[line].geom_type} == {"Point", "LineString"}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_folder_keeps_its_version(client: Client, clips: dict[str, bytes], out: Path, kind: Format) -> None:
    export(client.datasets, "cuts", out, "parquet")
    client.datasets.add_version("cuts", clips=sorted(clips)[:2])
    with pytest.raises(Conflict, match=r"has cuts@1 with the digest [0-9a-f]+, not cuts@2"):
        export(client.datasets, "cuts", out, kind)
    assert export(client.datasets, "cuts@1", out, kind).done == CLIPS


def test_two_exports_do_not_write_to_one_folder(client: Client, clips: dict[str, bytes], out: Path) -> None:
    assert clips
    with (
        folders.opened(out, client.datasets.version("cuts")),
        pytest.raises(Conflict, match="another export writes to"),
    ):
        export(client.datasets, "cuts", out, "mcap")


def test_bytes_that_are_not_the_frozen_ones_are_refused(
    api: Api, client: Client, clips: dict[str, bytes], out: Path
) -> None:
    api.app.state.services.store.put(f"clips/{max(clips)}.mcap", b"other bytes")
    for kind in ("mcap", "webdataset"):
        with pytest.raises(Untrusted, match=f"{max(clips)}.* came with the SHA-256"):
            export(client.datasets, "cuts", out / kind, kind)
        assert not list((out / kind).rglob(f"*{max(clips)}*"))


def test_a_label_that_is_not_the_pinned_one_is_refused(
    api: Api, client: Client, clips: dict[str, bytes], out: Path
) -> None:
    assert clips
    with api.database.begin() as connection:
        connection.execute(update(labels).values(openlabel={"openlabel": {}}))
    with pytest.raises(Untrusted, match="is not the document that the dataset has"):
        export(client.datasets, "cuts", out, "webdataset")


def test_files_that_were_derived_again_are_left_out_and_counted(
    api: Api, client: Client, clips: dict[str, bytes], out: Path
) -> None:
    with api.database.begin() as connection:
        connection.execute(update(clip_assets).where(clip_assets.c.clip_id == max(clips)).values(digest="0" * 64))
    done = export(client.datasets, "cuts", out, "webdataset")
    assert done.superseded == 1
    names = [name for path in (out / "shards").glob("*.tar") for name in tarfile.open(path).getnames()]  # noqa: SIM115
    assert sum(name.endswith(".signals.parquet") for name in names) == CLIPS - 1


def test_a_folder_that_cannot_be_one_is_named(client: Client, clips: dict[str, bytes], out: Path) -> None:
    assert clips
    file = out / "file"
    file.write_text("x")
    with pytest.raises(Misconfigured, match="file: cannot be written"):
        export(client.datasets, "cuts", file, "mcap")
    other = out / "other"
    other.mkdir()
    (other / "dataset.json").write_text("[]")
    with pytest.raises(Conflict, match="is not that of an export"):
        export(client.datasets, "cuts", other, "mcap")
    with pytest.raises(NotFound):
        export(client.datasets, "nothing", out / "none", "mcap")
    assert not (out / "none").exists()
