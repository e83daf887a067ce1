"""Scans: a condition over ten-second clips in a directory store, against pyarrow that decodes the needed columns alone.

The scan is the product's own: objects fetched by key, handed to processes in a jail, decoded, evaluated tick by tick,
and answered clip by clip; only the pages of the catalog are left out, which cost milliseconds. The limits read the same
files in as many processes, convert the columns that the condition needs to numpy arrays, and do nothing with them: once
with the fewest calls of pyarrow that it takes, once by `pyarrow.parquet.read_table`. What the scan found is first
compared with the reference interpreter on some of the clips.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.engines import Engines
from bench.measure import Comparison, Contender, ResultsDiffer, Role, compare
from fleet_api.scans.reader import Reader
from fleet_api.scans.run import PAGE
from fleet_api.scans.tasks import GROUP, Answer, Limits, Task
from storage.objects import open_store
from storage.settings import Settings
from triggers.drives.series import SignalSeries, read_series, write_drive
from triggers.language.compile import compile_condition
from triggers.language.reference.interpreter import Interpreter
from triggers.language.rows import Row
from triggers.processes.jail.isolation import Isolation
from triggers.scan.condition import compile_for_scan
from triggers.scan.evaluate import Evaluator, scan_clips
from triggers.signals.catalog import SignalCatalog

CONDITION = "rate(ego.speed over 1.5 s) < -3 m/s^2 then lead.distance < 5 m within 2 s"
NEEDED = ["t", "ego.speed", "lead.distance"]
RATES_HZ = {
    "ego.speed": 50, "ego.accel": 50, "ego.yaw_rate": 50, "ego.steering": 50, "lead.distance": 20, "lead.speed": 20,
    "active.cut_in.prob": 20, "shadow.cut_in.prob": 20, "ego.latitude": 10, "ego.longitude": 10,
}  # fmt: skip
UNITS = {"ego.speed": "m/s", "lead.distance": "m"}
CATALOG = SignalCatalog.parse(
    "signals:\n"
    + "".join(f"  {name}: {{unit: {UNITS.get(name, 's')}, rate: {hz}}}\n" for name, hz in RATES_HZ.items()),
    name="bench",
)
SECONDS = 10
PROCESSES = 2
DIFFERENT = 1000
CHECKED = 20
START_NS = 1_796_472_000_012_345_678
LIMITS = Limits(seconds=3600, isolation=Isolation.BEST_EFFORT)


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """One scan over all clips per round."""
    clips, rounds = (400, 1) if quick else (10_000, 5)
    yield _one_process(clips=min(clips, DIFFERENT), rounds=rounds)
    with engines.scratch("scans") as folder:
        yield _compare(Path(folder), clips=clips, rounds=rounds)


def _one_process(*, clips: int, rounds: int) -> Comparison:
    """Evaluation alone, of files in memory; "CPU here" tells the two apart on a machine that has other work, too."""
    files = [_clip(number) for number in range(clips)]
    evaluators = [Evaluator(compile_for_scan(CONDITION, CATALOG)[0])]
    found: list[list[int]] = []

    def evaluate(_round: int) -> None:
        found.clear()
        for first in range(0, clips, GROUP):
            scanned = scan_clips([(data, evaluators) for data in files[first : first + GROUP]])
            found.extend(list(each.t_ns) for each in scanned)

    def decode(_round: int) -> None:
        for data in files:
            _decoded(pq.ParquetFile(pa.BufferReader(data), pre_buffer=False).read(columns=NEEDED, use_threads=False))

    def result() -> str:
        _require_reference(files, found)
        return hashlib.sha256(repr(found).encode()).hexdigest()

    own = Contender(name="longtail evaluates", role=Role.OWN, run=evaluate, result=result)
    limit = Contender(name="pyarrow decodes", role=Role.LIMIT, run=decode)
    compared = compare(
        f"scan: {clips:,} clips in memory, one process", [own, limit], amount=clips, unit="clip", rounds=rounds
    )
    ours, theirs = compared.timings
    ratios = [decoding / evaluating for evaluating, decoding in zip(ours.cpu_s, theirs.cpu_s, strict=True)]
    compared.extra["by CPU time, x pyarrow decodes"] = statistics.median(ratios)
    return compared


def _compare(folder: Path, *, clips: int, rounds: int) -> Comparison:
    files = [_clip(number) for number in range(min(clips, DIFFERENT))]
    settings = Settings(data_dir=folder)
    store = open_store(settings)
    keys = [f"extracted/{number}/signals.parquet" for number in range(clips)]
    for number, key in enumerate(keys):
        store.put(key, files[number % len(files)])
    plain = folder / "plain"
    plain.mkdir()
    paths = [plain / f"{number}.parquet" for number in range(clips)]
    for number, path in enumerate(paths):
        path.write_bytes(files[number % len(files)])
    scan = OwnScan(settings, keys)
    decoding, reading = Decoding("pyarrow decodes", decode_all, paths), Decoding("pq.read_table", read_all, paths)
    found = compare(
        f"scan: {clips:,} clips of {SECONDS} s with {len(RATES_HZ)} signals, {PROCESSES} processes",
        [scan.contender(files), decoding.contender(), reading.contender()],
        amount=clips,
        unit="clip",
        rounds=rounds,
        notes=[f"the condition: {CONDITION}", "ratio to the limit: 0.80 is 80 % of the speed of decoding alone"],
    )
    found.extra["kB of signals per clip"] = sum(map(len, files)) / len(files) / 1000
    found.extra["clips in which it happened"] = sum(answer.count > 0 for answer in scan.answers)
    for contender in (scan, decoding, reading):
        contender.close()
    return found


class OwnScan:
    """The product's scan of all keys, page by page."""

    def __init__(self, settings: Settings, keys: Sequence[str]) -> None:
        self._tasks = [Task(key, (0,)) for key in keys]
        self._reader = Reader(settings, processes=PROCESSES, limits=LIMITS)
        self._reader.use([compile_for_scan(CONDITION, CATALOG)[0]])
        self.answers: list[Answer] = []

    def contender(self, files: Sequence[bytes]) -> Contender:
        """Its processes start in the warm-up round."""
        return Contender(
            name="longtail scan", role=Role.OWN, run=lambda _: self._run(), result=lambda: self._checked(files)
        )

    def close(self) -> None:
        """End its processes."""
        self._reader.__exit__(None, None, None)

    def _run(self) -> None:
        self.answers = []
        for first in range(0, len(self._tasks), PAGE):
            self.answers += self._reader.evaluate(self._tasks[first : first + PAGE], lambda: None)

    def _checked(self, files: Sequence[bytes]) -> str:
        """A digest of what was found; ResultsDiffer unless the reference interpreter finds the same in some clips."""
        _require_reference(files, [list(answer.t_ns) for answer in self.answers])
        return hashlib.sha256(repr([answer.t_ns for answer in self.answers]).encode()).hexdigest()


