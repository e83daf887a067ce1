"""The vector of a whole vehicle: the product makes its files, and the second vehicle gets the same from its inputs."""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ingest.extraction.extract import extract
from ingest.extraction.outputs import ExtractionRequest
from tests.second_vehicle import clip, vehicle, wire
from tests.vectors import end_to_end
from tests.vectors.generate import FOLDER
from triggers.contracts.api.clips import RECORDING_ASSET
from triggers.contracts.clip import CreationRequest

VECTOR = FOLDER / end_to_end.NAME
PRODUCT = {"triggers", "storage", "ingest", "fleet_api"}


def document(name: str) -> Any:
    return json.loads((VECTOR / name).read_bytes())


@pytest.fixture(scope="module")
def campaign() -> vehicle.Campaign:
    """The vector's only campaign, verified as the documents say."""
    given = document("vehicle.json")
    keys = wire.Role([base64.b64decode(key) for key in given["public_keys"]])
    sealed = (VECTOR / "list.bin").read_bytes()
    (assignment,) = wire.opened_list(sealed, keys, given["vehicle_id"], given["now_ns"])["assignments"]
    bundle, program = wire.opened_bundle((VECTOR / "bundle.bin").read_bytes(), keys, assignment)
    declarations = {name: given[name] for name in ("attributes", "software")}
    return vehicle.Campaign(given["vehicle_id"], bundle, program, declarations)


def rows(name: str = "rows.csv") -> list[vehicle.Row]:
    """The rows of a file; its list of objects has the fields `kind` and `x`, as the manifest of the program says."""
    with (VECTOR / name).open(newline="") as file:
        lines = list(csv.DictReader(file))
    names = [name for name in lines[0] if name not in ("event", "t_ns")]
    return [(int(line["t_ns"]), {name: told(line[name]) for name in names if line[name]}) for line in lines]


def told(text: str) -> float | clip.Objects:
    """A sample as the README of the vectors says."""
    if not text.startswith("["):
        return float(text)
    objects = [each.split() for each in text.strip("[]").split(";") if each]
    return [(int(key), dict(zip(("kind", "x"), map(float, numbers), strict=True))) for key, *numbers in objects]


def frames() -> dict[str, list[clip.Frame]]:
    with (VECTOR / "frames.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    return {"front": [(int(x["t_ns"]), x["keyframe"] == "1", base64.b64decode(x["base64"])) for x in lines]}


def test_the_files_are_those_that_the_product_makes() -> None:
    files = end_to_end.files()
    assert {path.name for path in VECTOR.iterdir()} == set(files)
    assert {name for name, data in files.items() if (VECTOR / name).read_bytes() != data} == set()


def test_the_second_vehicle_makes_the_same_clips_and_manifests(campaign: vehicle.Campaign) -> None:
    campaign.calibration = document("vehicle.json")["calibration"]
    clips = campaign.drive(rows(), frames())
    assert len(clips) == len(list(VECTOR.glob("clip-*.mcap"))) > 4
    expected = [document(path.name) for path in sorted(VECTOR.glob("creation-*.json"))]
    by_recording = {body["manifest"]["recording"]["recording_id"]: body for body in expected}
    numbered = {body["manifest"]["recording"]["recording_id"]: n for n, body in enumerate(expected, start=1)}
    for made in clips:
        name = made.manifest["recording"]["recording_id"]
        assert by_recording[name] == {"manifest": made.manifest, "network": "wifi"}
        assert (VECTOR / f"clip-{numbered[name]}.mcap").read_bytes() == made.data
        campaign.handed(made)
    (reported,) = document("telemetry.json")["counts"]
    nothing = {"dropped": {}, "failed": {}, "refused": {}, "compared": {}, "distance_m": 0}
    assert {**nothing, **campaign.counts()} == reported


def test_what_the_cloud_extracts_from_the_clips_is_what_the_vehicle_measured(tmp_path: Path) -> None:
    drive, pairs = dict(rows()), 0
    for file in VECTOR.glob("clip-*.mcap"):
        body = (VECTOR / f"creation-{file.stem.removeprefix('clip-')}.json").read_bytes()
        recording = CreationRequest.from_json(body, what="the vector").manifest.recording
        (tmp_path / RECORDING_ASSET).write_bytes(file.read_bytes())
        request = ExtractionRequest(recording=recording, latitude=None, longitude=None, derived_bytes=10**7)
        told = {remark.reason for remark in extract(tmp_path, request).remarks}
        assert told <= {"video_undecodable"}, "the frames of the vector are no pictures"
        columns = pq.read_table(tmp_path / "signals.parquet").to_pydict()
        for index, (t_ns, samples) in enumerate(rows(f"{file.stem}.csv")):
            measured = {name: value for name, value in drive[t_ns].items() if name in recording.signals}
            held = {name: samples[name] for name in recording.held if t_ns == recording.start_ns}
            assert repr(sorted(samples.items())) == repr(sorted({**measured, **held}.items()))
            found = {name: columns[name][index] for name in samples}
            assert found == {name: extracted(sample) for name, sample in samples.items()}
            pairs += len(samples.get("tracked", ())) == 2
    assert pairs > 20


def extracted(sample: float | clip.Objects) -> Any:
    """A sample as the signals of a clip have it: one struct per object, and null for NaN."""
    if isinstance(sample, float):
        return sample
    return [{"id": key, **{name: None if math.isnan(x) else x for name, x in fields.items()}} for key, fields in sample]


def test_the_second_vehicle_says_at_check_in_what_it_has() -> None:
    given = document("vehicle.json")
    keys = wire.Role([base64.b64decode(key) for key in given["public_keys"]])
    listed = wire.opened_list((VECTOR / "list.bin").read_bytes(), keys, given["vehicle_id"], given["now_ns"])
    first, second = document("check-in-1.json"), document("check-in-2.json")
    assert (first["have"], second["have"]) == (None, wire.have(listed))


@pytest.mark.parametrize("name", ["list.bin", "bundle.bin"])
def test_a_changed_byte_is_refused(name: str) -> None:
    given = document("vehicle.json")
    keys = wire.Role([base64.b64decode(key) for key in given["public_keys"]])
    sealed = (VECTOR / name).read_bytes()
    purpose = "longtail-bundle" if name == "bundle.bin" else "longtail-assignments"
    wire.unsealed(sealed, purpose, keys)
    for at in (0, 4, 12, 76, len(sealed) - 1):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(Exception):  # noqa: B017 - any refusal will do
            wire.unsealed(changed, purpose, keys)


def test_the_clip_id_is_that_of_the_product() -> None:
    body = (VECTOR / "creation-1.json").read_bytes()
    manifest = CreationRequest.from_json(body, what="the vector").manifest
    assert wire.clip_id(json.loads(body)["manifest"]) == manifest.clip_id
    cells = [hashlib.sha256((VECTOR / "clip-1.mcap").read_bytes()).hexdigest()]
    assert list(manifest.cells) == cells


@pytest.mark.parametrize("module", [wire, clip, vehicle], ids=lambda module: module.__name__)
def test_the_second_vehicle_uses_nothing_of_the_product(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not {name.split(".")[0] for name in names} & PRODUCT
