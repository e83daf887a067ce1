"""One attempt to upload one clip: the upload is found or created at the gateway, then sent in chunks."""

from __future__ import annotations

from typing import Self

from triggers.contracts.campaign import Network
from triggers.contracts.clip import CreationRequest
from triggers.errors import InvalidInput, LongtailError, NotFound, Unreachable
from triggers.vehicle.journal.clips import QueuedClip
from triggers.vehicle.uploads.clip_queue import ClipQueue
from triggers.vehicle.uploads.tus import OpenUpload, TusClient


class ClipUpload:
    """A clip's upload in progress.

    One failure is forgiven between two chunks that make progress: the upload then continues from what the gateway has,
    or is created again if the gateway no longer knows it. The next failure ends the attempt.
    """

    def __init__(
        self, queue: ClipQueue, tus: TusClient, clip: QueuedClip, request: CreationRequest, upload: OpenUpload
    ) -> None:
        self._queue = queue
        self._tus = tus
        self._clip = clip
        self._request = request
        self._upload = upload
        self._forgiven = False

    @classmethod
    def begin(cls, queue: ClipQueue, tus: TusClient, clip: QueuedClip, network: Network) -> Self:
        """Find the upload of an earlier attempt, or announce the clip (again, if the network has changed)."""
        request = CreationRequest(manifest=queue.manifest(clip), network=network)
        if clip.upload_url is not None and clip.upload_network == network:
            try:
                return cls(queue, tus, clip, request, tus.look(clip.upload_url, clip.size_bytes))
            except NotFound:
                queue.remember_upload(clip, None, None)
        return cls(queue, tus, clip, request, _create(queue, tus, clip, request))

    @property
    def whole(self) -> bool:
        """Whether the gateway has acknowledged the whole clip."""
        return self._upload.offset_bytes >= self._clip.size_bytes

    def send_next(self) -> int:
        """Send the next chunk, or recover from a forgiven failure; returns the number of newly acknowledged bytes.

        Raises a failure that is not forgiven.
        """
        before = self._upload
        try:
            self._upload = self._send_chunk(before)
            self._forgiven = False
        except (Unreachable, InvalidInput) as error:
            self._upload = self._after_cut(before, error)
        except NotFound as error:
            self._forgive(error)
            self._upload = _create(self._queue, self._tus, self._clip, self._request)
        return max(0, self._upload.offset_bytes - before.offset_bytes)

    def _send_chunk(self, before: OpenUpload) -> OpenUpload:
        after = self._tus.send_chunk(before, self._clip.path, self._clip.size_bytes)
        if after.offset_bytes <= before.offset_bytes:
            raise InvalidInput(
                f"the upload gateway took a chunk at {before.offset_bytes} and acknowledged {after.offset_bytes} bytes"
            )
        return after

    def _after_cut(self, before: OpenUpload, error: LongtailError) -> OpenUpload:
        """The upload after a failed chunk; the part of it that the gateway has counts."""
        after = self._tus.look(before.url, self._clip.size_bytes)
        if after.offset_bytes <= before.offset_bytes:
            self._forgive(error)
        self._forgiven = True
        return after

    def _forgive(self, error: LongtailError) -> None:
        if self._forgiven:
            raise error
        self._forgiven = True


def _create(queue: ClipQueue, tus: TusClient, clip: QueuedClip, request: CreationRequest) -> OpenUpload:
    upload = tus.create(request)
    queue.remember_upload(clip, upload.url, request.network)
    return upload
