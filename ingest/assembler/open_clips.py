"""The open clips of one worker: starts storing, parking or giving up a clip, and handles the results.

Slow effects run in the background. A clip whose effect fails unexpectedly is tried again a few times and then given up;
other clips are not affected.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from ingest.assembler.background import Background
from ingest.assembler.cells import StagingLost
from ingest.assembler.clip_store import ClipStore
from ingest.assembler.failures import ASSEMBLER_ERROR, MAX_FAILURES, NOT_COUNTED, Failures, described
from ingest.assembler.packed import PackedUpload
from ingest.assembler.phases import Closing, OpenClip, Parked, Parking
from ingest.assembler.positions import Positions
from ingest.assembler.spool import Spool, SpoolDamaged, SpoolFile
from ingest.assembler.status import Counts
from storage.clips.writer import Ending, PendingUpload
from storage.tables.uploads import UploadState

LOGGER = logging.getLogger(__name__)
FAILURE_PAUSE_S = 0.2
REMEMBERED_CLOSED = 10_000
MAX_OPEN_CLIPS = 4096
MAX_OPEN_CELLS = 2**20
"""Open clips of one worker, and cells that these may have in all; beyond either the oldest are parked. The hashes of so
many cells take 32 MiB."""


class OpenClips:
    """All clips with cells that are not yet stored, given up or parked. Not thread-safe."""

    def __init__(
        self,
        clip_store: ClipStore,
        spool: Spool,
        positions: Positions,
        *,
        counts: Counts,
        background: Background,
        failures: Failures,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._clip_store = clip_store
        self._spool = spool
        self._positions = positions
        self._counts = counts
        self._background = background
        self._failures = failures
        self._now_s = monotonic_s
        self._clips: dict[str, OpenClip] = {}
        self._closed: OrderedDict[str, str] = OrderedDict()

    def __iter__(self) -> Iterator[OpenClip]:
        return iter(list(self._clips.values()))

    def __len__(self) -> int:
        return len(self._clips)

    def __contains__(self, clip: OpenClip) -> bool:
        return self._clips.get(clip.upload.id) is clip

    def get(self, upload_id: str) -> OpenClip | None:
        """The open clip of an upload."""
        return self._clips.get(upload_id)

    def open(self, upload: PendingUpload, partition: int, parked: frozenset[int]) -> OpenClip:
        """Start collecting the cells of an upload."""
        clip = OpenClip(PackedUpload.of(upload), partition, self._spool.new_file(upload.id), parked, self._now_s())
        self._clips[upload.id] = clip
        return clip

    def closed_as(self, upload_id: str) -> str | None:
        """The state in which an upload was closed, of the latest REMEMBERED_CLOSED; None when it may be open."""
        return self._closed.get(upload_id)

    def remember_closed(self, upload_id: str, state: str) -> None:
        """Remember that an upload is closed, so that its further cells are ignored."""
        self._closed[upload_id] = state
        while len(self._closed) > REMEMBERED_CLOSED:
            self._closed.popitem(last=False)

    @property
    def busy(self) -> bool:
        """Whether any effect is in progress."""
        return any(not clip.collecting for clip in self)

    # Starting effects

    def store(self, clip: OpenClip) -> None:
        """Start storing a whole clip."""
        effect = partial(self._store_one, clip.upload, clip.file)
        what = f"storing clip {clip.upload.clip_id}"
        if clip.upload.is_small:
            item = (clip.upload, clip.file)
            clip.phase = Closing(self._background.submit_together(effect, item, self._store_together, what=what))
        else:
            clip.phase = Closing(self._background.submit(effect, what=what))

    def fail(self, clip: OpenClip, reason: str, detail: str, payload: bytes | None = None) -> None:
        """Start giving up a clip for good; `payload` is the cell that was wrong."""
        LOGGER.warning("upload %s is given up: %s", clip.upload.id, detail)
        effect = partial(self._fail_one, clip.upload, reason, detail, payload)
        clip.phase = Closing(self._background.submit(effect, what=f"giving up upload {clip.upload.id}"))

    def park(self, clip: OpenClip) -> None:
        """Start moving a clip's spooled cells to a staging object."""
        effect = partial(self._park_one, clip.upload, clip.file)
        clip.phase = Parking(self._background.submit(effect, what=f"parking upload {clip.upload.id}"))

    def make_room(self, size_bytes: int) -> bool:
        """Whether a cell fits; if not, starts parking the largest clip (the oldest of several) to make room."""
        if self._spool.fits(size_bytes):
            return True
        if not self.busy:
            largest = max(
                (clip for clip in self if clip.can_park), key=lambda clip: (clip.file.used_bytes, -clip.opened_s)
            )
            self.park(largest)
        return False

    def park_the_old(self, *, opened_before_s: float) -> None:
        """Park the clips opened by then, and the oldest ones beyond MAX_OPEN_CLIPS and MAX_OPEN_CELLS."""
        staying = [clip for clip in self if not isinstance(clip.phase, Parking)]
        clips, cells = len(staying), sum(len(clip.upload.cells) for clip in staying)
        for clip in sorted((clip for clip in staying if clip.can_park), key=lambda clip: clip.opened_s):
            if clip.opened_s <= opened_before_s or clips > MAX_OPEN_CLIPS or cells > MAX_OPEN_CELLS:
                clips, cells = clips - 1, cells - len(clip.upload.cells)
                self.park(clip)

    # The effects, which unpack an upload only while they are at work

    def _store_one(self, upload: PackedUpload, file: SpoolFile) -> Ending:
        return self._clip_store.store_clip(upload.unpacked(), file)

    def _store_together(self, whole: Sequence[tuple[PackedUpload, SpoolFile]]) -> list[Ending]:
        return self._clip_store.store_clips([(upload.unpacked(), file) for upload, file in whole])

    def _fail_one(self, upload: PackedUpload, reason: str, detail: str, payload: bytes | None) -> Ending:
        return self._clip_store.fail(upload.unpacked(), reason, detail, payload)

    def _park_one(self, upload: PackedUpload, file: SpoolFile) -> Parked:
        return self._clip_store.park(upload.unpacked(), file)

    # Handling their results

    def collect(self) -> None:
        """Handle the results of finished effects; a failed one concerns only its own clip."""
        for clip in self:
            if clip.task is not None and clip.task.done:
                error = clip.task.future.exception()
                if isinstance(error, Exception):
                    self.resume(clip, error)
                else:
                    self._conclude(clip)

    def resume(self, clip: OpenClip, error: Exception) -> None:
        """Continue with a clip after an error: repeat what failed, give the clip up, or finally let its upload expire.

        Errors of the deployment, for which no clip is to blame, are raised.
        """
        if isinstance(error, StagingLost):
            self.fail(clip, error.code, error.message)
            return
        if isinstance(error, NOT_COUNTED):
            raise error
        upload_id = clip.upload.id
        failures = self._failures.note(upload_id)
        LOGGER.error("upload %s failed unexpectedly (failure %d): %s", upload_id, failures, error, exc_info=error)
        if failures >= 2 * MAX_FAILURES:
            LOGGER.error(
                "upload %s cannot even be given up: it will expire, and its vehicle will begin again", upload_id
            )
            self.remember_closed(upload_id, "set aside")
            self._release(clip)
        elif failures >= MAX_FAILURES:
            self.fail(clip, ASSEMBLER_ERROR, described(error))
        elif isinstance(error, SpoolDamaged):
            self._read_again(clip)
        else:
            self._repeat(clip)

    def _repeat(self, clip: OpenClip) -> None:
        match clip.phase:
            case Parking(task):
                clip.phase = Parking(self._background.repeat(task, after_s=FAILURE_PAUSE_S))
            case Closing(task):
                clip.phase = Closing(self._background.repeat(task, after_s=FAILURE_PAUSE_S))

    def _read_again(self, clip: OpenClip) -> None:
        """Forget a clip's spooled cells; they are read again from the log, where its offset was held back."""
        self.drop(clip)
        self._positions.read_again(clip.partition, clip.upload.id)

    def _conclude(self, clip: OpenClip) -> None:
        match clip.phase:
            case Parking(task):
                self._counts.parked += task.future.result().won
            case Closing(task):
                self._closed_as(clip.upload.id, task.future.result())
        self._failures.forget(clip.upload.id)
        self._release(clip)

    def _closed_as(self, upload_id: str, ending: Ending) -> None:
        self.remember_closed(upload_id, ending.state)
        if ending.won:
            self._counts.stored += ending.state == UploadState.STORED
            self._counts.failed += ending.state == UploadState.FAILED

    def _release(self, clip: OpenClip) -> None:
        """Forget a clip whose records are not needed any more."""
        self.drop(clip)
        self._positions.settled(clip.upload.id)

    # Forgetting clips

    def drop(self, clip: OpenClip) -> None:
        """Forget a clip and its spooled cells; an effect in progress is not tried again."""
        self._clips.pop(clip.upload.id, None)
        if clip.task is not None:
            clip.task.abandon()
        clip.file.drop()

    def drop_partitions(self, partitions: Collection[int]) -> None:
        """Forget the clips of these partitions."""
        for clip in self:
            if clip.partition in partitions:
                self.drop(clip)

    def close(self) -> None:
        """Forget every clip, wait for the attempt in progress, and release the spool."""
        for clip in self:
            self.drop(clip)
        self._background.close()
        self._spool.close()
