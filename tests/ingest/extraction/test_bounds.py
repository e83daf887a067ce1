"""The work of an extraction is bounded by what manifest and catalogs declare, whatever the file unpacks to."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from mcap.writer import CompressionType, Writer

from ingest.extraction.requests import MESSAGES_BASE, allowed_messages, request_for
from tests.ingest.extraction import footage
from tests.support.fleet import T_NS
from triggers.clips import reader
from triggers.clips.reader import read_clip
from triggers.drives import series
from triggers.drives.series import SignalSeries, read_series, write_drive
from triggers.signals.catalog import SignalCatalog

RECORDING = footage.recording()
CATALOG = SignalCatalog.parse(footage.CATALOG, name="catalog")


def test_messages_are_those_that_signals_and_cameras_give_with_some_slack() -> None:
    # Latitude and longitude at 1 Hz, a speed that is sent on change (1000 Hz), a camera (120 Hz), for one second.
    assert allowed_messages(RECORDING, [CATALOG]) == MESSAGES_BASE + int(1.5 * (1 + 1 + 1000 + 120))
    assert allowed_messages(RECORDING, []) == MESSAGES_BASE + int(1.5 * (3 * 1000 + 120))
    request = request_for(RECORDING, [CATALOG], clip_bytes=1000, derived_share=0.5)
    assert request.max_messages == allowed_messages(RECORDING, [CATALOG])


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
