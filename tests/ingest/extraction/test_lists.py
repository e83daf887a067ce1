"""Lists of objects of a clip: extracted as a recorded drive has them, without statistics, whatever their bytes are."""

from __future__ import annotations

import io
import math
from array import array
from pathlib import Path

import pyarrow.parquet as pq
from mcap.writer import Writer

from ingest.extraction.extract import extract
from ingest.extraction.outputs import ExtractionRequest, ExtractionResult
from tests.ingest.extraction import footage
from tests.support.fleet import T_NS
from triggers.clips.footage import Footage, Samples
from triggers.clips.messages.objects import ObjectSamples, encode_objects, objects_descriptor
from triggers.clips.writer import MANIFEST_KEY, MANIFEST_RECORD
from triggers.contracts.api.clips import RECORDING_ASSET, SIGNALS_ASSET
from triggers.contracts.clip import RecordingManifest
from triggers.signals.objects import MAX_KEY, ObjectSample

MANIFEST = footage.recording(()).model_copy(update={"signals": ("speed", "tracked")})


def extracted(folder: Path, data: bytes, manifest: RecordingManifest = MANIFEST) -> ExtractionResult:
    (folder / RECORDING_ASSET).write_bytes(data)
    return extract(folder, ExtractionRequest(recording=manifest, latitude=None, longitude=None, derived_bytes=10**7))


def test_lists_become_columns_of_structs_beside_the_signals(tmp_path: Path) -> None:
    messages = [encode_objects(each) for each in (
        ObjectSample((7, MAX_KEY), ((1.0, math.inf), (0.0, math.nan))), ObjectSample((), ()),
    )]  # fmt: skip
    tracked = ObjectSamples(("id", "kind", "x"), array("q", [T_NS - 5, T_NS + 10**8]), messages)
    speed = Samples.of([(T_NS, 1.0), (T_NS + 10**8, 2.0)])
    content = Footage(T_NS, T_NS + 10**9, {"speed": speed}, {}, objects={"tracked": tracked})
    result = extracted(tmp_path, footage.clip_bytes(MANIFEST, content))
    assert result.remarks == ()
    assert [output.asset for output in result.files] == [SIGNALS_ASSET]
    assert [row.signal for row in result.statistics] == ["speed"]
    table = pq.read_table(tmp_path / "signals.parquet")
    assert table.schema.metadata[b"longtail.start_ns"] == str(T_NS - 5).encode()
    assert table["speed"].to_pylist() == [None, 1.0, 2.0]
    assert table["tracked"].to_pylist() == [
        [{"id": 7, "kind": 1.0, "x": math.inf}, {"id": MAX_KEY, "kind": 0.0, "x": None}], None, [],
    ]  # fmt: skip


def test_a_list_that_cannot_be_read_costs_itself_alone(tmp_path: Path) -> None:
    file = io.BytesIO()
    writer = Writer(file)
    writer.start()
    writer.add_metadata(MANIFEST_RECORD, {MANIFEST_KEY: MANIFEST.canonical_json().decode()})
    schema = writer.register_schema("longtail.Objects", "protobuf", objects_descriptor())
    channel = writer.register_channel("/signals/tracked", "protobuf", schema, {"key": "id", "fields": "x"})
    for n in range(3):
        writer.add_message(channel, T_NS + n, b"\x0a\xff\xff\xff\xff\x0f", T_NS)
    writer.finish()  # type: ignore[no-untyped-call]
    result = extracted(tmp_path, file.getvalue())
    told = [(remark.reason, remark.count) for remark in result.remarks]
    assert told == [("channel_unreadable", 3), ("channel_missing", 1)], "`speed`, which the manifest lists"
    table = pq.read_table(tmp_path / "signals.parquet")
    assert table.column_names == ["t", "speed", "tracked"]
    assert table.num_rows == 0
