"""The model of a clip's size, from samples or from declared rates.

A clip is an MCAP file with zstd-compressed chunks. A sample costs SAMPLE_BYTES (a message of 40 bytes and its
index entry of 16, compressed), a channel CHANNEL_BYTES, the file FILE_BYTES (schemas, manifest, summary). The figures
come from clips of recorded cars at 50 to 2,400 samples per second, whose sizes are within 15 % of the model.

A sample of a list of objects costs as much, and KEY_BYTES and a VALUE_BYTES per field for each object. Doubles full of
noise take up to 7 bytes, those that were floats of 32 bits about 4, and rounded ones 2 or 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from triggers.contracts.campaign import CaptureWindow
from triggers.signals.catalog import SignalCatalog
from triggers.times import NS_PER_S

Count = TypeVar("Count", int, "NDArray[np.int64]")
"""A number, or an array of numbers."""

if TYPE_CHECKING:  # footage is made of arrays, and checking a trigger file needs none
    import numpy as np
    from numpy.typing import NDArray

    from triggers.clips.footage import Footage
    from triggers.clips.messages.objects import ObjectSamples

SAMPLE_BYTES = 21
KEY_BYTES = 1
"""Keys seldom change from one sample to the next."""
VALUE_BYTES = 5
CHANNEL_BYTES = 190
FILE_BYTES = 4096


def nominal_clip_bytes(
    capture: CaptureWindow, catalog: SignalCatalog, camera_bytes_per_s: Mapping[str, float] | None = None
) -> int:
    """The size in bytes by the declared rates of the signals and the bit rates of the cameras.

    A signal that is sent on change counts with the one value that it has at the clip's start, and a list with as many
    objects as it may have. `camera_bytes_per_s` are measured data rates, which go before the catalog's. Cameras,
    signals and lists without any rate add nothing.
    """
    seconds = (capture.before_ns + capture.after_ns) / NS_PER_S
    signals = [catalog.signals[name] for name in capture.signals if name in catalog.signals]
    rates = [signal.rate or 0.0 for signal in signals]
    held = sum(1 for signal in signals if signal.update == "on_change")
    channels = sum(1 for signal in signals if signal.rate or signal.update == "on_change")
    lists = [catalog.objects[name] for name in capture.signals if name in catalog.objects]
    channels += sum(1 for each in lists if each.rate)
    weights = [(each.rate or 0.0) * list_weight(each.max, len(each.value_fields)) for each in lists]
    declared = {name: camera.bit_rate or 0 for name, camera in catalog.cameras.items()}
    cameras = declared | dict(camera_bytes_per_s or {})
    video = sum(cameras.get(name, 0.0) for name in capture.cameras)
    samples = held + (sum(rates) + sum(weights)) * seconds
    return round(FILE_BYTES + channels * CHANNEL_BYTES + samples * SAMPLE_BYTES + video * seconds)


def estimated_clip_bytes(footage: Footage) -> int:
    """The size in bytes of the clip of this footage; frames are compressed already and count in full."""
    samples = sum(len(track.times_ns) for track in footage.signals.values())
    samples += sum(_weight(track) for track in footage.objects.values())
    frames_bytes = sum(len(frame.data) for frames in footage.cameras.values() for frame in frames)
    return FILE_BYTES + len(footage.names) * CHANNEL_BYTES + samples * SAMPLE_BYTES + frames_bytes


def list_weight(objects: Count, fields: int) -> Count:
    """As much as how many samples of a signal one of a list costs, with so many objects of so many value fields."""
    return 1 + (objects * (KEY_BYTES + VALUE_BYTES * fields) + SAMPLE_BYTES // 2) // SAMPLE_BYTES


def _weight(track: ObjectSamples) -> int:
    return sum(list_weight(count, len(track.names) - 1) for count in track.object_counts)
