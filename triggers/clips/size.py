"""The model of a clip's size, from samples or from declared rates.

A clip is an MCAP file with zstd-compressed chunks. A sample costs SAMPLE_BYTES (a message of 40 bytes and its
index entry of 16, compressed), a channel CHANNEL_BYTES, the file FILE_BYTES (schemas, manifest, summary). The figures
come from clips of recorded cars at 50 to 2,400 samples per second, whose sizes are within 15 % of the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from triggers.contracts.campaign import CaptureWindow
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

if TYPE_CHECKING:  # footage is made of arrays, and checking a trigger file needs none
    from triggers.clips.footage import Footage

SAMPLE_BYTES = 21
CHANNEL_BYTES = 190
FILE_BYTES = 4096


def nominal_clip_bytes(capture: CaptureWindow, catalog: SignalCatalog) -> int:
    """The size in bytes by the declared rates of the signals; cameras and signals without a rate add nothing."""
    seconds = (capture.before_ns + capture.after_ns) / NS_PER_S
    rates = [catalog.signals[name].rate or 0.0 for name in capture.signals if name in catalog.signals]
    channels = sum(1 for rate in rates if rate)
    return round(FILE_BYTES + channels * CHANNEL_BYTES + sum(rates) * seconds * SAMPLE_BYTES)


def estimated_clip_bytes(footage: Footage) -> int:
    """The size in bytes of the clip of this footage; frames are compressed already and count in full."""
    samples = sum(len(track.times_ns) for track in footage.signals.values())
    frames_bytes = sum(len(frame.data) for frames in footage.cameras.values() for frame in frames)
    return FILE_BYTES + len(footage.signals) * CHANNEL_BYTES + samples * SAMPLE_BYTES + frames_bytes
