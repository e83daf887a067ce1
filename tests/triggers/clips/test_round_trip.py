"""The clip format: what the writer writes the reader gives back, bit for bit, and what others wrote is put in order."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.writer import Writer

from triggers.clips.codecs import is_keyframe
from triggers.clips.damage import Damaged
from triggers.clips.footage import Footage, Samples, VideoFrame
from triggers.clips.messages import schemas
from triggers.clips.reader import ClipFile, read_clip
from triggers.clips.writer import MANIFEST_KEY, MANIFEST_RECORD, uncharged, write_clip
from triggers.contracts.clip import Fire, RecordingManifest
from triggers.times import NS_PER_S

START_NS = 1_800_000_000 * NS_PER_S
SPAN_NS = 60 * NS_PER_S
TIMES = st.integers(START_NS, START_NS + SPAN_NS)
VALUES = st.floats(allow_nan=False)
ACCESS_UNITS = st.tuples(st.booleans(), st.binary(max_size=40)).map(
    lambda unit: (b"\x00\x00\x00\x01\x65" if unit[0] else b"\x00\x00\x00\x01\x41") + unit[1].replace(b"\x00", b"\x11")
)


@st.composite
def signals(draw: st.DrawFn) -> Samples:
    times = sorted(draw(st.sets(TIMES, max_size=30)))
    return Samples.of((t_ns, draw(VALUES)) for t_ns in times)


@st.composite
def frames(draw: st.DrawFn) -> tuple[VideoFrame, ...]:
    times = sorted(draw(st.sets(TIMES, max_size=10)))
    units = [draw(ACCESS_UNITS) for _ in times]
    return tuple(VideoFrame(t, is_keyframe(unit), unit) for t, unit in zip(times, units, strict=True))


FOOTAGE = st.builds(
    Footage,
    start_ns=st.just(START_NS),
    end_ns=st.just(START_NS + SPAN_NS),
    signals=st.dictionaries(st.sampled_from(["speed", "ego.accel", "lead.distance"]), signals()),
    cameras=st.dictionaries(st.sampled_from(["front", "rear"]), frames()),
)


def manifest_of(content: Footage, *, charged_bytes: int = 0) -> RecordingManifest:
    fire = Fire(
        campaign="braking",
        version=1,
        program_digest="ab" * 32,
        trigger="hard",
        ordinal=1,
        t_ns=START_NS,
        window_start_ns=START_NS,
        window_end_ns=START_NS + SPAN_NS,
        inclusion_probability=0.25,
        charged_bytes=charged_bytes,
    )
    return RecordingManifest(
        vehicle_id="car-1",
        recording_id="r1",
        start_ns=content.start_ns,
        end_ns=content.end_ns,
        fires=(fire,),
        signals=tuple(sorted(content.signals)),
        cameras=tuple(sorted(content.cameras)),
    )


def bits(footage: Footage) -> dict[str, list[bytes]]:
    """Values as their bits, since 0 == -0."""
    return {name: [struct.pack("<d", value) for value in samples.values] for name, samples in footage.signals.items()}


@given(FOOTAGE)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, content: Footage) -> None:
    path = tmp_path_factory.mktemp("clip") / "clip.mcap"
    manifest = manifest_of(content, charged_bytes=700)
    write_clip(path, manifest, content)
    assert read_clip(path) == read_clip(path, announced=manifest) == ClipFile(uncharged(manifest), content)
    assert bits(read_clip(path).footage) == bits(content)


def foreign_clip(path: Path, messages: list[tuple[int, float]]) -> RecordingManifest:
    """A clip whose writer did not sort the samples of its signal `speed`."""
    manifest = manifest_of(Footage(START_NS, START_NS + SPAN_NS, {"speed": Samples.of([])}, {}))
    file = io.BytesIO()
    writer = Writer(file)
    writer.start()
    writer.add_metadata(MANIFEST_RECORD, {MANIFEST_KEY: manifest.canonical_json().decode()})
    schema = writer.register_schema(schemas.SAMPLE_SCHEMA, schemas.ENCODING, schemas.sample_descriptor())
    channel = writer.register_channel("/signals/speed", schemas.ENCODING, schema)
    for t_ns, value in messages:
        writer.add_message(channel, t_ns, schemas.encode_sample(value), t_ns)
    writer.finish()
    path.write_bytes(file.getvalue())
    return manifest


def test_samples_out_of_order_are_sorted_and_of_equal_times_the_last_counts(tmp_path: Path) -> None:
    foreign_clip(tmp_path / "c.mcap", [(START_NS + 2, 2.0), (START_NS, 0.0), (START_NS + 2, 3.0), (START_NS + 1, 1.0)])
    speed = read_clip(tmp_path / "c.mcap").footage.signals["speed"]
    assert speed == Samples.of([(START_NS, 0.0), (START_NS + 1, 1.0), (START_NS + 2, 3.0)])


def test_a_channel_that_the_announcement_does_not_list_is_damage(tmp_path: Path) -> None:
    manifest = foreign_clip(tmp_path / "c.mcap", [(START_NS, 0.0)])
    clip = read_clip(tmp_path / "c.mcap", announced=manifest.model_copy(update={"signals": ()}))
    assert not clip.footage.signals
    with pytest.raises(Damaged, match="/signals/speed") as damage:
        clip.require_sound()
    assert damage.value.reason == "channel_unlisted"


def test_a_file_that_is_not_there_is_the_systems_error_and_not_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_clip(tmp_path / "c.mcap")


def test_a_file_shorter_than_a_footer_is_damage(tmp_path: Path) -> None:
    (tmp_path / "c.mcap").write_bytes(b"\x89MCAP0\r\n")
    with pytest.raises(Damaged):
        read_clip(tmp_path / "c.mcap")
