"""One multipart upload to S3: parts of one size, a few at a time, and either an object at the end or nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from storage.objects.contract import MAX_PARTS
from triggers.errors import InvalidInput

PART_BYTES = 8 * 1024**2
PARALLEL_PARTS = 2
"""Parts in transit at a time; together with the next part, this bounds the memory that an upload takes."""
_log = logging.getLogger(__name__)


class MultipartUpload:
    """An upload that exists on the server from here on: `send`, then `complete`; `abort` when either raises."""

    def __init__(self, client: Any, target: dict[str, str], metadata: dict[str, str]) -> None:
        self._client = client
        self._target = dict(target)
        answer = client.create_multipart_upload(**self._target, Metadata=metadata, ChecksumAlgorithm="CRC32")
        self._target["UploadId"] = answer["UploadId"]
        self._parts: dict[int, dict[str, Any]] = {}

    def send(self, parts: Iterable[bytes]) -> int:
        """Upload the parts as they come; returns their size in bytes. Nothing is in transit when it returns."""
        size_bytes = 0
        waiting: set[Future[None]] = set()
        with ThreadPoolExecutor(PARALLEL_PARTS, thread_name_prefix="s3-part") as threads:
            try:
                for number, part in enumerate(parts, start=1):
                    if number > MAX_PARTS:
                        raise InvalidInput(
                            f"an object in S3 can have {MAX_PARTS * PART_BYTES} bytes, this one has more"
                        )
                    if len(waiting) == PARALLEL_PARTS:
                        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        _raise_first(done)
                    waiting.add(threads.submit(self._send_part, number, part))
                    size_bytes += len(part)
                _raise_first(waiting)
            finally:
                threads.shutdown(cancel_futures=True)
        return size_bytes

    def complete(self, *, if_absent: bool) -> None:
        """Make the object of the parts; with `if_absent`, ClientError 412 when there is one."""
        condition = {"IfNoneMatch": "*"} if if_absent else {}
        parts = [self._parts[number] for number in sorted(self._parts)]
        self._client.complete_multipart_upload(**self._target, MultipartUpload={"Parts": parts}, **condition)

    def abort(self) -> None:
        """Remove what was uploaded.

        A failure to do so is only logged, as the error that led here matters more; `remove_leftovers` deals with it.
        """
        try:
            self._client.abort_multipart_upload(**self._target)
        except (ClientError, BotoCoreError) as error:
            _log.warning("the upload %s stays for now: it could not be aborted (%s)", self._target, error)

    def _send_part(self, number: int, part: bytes) -> None:
        answer = self._client.upload_part(**self._target, PartNumber=number, Body=part, ChecksumAlgorithm="CRC32")
        sums = {name: answer[name] for name in ("ETag", "ChecksumCRC32") if name in answer}
        self._parts[number] = {"PartNumber": number, **sums}


def _raise_first(futures: Iterable[Future[None]]) -> None:
    for future in futures:
        future.result()


def regrouped(parts: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    """The same bytes in parts of `size_bytes`, the last may be smaller; none for no bytes."""
    rest = bytearray()
    for part in parts:
        if not rest and len(part) == size_bytes:
            yield part  # the common case: passed on without a copy
            continue
        view = memoryview(part)
        while len(rest) + len(view) >= size_bytes:
            cut = size_bytes - len(rest)
            yield bytes(rest) + view[:cut] if rest else bytes(view[:cut])
            rest.clear()
            view = view[cut:]
        rest += view
    if rest:
        yield bytes(rest)
