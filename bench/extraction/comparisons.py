"""Extraction: clips of 10 s with 60,000 samples and one camera of 960 x 540, against bare decoding of the same content.

The limit decodes every picture of the camera and writes the same samples as Parquet, in one process without any
boundary: what has to be done at least. The other references are this product's own extraction without the jail, which
tells what the jail costs, and with a new interpreter for each clip, which is what isolation costs without the server.
"""

from __future__ import annotations

import random
import shutil
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import pyarrow.parquet as pq

from bench.engines import Engines
from bench.measure import Comparison, Contender, Role, compare
from ingest.extraction.outputs import ExtractionRequest
from ingest.extraction.requests import DERIVED_BASE_BYTES
from ingest.extraction.sandbox.isolation import extraction_user
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.sandbox import Sandbox
from ingest.extraction.sandbox.starter import MODULE
from storage.settings import Settings
from tests.ingest.extraction import footage
from tests.support.fleet import T_NS
from triggers.clips.footage import Footage, Samples, VideoFrame
from triggers.clips.reader import read_clip
from triggers.clips.writer import write_mcap
from triggers.contracts.api.clips import RECORDING_ASSET
from triggers.contracts.clip import RecordingManifest
from triggers.drives.series import SignalSeries, write_drive

SIGNALS = tuple(f"can.signal_{number:02}" for number in range(60))
SAMPLES_EACH = 1000
SPAN_NS = 10_000_000_000
FRAMES = 200
LIMITS = ChildLimits(memory_bytes=2 * 1024**3, timeout_s=60)
UNJAILED = ("-m", "bench.extraction.unjailed_server")


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """One worker, one clip after the other."""
    clips, rounds = (2, 1) if quick else (8, 5)
    with engines.scratch("extraction") as folder:
        yield _compare(Path(folder), clips=clips, rounds=rounds)


def _compare(folder: Path, *, clips: int, rounds: int) -> Comparison:
    manifest = _manifest()
    source = folder / "clip.mcap"
    with source.open("wb") as file:
        write_mcap(file, manifest, _footage(manifest))
    own = OwnExtraction("longtail", folder, source, manifest, clips, forked=True)
    free = OwnExtraction("without the jail", folder, source, manifest, clips, forked=True, program=UNJAILED)
    cold = OwnExtraction("a new interpreter for each clip", folder, source, manifest, clips, forked=False)
    peers = [free.contender(Role.PEER), cold.contender(Role.PEER)]
    contenders = [own.contender(Role.OWN), *peers, _limit(folder, source, manifest, clips)]
    size_mb = source.stat().st_size / 1e6
    name = f"extraction: {clips} clips of {size_mb:.1f} MB, one worker"
    found = compare(name, contenders, amount=clips, unit="clip", rounds=rounds)
    found.extra.update(own.figures(), **free.figures(), **cold.figures())
    found.extra["the jail: CPU ms per clip"] = 1000 * (own.child_cpu_s() - free.child_cpu_s())
    found.extra["the jail: ms per clip"] = 1000 * (found.timings[0].median_s - found.timings[1].median_s) / clips
    found.extra["limit: CPU s per clip"] = found.timings[3].median_cpu_s / clips
    found.extra["derived bytes, share of the clip"] = own.derived_bytes() / source.stat().st_size
    return found


