"""Clips as a vehicle writes them, with real H.264 in them, for the extraction's tests."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.support.fleet import T_NS, clip_manifest
from triggers.clips.codecs import is_keyframe
from triggers.clips.footage import Footage, Samples, VideoFrame
from triggers.clips.writer import write_mcap
from triggers.contracts.clip import ClipManifest, RecordingManifest

FRAME_NS = 40_000_000
SIGNALS = ("ego.latitude", "ego.longitude", "speed")
CATALOG = """
signals:
  speed: {unit: m/s, update: on_change}
  ego.latitude: {unit: deg, rate: 1}
  ego.longitude: {unit: deg, rate: 1}
position: {latitude: ego.latitude, longitude: ego.longitude}
"""


def h264_frames(
    count: int, *, width: int = 640, height: int = 480, noise: int = 0, bits_per_s: int = 0
) -> tuple[VideoFrame, ...]:
    """Access units in Annex B form: an ever lighter grey with noise on it, a keyframe every ten frames, no B-frames."""
    generator = np.random.default_rng(7)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    if bits_per_s:
        encoder.bit_rate = bits_per_s
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=10:repeat-headers=1"}
    packets = []
    for number in range(count):
        pixels = np.full((height, width, 3), number * 10 % 256, dtype=np.uint8)
        if noise:
            pixels = pixels + generator.integers(0, noise, pixels.shape, dtype=np.uint8)
        picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        picture.pts = number
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    data = [bytes(packet) for packet in packets]
    return tuple(VideoFrame(T_NS + i * FRAME_NS, is_keyframe(unit), unit) for i, unit in enumerate(data))


def recording(cameras: tuple[str, ...] = ("front",)) -> RecordingManifest:
    """The manifest of a recording of one second."""
    return clip_manifest(b"x").recording.model_copy(update={"signals": SIGNALS, "cameras": cameras})


def footage(cameras: tuple[str, ...] = ("front",)) -> Footage:
    """Ten samples of a speed, a straight drive north of two samples, and video of every camera."""
    tenth_ns = 100_000_000
    signals = {
        "speed": Samples.of((T_NS + i * tenth_ns, float(i)) for i in range(10)),
        "ego.latitude": Samples.of([(T_NS, 48.0), (T_NS + 9 * tenth_ns, 48.001)]),
        "ego.longitude": Samples.of([(T_NS, 11.0), (T_NS + 9 * tenth_ns, 11.0)]),
    }
    return Footage(T_NS, T_NS + 10**9, signals, {camera: h264_frames(25) for camera in cameras})


def clip_bytes(manifest: RecordingManifest, content: Footage) -> bytes:
    """The MCAP file."""
    file = io.BytesIO()
    write_mcap(file, manifest, content)
    return file.getvalue()


def announced(manifest: RecordingManifest, data: bytes) -> ClipManifest:
    """What the vehicle tells the gateway of the file."""
    hashes = clip_manifest(data)
    (fire,) = manifest.fires
    charged = manifest.model_copy(update={"fires": (fire.model_copy(update={"charged_bytes": len(data)}),)})
    return hashes.model_copy(update={"recording": charged})


def write(folder: Path, manifest: RecordingManifest, content: Footage) -> Path:
    """The file as the child finds it."""
    path = folder / "clip.mcap"
    path.write_bytes(clip_bytes(manifest, content))
    return path
