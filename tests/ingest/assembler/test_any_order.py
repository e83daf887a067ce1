"""Any order, repetition, interleaving and crash of cells gives each clip once with the right bytes (hypothesis)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.assembler.assembler import Assembler
from ingest.assembler.background import Background, Task
from ingest.assembler.cells import CellRejected, check_cell
from ingest.assembler.failures import MAX_FAILURES
from ingest.assembler.offsets import OffsetTracker
from ingest.assembler.packed import CellSums
from ingest.assembler.phases import Parked
from ingest.assembler.spool import Spool, SpoolDamaged, SpoolFile
from ingest.cell_record import CellRecord
from ingest.log.contract import LogRecord, PartitionsCallback
from storage.clips.writer import Ending, PendingUpload
from tests.ingest.assembler.world import random_bytes
from tests.support.fleet import clip_manifest
from triggers.contracts.clip import CELL_BYTES, cell_size

T = TypeVar("T")
PARTITIONS = 2
SIZES = (CELL_BYTES // 2, 2 * CELL_BYTES, 3 * CELL_BYTES + 9, 4 * CELL_BYTES)
DATA = [random_bytes(size, seed) for seed, size in enumerate(SIZES)]
MANIFESTS = [clip_manifest(data) for data in DATA]
IDS = [f"{number:032x}" for number in range(len(SIZES))]
CELLS = [(clip, index) for clip, manifest in enumerate(MANIFESTS) for index in range(len(manifest.cells))]


class Crash(BaseException):
    """The worker died."""


class MemoryLog:
    """Records and committed offsets; the last consumer that was made holds all partitions."""

    def __init__(self) -> None:
        self.records: list[list[LogRecord]] = [[] for _ in range(PARTITIONS)]
        self.committed = dict.fromkeys(range(PARTITIONS), 0)

    def append(self, clip: int, index: int) -> None:
        partition = clip % PARTITIONS
        payload = DATA[clip][index * CELL_BYTES : (index + 1) * CELL_BYTES]
        key, value = CellRecord(IDS[clip], index, 1, payload).encode()
        self.records[partition].append(LogRecord(partition, len(self.records[partition]), key, value))

    def consumer(self, topic: str, **options: Any) -> MemoryConsumer:
        return MemoryConsumer(self, options["on_assigned"], options["on_revoked"])

    @property
    def lag(self) -> int:
        return sum(len(self.records[partition]) - offset for partition, offset in self.committed.items())


class MemoryConsumer:
    """The one member."""

    def __init__(self, log: MemoryLog, on_assigned: PartitionsCallback, on_revoked: PartitionsCallback) -> None:
        self._log = log
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._positions: dict[int, int] = {}
        self._paused: set[int] = set()

    def poll(self, *, max_records: int, timeout_s: float) -> list[LogRecord]:
        if not self._positions:
            self._positions = dict(self._log.committed)
            self._on_assigned(list(self._positions))
        found: list[LogRecord] = []
        for partition in self._positions.keys() - self._paused:
            records = self._log.records[partition][self._positions[partition] :][: max_records - len(found)]
            self._positions[partition] += len(records)
            found += records
        return found

    def commit(self, next_offsets: Mapping[int, int]) -> None:
        for partition, offset in next_offsets.items():
            assert offset >= self._log.committed[partition], "a committed offset went back"
            self._log.committed[partition] = offset

    def pause(self, partitions: Sequence[int]) -> None:
        self._paused |= set(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        self._paused -= set(partitions)

    def seek(self, partition: int, offset: int) -> None:
        self._positions[partition] = offset

    def assignment(self) -> frozenset[int]:
        return frozenset(self._positions)

    def close(self) -> None:
        self._on_revoked(list(self._positions))
        self._positions = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MemoryClipStore:
    """Catalog and staging as dictionaries; `fail_next` kills the worker right after the next effect took place."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.writes = 0
        self.parked: dict[str, dict[int, bytes]] = {}
        self.fail_next = False

    def look_up(self, upload_id: str) -> tuple[PendingUpload | None, frozenset[int]]:
        manifest = MANIFESTS[IDS.index(upload_id)]
        state = "stored" if upload_id in self.stored else "open"
        upload = PendingUpload(upload_id, manifest.clip_id, "car-1", state, manifest)
        return upload, frozenset(self.parked.get(upload_id, ()))

    def look_up_many(self, upload_ids: Collection[str]) -> dict[str, tuple[PendingUpload | None, frozenset[int]]]:
        return {upload_id: self.look_up(upload_id) for upload_id in upload_ids if upload_id in IDS}

    def store_clips(self, whole: Sequence[tuple[PendingUpload, SpoolFile]]) -> list[Ending]:
        return [self.store_clip(upload, spooled) for upload, spooled in whole]

    def store_clip(self, upload: PendingUpload, spooled: SpoolFile) -> Ending:
        won = upload.id not in self.stored
        if won:
            cells = self.parked.get(upload.id, {}) | self._read(upload, spooled)
            self.stored[upload.id] = b"".join(cells[index] for index in range(len(upload.manifest.cells)))
            self.writes += 1
            self.parked.pop(upload.id, None)
        self._perhaps_crash()
        return Ending("stored", won=won)

    def park(self, upload: PendingUpload, spooled: SpoolFile) -> Parked:
        wanted = upload.id not in self.stored
        if wanted:
            self.parked.setdefault(upload.id, {}).update(self._read(upload, spooled))
        self._perhaps_crash()
        return Parked(won=wanted)

    def fail(self, upload: PendingUpload, reason: str, detail: str, payload: bytes | None) -> Ending:
        raise AssertionError(f"a good clip was given up: {detail}")

    def _read(self, upload: PendingUpload, spooled: SpoolFile) -> dict[int, bytes]:
        cells = {}
        for index in spooled.sizes:
            with spooled.open() as file:
                file.seek(index * CELL_BYTES)
                cells[index] = file.read(cell_size(upload.manifest.size_bytes, index))
            try:
                check_cell(CellSums.of(upload.manifest), index, cells[index])
            except CellRejected as error:
                raise SpoolDamaged(error.message) from error
        return cells

    def _perhaps_crash(self) -> None:
        if self.fail_next:
            self.fail_next = False
            raise Crash


