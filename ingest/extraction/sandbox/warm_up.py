"""What every child would have to do first, done once before the first fork: imports and tables of the libraries."""

from __future__ import annotations

import tempfile
from pathlib import Path

import av
import numpy as np

from ingest.extraction.video import Budget, PreviewFiles, jpeg, write_previews
from triggers.clips.footage import VideoFrame
from triggers.drives.series import SignalSeries, write_drive
from triggers.times import NS_PER_S


def warm_up() -> None:
    """Write a table of two samples, and a preview of two black pictures; no byte of any clip is read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = SignalSeries(np.arange(2, dtype=np.int64), np.zeros(2))
        write_drive(folder / "signals.parquet", {"nothing": samples}, start_ns=0)
        black = jpeg(av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p"))
        frames = [VideoFrame(second * NS_PER_S, True, black, "jpeg") for second in range(2)]
        files = PreviewFiles(folder / "thumbnail.jpg", folder / "preview.mp4")
        write_previews(files, frames, "none", Budget(10**6, 1), [])
