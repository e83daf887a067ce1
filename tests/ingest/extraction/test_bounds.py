"""The work of an extraction is bounded by what manifest and catalogs declare, whatever the file unpacks to."""

from __future__ import annotations

import io
from array import array
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from mcap.writer import CompressionType, Writer

from ingest.extraction.requests import MAX_SIGNALS_HZ, MESSAGES_BASE, allowed_messages, request_for
from tests.ingest.extraction import footage
from tests.support.fleet import T_NS
from triggers.clips import reader
from triggers.clips.footage import Footage
from triggers.clips.messages.cost import most_list_cost
from triggers.clips.messages.objects import ObjectSamples, encode_column
from triggers.clips.reader import read_clip
from triggers.contracts.clip import MAX_MESSAGES, RecordingManifest
from triggers.drives import series
from triggers.drives.series import SignalSeries, read_series, write_drive
from triggers.signals.catalog import SignalCatalog
from triggers.signals.objects import MAX_CARRIED_OBJECTS

RECORDING = footage.recording()
CATALOG = SignalCatalog.parse(footage.CATALOG, name="catalog")


def test_messages_are_those_that_signals_and_cameras_give_with_some_slack() -> None:
    # Latitude and longitude at 1 Hz, a speed that is sent on change (1000 Hz), a camera (120 Hz), for one second.
    assert allowed_messages(RECORDING, [CATALOG]) == MESSAGES_BASE + int(1.5 * (1 + 1 + 1000 + 120))
    assert allowed_messages(RECORDING, []) == MESSAGES_BASE + int(1.5 * (3 * 1000 + 120))
    request = request_for(RECORDING, [CATALOG], clip_bytes=1000, derived_share=0.5)
    assert request.max_messages == allowed_messages(RECORDING, [CATALOG])


LISTS = "signals: {speed: {rate: 1}}\nobjects: {tracked: {max: MAX, RATE key: id, fields: {FIELDS}}}"


def with_lists(fields: int, most: int, rate: str) -> SignalCatalog:
    named = ", ".join(["id: {type: id}", *(f"f{number}: {{}}" for number in range(1, fields))])
    text = LISTS.replace("MAX", str(most)).replace("RATE", rate).replace("FIELDS", named)
    return SignalCatalog.parse(text, name="catalog")


def full_list(objects: int, fields: int, messages: int, seconds: int) -> tuple[RecordingManifest, Footage]:
    """A clip whose list has all of its objects in all of its messages."""
    end_ns = T_NS + seconds * 10**9
    names = ("id", *(f"f{number}" for number in range(1, fields)))
    message = encode_column(np.arange(objects), np.ones((fields - 1, objects)))
    times = array("q", np.linspace(T_NS, end_ns, messages, dtype=np.int64).tolist())
    lists = {"tracked": ObjectSamples(names, times, [message] * messages)}
    update = {"signals": ("tracked",), "end_ns": end_ns}
    return footage.recording(()).model_copy(update=update), Footage(T_NS, end_ns, {}, {}, objects=lists)


@pytest.mark.parametrize(
    ("objects", "fields", "rate", "hz", "seconds"),
    [(256, 20, "rate: 20,", 20, 20), (MAX_CARRIED_OBJECTS, 64, "rate: 10,", 10, 2), (256, 20, "", 100, 2)],
)
def test_lists_are_read_as_they_are_declared_with_all_objects_that_they_may_carry(
    tmp_path: Path, objects: int, fields: int, rate: str, hz: int, seconds: int
) -> None:
    recording, content = full_list(objects, fields, hz * seconds, seconds)
    allowed = allowed_messages(recording, [with_lists(fields, 256, rate)])
    clip = read_clip(footage.write(tmp_path, recording, content), recording, max_messages=allowed)
    assert clip.remarks == ()
    assert len(clip.footage.objects["tracked"]) == hz * seconds


def test_of_several_catalogs_the_list_that_costs_most_counts_and_nothing_is_unbounded() -> None:
    recording = footage.recording(()).model_copy(update={"signals": ("speed", "tracked")})
    catalogs = [with_lists(2, 8, "rate: 10,"), with_lists(3, 8, "rate: 20,"), with_lists(2, 8, "rate: 20,")]
    assert allowed_messages(recording, catalogs) == MESSAGES_BASE + int(1.5 * (1 + 20 * most_list_cost(2)))
    assert allowed_messages(recording, [with_lists(64, 8, "rate: 100000,")]) == MAX_MESSAGES
    many = recording.model_copy(update={"signals": tuple(f"s{number}" for number in range(500))})
    assert allowed_messages(many, catalogs) == MESSAGES_BASE + int(1.5 * MAX_SIGNALS_HZ)


def test_what_follows_the_last_message_that_is_allowed_is_left_out(tmp_path: Path) -> None:
    clip = read_clip(footage.write(tmp_path, RECORDING, footage.footage()), RECORDING, max_messages=12)
    assert [remark.reason for remark in clip.remarks] == ["mcap_too_large"]


@pytest.mark.parametrize("kind", ["channels", "metadata"])
def test_records_that_are_no_messages_are_bounded_too(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_OTHER_RECORDS", 100)
    file = io.BytesIO()
    writer = Writer(file, compression=CompressionType.NONE)
    writer.start("test", "test")
    for number in range(200):
        if kind == "channels":
            channel = writer.register_channel(f"/other/{number}", "json", 0)
            writer.add_message(channel, T_NS, b"", T_NS)
        else:
            writer.add_metadata(f"other {number}", {})
    writer.finish()
    path = tmp_path / "clip.mcap"
    path.write_bytes(file.getvalue())
    reasons = [remark.reason for remark in read_clip(path, RECORDING).remarks]
    assert "mcap_too_large" in reasons


def test_a_table_of_many_signals_is_written_in_small_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "CELLS_PER_GROUP", 10_000)
    times = np.arange(T_NS, T_NS + 2000, dtype=np.int64)
    signals = {f"s{number}": SignalSeries(times, np.full(2000, float(number))) for number in range(99)}
    path = tmp_path / "signals.parquet"
    write_drive(path, signals, start_ns=T_NS)
    written = pq.ParquetFile(path).metadata
    assert [written.row_group(number).num_rows for number in range(written.num_row_groups)] == [100] * 20
    assert {name: len(read.values) for name, read in read_series(path).items()} == dict.fromkeys(signals, 2000)