class Inline(Background):
    """Runs each task at once, so that a test's course is decided by hypothesis alone."""

    def submit(self, effect: Callable[[], T], *, what: str, after_s: float = 0.0) -> Task[T]:
        task = Task(effect, what)
        task.future = Future()
        try:
            task.future.set_result(effect())
        except (Crash, SpoolDamaged) as error:
            task.future.set_exception(error)
        return task

    def submit_together(self, effect: Callable[[], T], item: object, together: Any, *, what: str) -> Task[T]:
        return self.submit(effect, what=what)


class Life:
    """One deployment over the lives of its worker."""

    def __init__(self, folder: Path) -> None:
        self.log = MemoryLog()
        self.effects = MemoryClipStore()
        self.now_s = 0.0
        self._damages = 0
        self._folder = folder
        self.assembler = self._start()

    def _start(self) -> Assembler:
        self.spool = Spool(self._folder / "spool", limit_bytes=4 * 1024**2)
        return Assembler(
            self.log,  # type: ignore[arg-type]
            self.effects,  # type: ignore[arg-type]
            self.spool,
            member="w-0",
            park_after_s=60,
            revoke_within_s=1,
            monotonic_s=lambda: self.now_s,
            background=Inline("inline"),
        )

    def step(self) -> None:
        try:
            self.assembler.step(timeout_s=0)
        except Crash:
            self.crash()

    def crash(self) -> None:
        self.spool.close()
        self.assembler = self._start()

    def leave(self) -> None:
        try:
            self.assembler.close()
        except Crash:
            self.crash()
        else:
            self.assembler = self._start()

    def damage(self) -> None:
        """Everything in the spool becomes zeros, but not so often that a clip is given up."""
        self._damages += 1
        if self._damages < MAX_FAILURES:
            for path in (self._folder / "spool").iterdir():
                path.write_bytes(bytes(path.stat().st_size))

    def do(self, action: Any) -> None:
        match action:
            case (clip, index):
                self.log.append(clip, index)
            case "step":
                self.step()
            case "crash":
                self.crash()
            case "leave":
                self.leave()
            case "damage":
                self.damage()
            case "wait":
                self.now_s += 61
            case _:
                self.effects.fail_next = True


ACTIONS = st.one_of(
    st.sampled_from(CELLS),
    st.sampled_from(["step", "step", "crash", "leave", "wait", "damage", "crash after an effect"]),
)


@settings(max_examples=100)
@given(st.lists(ACTIONS, max_size=40), st.permutations(CELLS), st.booleans())
def test_whatever_happens_each_clip_is_stored_once_with_its_bytes(
    actions: list[Any], rest: list[Any], everything_again: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder))
        for action in actions:
            life.do(action)
        for clip, index in rest:
            if everything_again or (clip, index) not in actions:
                life.log.append(clip, index)
        for _ in range(200):
            life.step()
            if life.log.lag == 0:
                break
        assert life.log.lag == 0, "an offset is held back for ever"
        assert life.effects.stored == dict(zip(IDS, DATA, strict=True))
        assert life.effects.writes == len(DATA)
        assert life.spool.used_bytes == 0
        life.assembler.close()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_a_restart_offset_leaves_no_needed_record_out(steps: list[tuple[str, bool]]) -> None:
    tracker, needed = OffsetTracker(), dict[int, str]()
    for offset, (upload_id, settles) in enumerate(steps):
        tracker.opened(offset, upload_id)
        needed[offset] = upload_id
        if settles:
            tracker.settled(upload_id)
            needed = {at: owner for at, owner in needed.items() if owner != upload_id}
        assert tracker.restart_at == min(needed, default=offset + 1)


def test_nothing_read_means_nothing_to_commit() -> None:
    assert OffsetTracker().restart_at is None
