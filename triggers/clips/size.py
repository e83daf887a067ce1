"""The model of a clip's size, from samples or from declared rates.

A clip is an MCAP file with zstd-compressed chunks. A sample costs SAMPLE_BYTES (a message of 40 bytes and its
index entry of 16, compressed), a channel CHANNEL_BYTES, the file FILE_BYTES (schemas, manifest, summary). The figures
come from clips of recorded cars at 50 to 2,400 samples per second, whose sizes are within 15 % of the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from triggers.contracts.campaign import CaptureWindow
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

if TYPE_CHECKING:  # footage is made of arrays, and checking a trigger file needs none
    from triggers.clips.footage import Footage

SAMPLE_BYTES = 21
CHANNEL_BYTES = 190
FILE_BYTES = 4096


def nominal_clip_bytes(
    capture: CaptureWindow, catalog: SignalCatalog, camera_bytes_per_s: Mapping[str, float] | None = None
) -> int:
    """The size in bytes by the declared rates of the signals and the bit rates of the cameras.

    A signal that is sent on change counts with the one value that it has at the clip's start. `camera_bytes_per_s` are
    measured data rates, which go before the catalog's. Cameras and signals without any rate add nothing.
    """
    seconds = (capture.before_ns + capture.after_ns) / NS_PER_S
    signals = [catalog.signals[name] for name in capture.signals if name in catalog.signals]
    rates = [signal.rate or 0.0 for signal in signals]
    held = sum(1 for signal in signals if signal.update == "on_change")
    channels = sum(1 for signal in signals if signal.rate or signal.update == "on_change")
    declared = {name: camera.bit_rate or 0 for name, camera in catalog.cameras.items()}
    cameras = declared | dict(camera_bytes_per_s or {})
    video = sum(cameras.get(name, 0.0) for name in capture.cameras)
    samples = held + sum(rates) * seconds
    return round(FILE_BYTES + channels * CHANNEL_BYTES + samples * SAMPLE_BYTES + video * seconds)


def estimated_clip_bytes(footage: Footage) -> int:
    """The size in bytes of the clip of this footage; frames are compressed already and count in full."""
    samples = sum(len(track.times_ns) for track in footage.signals.values())
    frames_bytes = sum(len(frame.data) for frames in footage.cameras.values() for frame in frames)
    return FILE_BYTES + len(footage.signals) * CHANNEL_BYTES + samples * SAMPLE_BYTES + frames_bytes