class OwnExtraction:
    """The product's extraction of the same clip several times, in folders of their own."""

    def __init__(
        self,
        name: str,
        folder: Path,
        source: Path,
        manifest: RecordingManifest,
        clips: int,
        *,
        forked: bool,
        program: Sequence[str] = MODULE,
    ) -> None:
        self._name = name
        self._folder = folder / name.replace(" ", "-")
        self._source = source
        self._clips = clips
        self._forked = forked
        limit_bytes = DERIVED_BASE_BYTES + source.stat().st_size // 2
        self._request = ExtractionRequest(recording=manifest, latitude=None, longitude=None, derived_bytes=limit_bytes)
        user = extraction_user(Settings()) if program is MODULE else None
        self._sandbox = Sandbox(self._folder, user=user, program=program)
        self._child_cpu_s: list[float] = []

    def contender(self, role: Role) -> Contender:
        """This extraction as a contender; with the fork server, its start is not timed, as it happens once."""
        return Contender(
            name=self._name,
            role=role,
            prepare=self._prepare,
            run=self._run,
            result=lambda: parquet_digest(self._work(0) / "signals.parquet"),
            clean_up=lambda _: self._sandbox.close(),
        )

    def figures(self) -> dict[str, float]:
        """CPU seconds of a clip's child, without those of the interpreter's start."""
        return {f"{self._name}: CPU s of the child per clip": self.child_cpu_s()}

    def child_cpu_s(self) -> float:
        """CPU seconds of a clip's child."""
        return statistics.median(self._child_cpu_s)

    def derived_bytes(self) -> int:
        """What a clip's derived files have."""
        return sum(
            (self._work(0) / name).stat().st_size for name in ("signals.parquet", "thumbnail.jpg", "preview.mp4")
        )

    def _work(self, number: int) -> Path:
        return self._folder / str(number)

    def _prepare(self, _: int) -> None:
        self._sandbox.close()  # it may only write beneath the folder that was there when it started
        shutil.rmtree(self._folder, ignore_errors=True)
        for number in range(self._clips):
            self._work(number).mkdir(parents=True)
            shutil.copy(self._source, self._work(number) / RECORDING_ASSET)
        if self._forked:
            self._extract(0)

    def _run(self, _: int) -> None:
        for number in range(self._clips):
            self._extract(number)
            if not self._forked:
                self._sandbox.close()

    def _extract(self, number: int) -> None:
        result = self._sandbox.run(self._work(number), self._request, LIMITS, go_on=lambda: True)
        if result.remarks or self._sandbox.used is None:
            raise RuntimeError(f"the clip is not sound: {result.remarks}")
        self._child_cpu_s.append(self._sandbox.used.cpu_s)


def _limit(folder: Path, source: Path, manifest: RecordingManifest, clips: int) -> Contender:
    """Decoding every picture and writing the Parquet, with the samples and frames at hand."""
    content = read_clip(source, manifest).footage
    signals = {name: SignalSeries(*samples.as_arrays()) for name, samples in content.signals.items()}
    target = folder / "limit.parquet"

    def work(_: int) -> None:
        for _clip in range(clips):
            decode(content.cameras["front"])
            write_drive(target, signals, start_ns=manifest.start_ns)

    return Contender(name="bare decoding and Parquet", role=Role.LIMIT, run=work, result=lambda: parquet_digest(target))


def decode(frames: Sequence[VideoFrame]) -> int:
    """How many pictures FFmpeg gives, in one thread."""
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    return sum(len(decoder.decode(av.Packet(frame.data))) for frame in frames) + len(decoder.decode(None))


def parquet_digest(path: Path) -> str:
    """Rows and sums of a table, to be equal for equal content."""
    table = pq.read_table(path)
    sums = [float(table[name].to_numpy().sum()) for name in table.column_names[:3]]
    return f"{table.num_rows} rows, {table.num_columns} columns, {sums}"


def _manifest() -> RecordingManifest:
    changes = {"signals": SIGNALS, "cameras": ("front",), "end_ns": T_NS + SPAN_NS}
    return footage.recording().model_copy(update=changes)


def _footage(manifest: RecordingManifest) -> Footage:
    noise = random.Random(1)
    period_ns = SPAN_NS // SAMPLES_EACH
    signals = {
        name: Samples.of((T_NS + i * period_ns + offset, noise.gauss(0, 1)) for i in range(SAMPLES_EACH))
        for offset, name in enumerate(SIGNALS)
    }
    frames = footage.h264_frames(FRAMES, width=960, height=540, noise=40, bits_per_s=2_000_000)
    spread = tuple(frame._replace(t_ns=T_NS + i * SPAN_NS // FRAMES) for i, frame in enumerate(frames))
    return Footage(manifest.start_ns, manifest.end_ns, signals, {"front": spread})