class Decoding:
    """pyarrow alone, in processes that stay: each decodes the needed columns of its share of the files."""

    def __init__(self, name: str, decode: Callable[[Sequence[str]], int], paths: Sequence[Path]) -> None:
        self._name, self._decode = name, decode
        self._shares = [[str(path) for path in paths[first::PROCESSES]] for first in range(PROCESSES)]
        self._pool = ProcessPoolExecutor(PROCESSES, mp_context=get_context("forkserver"))

    def contender(self) -> Contender:
        """Its processes start in the warm-up round, too."""
        return Contender(name=self._name, role=Role.LIMIT, run=lambda _: self._run())

    def close(self) -> None:
        """End its processes."""
        self._pool.shutdown()

    def _run(self) -> None:
        if sum(self._pool.map(self._decode, self._shares)) == 0:
            raise ResultsDiffer("nothing was decoded")


def decode_all(paths: Sequence[str]) -> int:
    """Decode the needed columns of these files; how many values there were."""
    values = 0
    for path in paths:
        with Path(path).open("rb") as file:
            data = file.read()
        table = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False).read(columns=NEEDED, use_threads=False)
        values += _decoded(table)
    return values


def read_all(paths: Sequence[str]) -> int:
    """The same by the one call that pyarrow has for it, which takes longer for small files."""
    values = 0
    for path in paths:
        table = pq.read_table(path, columns=NEEDED, use_threads=False)
        values += _decoded(table)
    return values


def _clip(number: int) -> bytes:
    """Ten seconds of driving with a leader; in about one clip of ten the car brakes hard and comes close."""
    generator = np.random.default_rng(number)
    series = {}
    start_ns = START_NS + number * 3600 * 1_000_000_000
    brakes = number % 10 == 3
    for index, (name, hz) in enumerate(RATES_HZ.items()):
        t_s = np.arange(SECONDS * hz) / hz
        values = np.cumsum(generator.normal(0, 0.05, len(t_s)))
        if name == "ego.speed":
            values += 25 - (np.clip(t_s - 4, 0, 3) * 6 if brakes else 0)
        if name == "lead.distance":
            values += 30 - (np.clip(t_s - 4, 0, 3) * 9 if brakes else 0)
        times = start_ns + (t_s * 1e9).astype(np.int64) + index * 137_000
        series[name] = SignalSeries(times, values)
    with TemporaryDirectory() as folder:
        path = Path(folder, "signals.parquet")
        write_drive(path, series, start_ns=start_ns)
        return path.read_bytes()


def _decoded(table: pa.Table) -> int:
    """The columns as arrays; how many values they have."""
    return sum(len(table.column(name).to_numpy()) for name in NEEDED)


def _require_reference(files: Sequence[bytes], found: Sequence[list[int]]) -> None:
    """ResultsDiffer unless the reference interpreter finds the same in the first clips."""
    for number in range(min(CHECKED, len(files))):
        if found[number] != (expected := _reference(files[number])):
            raise ResultsDiffer(f"clip {number}: found {found[number]}, the reference {expected}")


def _reference(data: bytes) -> list[int]:
    """The instants that the reference interpreter finds, row by row."""
    compilation = compile_condition(CONDITION, filename="bench", catalog=CATALOG)
    if compilation.triggers is None:
        raise AssertionError("the condition has a mistake")
    rows: dict[int, dict[str, float]] = {}
    for name, series in read_series(BytesIO(data)).items():
        for t_ns, value in zip(series.t_ns.tolist(), series.values.tolist(), strict=True):
            rows.setdefault(t_ns, {})[name] = value
    fires = Interpreter(compilation.triggers.ir).run(Row(t_ns, rows[t_ns]) for t_ns in sorted(rows))
    return [fire.t_ns for fire in fires]
