"""What every child would have to do first, done once before the first fork: imports and tables of the libraries.

In its jail a child can import nothing: what its work needs is loaded here, or not at all.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np

import ingest.extraction.extract
import ingest.extraction.likeness.child  # noqa: F401 - parsing libraries are loaded, and no clip is read with them here
from ingest.extraction.video import Budget, PreviewFiles, jpeg, write_previews
from triggers.clips.footage import VideoFrame
from triggers.drives.series import SignalSeries, read_series, write_drive
from triggers.likeness.channels import Channel
from triggers.likeness.vector import signals_vector
from triggers.signals.object_columns import ObjectColumn, ObjectSeries
from triggers.signals.objects import ObjectSample
from triggers.times import NS_PER_S


def warm_up() -> None:
    """Write a table of two samples, a preview of two black pictures, and a vector; no byte of any clip is read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = SignalSeries(np.arange(2, dtype=np.int64), np.zeros(2))
        objects = ObjectColumn.of([ObjectSample((1,), ((0.0,),)), ObjectSample((), ())], 1)
        lists = {"none": ObjectSeries(samples.t_ns, objects, ("id", "x"))}
        write_drive(folder / "signals.parquet", {"nothing": samples}, start_ns=0, objects=lists)
        channels = {"nothing": Channel(max_age_ns=None, states=2)}
        signals_vector(read_series(folder / "signals.parquet"), channels, fire_ns=0)
        black = jpeg(av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p"))
        frames = [VideoFrame(second * NS_PER_S, True, black, "jpeg") for second in range(2)]
        files = PreviewFiles(folder / "thumbnail.jpg", folder / "preview.mp4")
        write_previews(files, frames, "none", Budget(10**6, 1), [])
