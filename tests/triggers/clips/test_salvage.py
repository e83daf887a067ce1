"""Files that were cut off or altered on their way: never a crash, and always what precedes the damage."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType

from tests.triggers.clips.test_foreign_writers import MANIFEST, SIGNAL, File, encoded, read, speed
from tests.triggers.clips.test_round_trip import START_NS
from triggers.clips.blocks import MAX_RECORD_BYTES
from triggers.clips.damage import REASONS, Damaged
from triggers.clips.reader import ClipFile

SAMPLES = [(START_NS + i, float(i)) for i in range(300)]


def written(**options: Any) -> bytes:
    file = File(chunk_size=1500, **options)
    file.send(file.channel(SIGNAL), *((t_ns, encoded(value)) for t_ns, value in SAMPLES))
    file.writer.finish()
    return file.bytes.getvalue()


KINDS: dict[str, dict[str, Any]] = {
    "zstd": {},
    "lz4": {"compression": CompressionType.LZ4},
    "none": {"compression": CompressionType.NONE},
    "unchunked": {"use_chunking": False, "enable_data_crcs": True},
}
FILES = {name: written(**options) for name, options in KINDS.items()}


def read_or_damage(folder: Path, data: bytes) -> ClipFile | Damaged:
    """Nothing else may come out of it."""
    try:
        return read(folder, data)
    except Damaged as damage:
        assert damage.reason in REASONS
        return damage


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_at_any_byte_gives_what_precedes_the_cut(
    tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    whole, folder, before = FILES[kind], tmp_path_factory.mktemp(kind), 0
    for cut in [*range(8, len(whole), 41), len(whole) - 1]:
        clip = read(folder, whole[:cut])
        assert [remark.reason for remark in clip.remarks] == ["mcap_truncated"], cut
        assert f"of {cut} bytes, no footer" in clip.remarks[0].message
        found = speed(clip)
        assert found == SAMPLES[: len(found)]
        assert len(found) >= before
        before = len(found)
    assert before == len(SAMPLES)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_in_the_middle_of_its_last_chunk_gives_the_records_that_are_whole(tmp_path: Path, kind: str) -> None:
    whole = FILES[kind]
    assert len(speed(read(tmp_path, whole[: len(whole) // 2]))) >= 100


def test_a_file_without_an_end_keeps_all_its_whole_chunks(tmp_path: Path) -> None:
    file = File(chunk_size=1500)
    file.send(file.channel(), *((t_ns, encoded(value)) for t_ns, value in SAMPLES))
    clip = read(tmp_path, file.bytes.getvalue())
    assert [remark.reason for remark in clip.remarks] == ["mcap_truncated"]
    assert len(speed(clip)) >= 250


@given(
    kind=st.sampled_from(sorted(FILES)),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=4),
    data=st.data(),
)
@settings(max_examples=200, deadline=None)
def test_flipped_bytes_never_crash_the_reader(
    tmp_path_factory: pytest.TempPathFactory, kind: str, flips: list[tuple[int, int]], data: st.DataObject
) -> None:
    altered = bytearray(FILES[kind])
    for at, change in flips:
        altered[at % len(altered)] ^= change
    cut = data.draw(st.integers(0, len(altered)))
    read_or_damage(tmp_path_factory.getbasetemp(), bytes(altered[: cut or None]))


def test_a_broken_chunk_costs_only_itself(tmp_path: Path) -> None:
    altered = bytearray(FILES["none"])
    altered[len(altered) // 2] ^= 0xFF
    clip = read(tmp_path, bytes(altered))
    (remark,) = clip.remarks
    assert remark.reason == "mcap_crc_mismatch"
    found = speed(clip)
    assert 200 <= len(found) < 300
    assert (found[0], found[-1]) == (SAMPLES[0], SAMPLES[-1])


def test_a_broken_checksum_of_a_file_without_chunks_is_told(tmp_path: Path) -> None:
    altered = bytearray(FILES["unchunked"])
    altered[altered.index(encoded(7.0))] ^= 0  # the file is sound until here
    at = altered.index(encoded(7.0)) + 8
    altered[at] ^= 0x01
    assert [remark.reason for remark in read(tmp_path, bytes(altered)).remarks] == ["mcap_crc_mismatch"]


def test_bytes_behind_the_end_are_told_and_cost_nothing(tmp_path: Path) -> None:
    clip = read(tmp_path, FILES["zstd"] + bytes(100))
    assert [remark.reason for remark in clip.remarks] == ["mcap_trailing_bytes"]
    assert speed(clip) == SAMPLES


def chunk(unpacked_bytes: int, packed: bytes, compression: bytes = b"zstd") -> bytes:
    body = struct.pack("<QQQI", 0, 1, unpacked_bytes, 0) + struct.pack("<I", len(compression)) + compression
    body += struct.pack("<Q", len(packed)) + packed
    return b"\x06" + struct.pack("<Q", len(body)) + body


def with_chunk(added: bytes) -> bytes:
    """The added record comes after the header, before everything else."""
    whole = FILES["zstd"]
    at = 8 + 9 + struct.unpack("<Q", whole[9:17])[0]
    return whole[:at] + added + whole[at:]


ZEROS = zstandard.ZstdCompressor().compress(bytes(10**7))


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        (chunk(10**7 - 1, ZEROS), "mcap_chunk_unreadable"),
        (chunk(10**7 + 1, ZEROS), "mcap_chunk_unreadable"),
        (chunk(100, b"", b"brotli"), "mcap_chunk_unreadable"),
        (chunk(10, b"not zstd"), "mcap_chunk_unreadable"),
        (chunk(10, b"not lz4", b"lz4"), "mcap_chunk_unreadable"),
        (b"\x06" + struct.pack("<Q", 3) + b"abc", "mcap_chunk_unreadable"),
        (b"\x05" + struct.pack("<Q", 3) + b"abc", "messages_unreadable"),
        (chunk(90, zstandard.ZstdCompressor().compress(bytes(90))), "messages_unreadable"),
        (b"\x04" + struct.pack("<Q", 3) + b"abc", "messages_unreadable"),
    ],
)
def test_a_record_that_lies_costs_only_itself(tmp_path: Path, added: bytes, reason: str) -> None:
    clip = read(tmp_path, with_chunk(added))
    assert [remark.reason for remark in clip.remarks] == [reason]
    assert speed(clip) == SAMPLES


@pytest.mark.parametrize("size", [MAX_RECORD_BYTES + 1, 2**40, 2**63, 2**64 - 1])
def test_a_chunk_that_declares_too_much_is_not_unpacked(tmp_path: Path, size: int) -> None:
    clip = read(tmp_path, with_chunk(chunk(size, ZEROS)))
    assert [remark.reason for remark in clip.remarks] == ["mcap_too_large"]


MESSAGE = b"\x05" + struct.pack("<QHIQQ", 22, 1, 0, START_NS, START_NS)
"""A message of no bytes, of the channel that the file declares."""


@pytest.mark.parametrize("record", [bytes(9), MESSAGE, b"\x03" + struct.pack("<Q", 10**6) + bytes(10**6)])
def test_what_a_small_file_unpacks_to_is_bounded(tmp_path: Path, record: bytes) -> None:
    content = record * (10**7 // len(record))
    bomb = chunk(len(content), zstandard.ZstdCompressor().compress(content)) * 30
    clip = read(tmp_path, with_chunk(bomb))
    assert "mcap_too_large" in [remark.reason for remark in clip.remarks]
    assert len(speed(clip)) <= 1, "of samples at one time the last one counts"


@pytest.mark.parametrize("length", [2**62, 2**64 - 1])
def test_a_record_longer_than_the_file_is_where_it_ends(tmp_path: Path, length: int) -> None:
    clip = read(tmp_path, with_chunk(b"\x05" + struct.pack("<Q", length)))
    assert [remark.reason for remark in clip.remarks] == ["mcap_truncated"]


def test_a_sound_file_that_is_of_another_recording_gives_nothing(tmp_path: Path) -> None:
    other = MANIFEST.model_copy(update={"recording_id": "other"})
    with pytest.raises(Damaged) as damage:
        read(tmp_path, FILES["zstd"], other)
    assert damage.value.reason == "manifest_mismatch"


def test_only_a_damaged_file_may_lack_its_manifest(tmp_path: Path) -> None:
    file = io.BytesIO(FILES["zstd"].replace(b"longtail.recording", b"longtail.recordinX"))
    with pytest.raises(Damaged) as damage:
        read(tmp_path, file.getvalue())
    assert damage.value.reason == "manifest_missing"
