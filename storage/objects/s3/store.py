"""Objects in a bucket of S3, or of a server that speaks it with conditional writes, through boto3.

Small objects are one PUT, larger ones a multipart upload; both carry CRC-32 checksums which the server compares.
With `if_absent` the condition `If-None-Match: *` travels with the PUT, or with the completion. A retry inside boto3
whose first attempt did arrive then finds its own object, which it recognizes by the token in the object's metadata.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError, ReadTimeoutError

from storage.objects.contract import (
    ATTEMPTS,
    LEFTOVER_AGE_S,
    MAX_PART_BYTES,
    MAX_PARTS,
    ObjectExists,
    ObjectInfo,
    ObjectNotFound,
    check_link_life,
    checked_key,
    checked_parts,
    checked_range,
)
from storage.objects.s3.check import require_bucket, require_usable
from storage.objects.s3.errors import NOT_FOUND, code_of, raise_if_missing, reaching, status_of
from storage.objects.s3.head import head
from storage.objects.s3.listing import abort_uploads, listed
from storage.objects.s3.location import TIMEOUT_S, S3Location, connect, parse_location
from storage.objects.s3.tiers import S3Tiers
from storage.objects.s3.upload import PART_BYTES, MultipartUpload, regrouped
from triggers.errors import InvalidInput, Unreachable

__all__ = ["S3Location", "S3Store", "parse_location"]

SINGLE_PUT_BYTES = 2 * PART_BYTES
"""Objects up to here (16 MiB) are written by one PUT."""
_TOKEN = "longtail-write"  # noqa: S105  the name of a metadata field, not a secret
_MAX_OBJECT_BYTES = MAX_PARTS * MAX_PART_BYTES
_CONFLICT_PAUSE_S = 0.05
_READ_ATTEMPTS = 4
_PRECONDITION_FAILED = 412
_UNDECIDED = frozenset({"NoSuchUpload", "ConditionalRequestConflict"})
"""Answers to a completion that say that another request interfered, not which one won."""


class S3Store:
    """An ObjectStore in the bucket of `location`. Opening it sends nothing; `check` tries everything it will need."""

    def __init__(
        self,
        location: S3Location,
        *,
        access_key: str = "",
        secret_key: str = "",
        attempts: int = ATTEMPTS,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Without keys the credentials are found where boto3 looks: environment, profile, role of the machine.

        A request ends, with Unreachable, after `attempts` times `timeout_s` of silence.
        """
        self.location = location
        self._attempts = attempts
        self._client = connect(
            location, access_key=access_key, secret_key=secret_key, attempts=attempts, timeout_s=timeout_s
        )

    @property
    def tiers(self) -> S3Tiers:
        """The storage classes of the objects; see ObjectStore."""
        return S3Tiers(self._client, self.location)

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> ObjectInfo:
        """Write an object, by multipart upload when it is over SINGLE_PUT_BYTES; see ObjectStore."""
        target = self.location.target(key)
        if len(data) > SINGLE_PUT_BYTES:
            return self._put_multipart(key, regrouped((data,), PART_BYTES), if_absent=if_absent)
        token = secrets.token_hex(16)
        condition = {"IfNoneMatch": "*"} if if_absent else {}
        with reaching(self.location):
            self._settled(
                lambda: self._client.put_object(
                    **target, Body=data, Metadata={_TOKEN: token}, ChecksumAlgorithm="CRC32", **condition
                ),
                key,
                token,
            )
        return ObjectInfo(key, len(data))

    def put_parts(self, key: str, parts: Iterable[bytes], *, if_absent: bool = False) -> ObjectInfo:
        """Write an object of up to 78 GiB as its parts come, with at most six of 8 MiB in memory; see ObjectStore."""
        checked_key(key)
        chunks = regrouped(checked_parts(parts), PART_BYTES)
        first = list(islice(chunks, SINGLE_PUT_BYTES // PART_BYTES + 1))
        if sum(map(len, first)) <= SINGLE_PUT_BYTES:
            return self.put(key, b"".join(first), if_absent=if_absent)
        return self._put_multipart(key, chain(_drained(first), chunks), if_absent=if_absent)

    def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Bytes `[start, start + length)`; see ObjectStore."""
        checked_range(start, length)
        if length == 0 or start >= _MAX_OBJECT_BYTES:
            self.stat(key)
            return b""
        asked = _range_header(start, length)
        attempt = 1
        with reaching(self.location):
            while True:
                try:
                    answer = self._opened(key, **asked)
                except ClientError as error:
                    if code_of(error) == "InvalidRange":  # after the object's end
                        return b""
                    raise
                try:
                    with closing(answer["Body"]) as body:
                        return bytes(body.read())
                except BotoCoreError as error:  # boto3 tries requests again, but not bodies
                    final = isinstance(error, FlexibleChecksumError | ReadTimeoutError)  # silence was waited for
                    if final or attempt == _READ_ATTEMPTS:
                        raise
                attempt += 1

    def stream(self, key: str, *, chunk_bytes: int = 1024**2) -> Iterator[bytes]:
        """The object's bytes in chunks; see ObjectStore. A broken connection is taken up again where it broke."""
        if chunk_bytes < 1:
            raise InvalidInput(f"chunk_bytes is {chunk_bytes}, but must be at least 1")
        with reaching(self.location):
            answer = self._opened(key)
        return self._chunks(key, answer, chunk_bytes)

    def stat(self, key: str) -> ObjectInfo:
        """Size of an object; see ObjectStore."""
        with reaching(self.location):
            try:
                return ObjectInfo(key, int(self._head(key)["ContentLength"]))
            except ObjectNotFound:
                require_bucket(self._client, self.location)  # the answer to HEAD does not say what is not there
                raise

    def list(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> list[ObjectInfo]:
        """Objects in byte order of their keys; see ObjectStore."""
        if limit < 1:
            raise InvalidInput(f"limit is {limit}, but must be at least 1")
        with reaching(self.location):
            return listed(self._client, self.location, prefix, after, limit)

    def delete(self, key: str) -> None:
        """Remove an object; see ObjectStore."""
        target = self.location.target(key)
        with reaching(self.location):
            try:
                self._client.delete_object(**target)
            except ClientError as error:
                if code_of(error) not in NOT_FOUND:
                    raise

    def link(self, key: str, *, expires_s: int) -> str:
        """A presigned URL of the server; see ObjectStore. It expires no later than the credentials that signed it."""
        check_link_life(expires_s)
        target = self.location.target(key)
        with reaching(self.location):
            return str(self._client.generate_presigned_url("get_object", Params=target, ExpiresIn=expires_s))

    def check(self) -> str:
        """Try every kind of request this store sends, on a probe object; Misconfigured says what fails."""
        with reaching(self.location):
            return require_usable(self._client, self.location)

    def remove_leftovers(self, *, older_than_s: float = LEFTOVER_AGE_S) -> int:
        """Remove multipart uploads of processes that died before completing them; returns how many.

        `older_than_s` must be longer than the longest upload that is still under way.
        """
        before = datetime.now(UTC) - timedelta(seconds=older_than_s)
        with reaching(self.location):
            return abort_uploads(self._client, self.location, before)

    def _head(self, key: str) -> dict[str, Any]:
        return head(self._client, self.location, key)

    def _settled(self, write: Callable[[], object], key: str, token: str) -> None:
        """Run a conditional write until it is decided.

        The object is written (perhaps by an attempt whose answer was lost), or the write is refused with ObjectExists.
        S3 answers 409 when it sees another write of the key at the same moment.
        """
        attempt = 1
        while True:
            try:
                write()
            except ClientError as error:
                if status_of(error) == _PRECONDITION_FAILED:
                    self._require_own(key, token, error)
                elif code_of(error) != "ConditionalRequestConflict" or attempt == self._attempts:
                    raise
                else:
                    attempt += 1
                    time.sleep(_CONFLICT_PAUSE_S * 2**attempt)
                    continue
            return

    def _require_own(self, key: str, token: str, refusal: ClientError) -> None:
        """Return when the object under `key` is the one that carries `token`, else raise ObjectExists."""
        if self._token_of(key) != token:
            raise ObjectExists(f"there is an object {key!r} in {self.location}") from refusal

    def _token_of(self, key: str) -> str | None:
        """The token that the object was written with; empty for an object from elsewhere, None without an object."""
        try:
            return str(self._head(key).get("Metadata", {}).get(_TOKEN, ""))
        except ObjectNotFound:
            return None

    def _put_multipart(self, key: str, parts: Iterable[bytes], *, if_absent: bool) -> ObjectInfo:
        token = secrets.token_hex(16)
        with reaching(self.location):
            if if_absent and self._token_of(key) is not None:  # spares sending what would be refused at the end
                raise ObjectExists(f"there is an object {key!r} in {self.location}")
            upload = MultipartUpload(self._client, self.location.target(key), {_TOKEN: token})
            try:
                size_bytes = upload.send(parts)
                self._complete(upload, key, token, if_absent=if_absent)
            except BaseException:
                upload.abort()
                raise
        return ObjectInfo(key, size_bytes)

    def _complete(self, upload: MultipartUpload, key: str, token: str, *, if_absent: bool) -> None:
        try:
            upload.complete(if_absent=if_absent)
        except ClientError as error:
            if status_of(error) == _PRECONDITION_FAILED:
                self._require_own(key, token, error)
            elif code_of(error) in _UNDECIDED:
                self._require_completed(key, token, error, if_absent=if_absent)
            else:
                raise

    def _require_completed(self, key: str, token: str, refusal: ClientError, *, if_absent: bool) -> None:
        """Return when an attempt whose answer was lost did complete the upload; its parts are gone in any case."""
        current = self._token_of(key)
        if current == token:
            return
        if current is not None and if_absent:
            raise ObjectExists(f"there is an object {key!r} in {self.location}") from refusal
        raise Unreachable(
            f"the upload of {key!r} to {self.location} was ended by another process ({code_of(refusal)})",
            remedy="write the object again",
        ) from refusal

    def _opened(self, key: str, **conditions: str) -> dict[str, Any]:
        try:
            return dict(self._client.get_object(**self.location.target(key), **conditions))
        except ClientError as error:
            raise_if_missing(error, self.location, key)
            raise

    def _chunks(self, key: str, answer: dict[str, Any], chunk_bytes: int) -> Iterator[bytes]:
        position, size_bytes, attempt = 0, int(answer["ContentLength"]), 1
        with reaching(self.location):
            while True:
                try:
                    with closing(answer["Body"]) as body:
                        while chunk := body.read(chunk_bytes):
                            position += len(chunk)
                            yield chunk
                    return
                except BotoCoreError as error:
                    if isinstance(error, FlexibleChecksumError) or attempt == _READ_ATTEMPTS:
                        raise
                if position == size_bytes:
                    return
                attempt += 1
                answer = self._resumed(key, answer["ETag"], position)

    def _resumed(self, key: str, etag: str, position: int) -> dict[str, Any]:
        """The rest of the same object; Unreachable when that is no longer there."""
        try:
            return self._opened(key, Range=f"bytes={position}-", IfMatch=etag)
        except (ClientError, ObjectNotFound) as error:
            if isinstance(error, ClientError) and status_of(error) != _PRECONDITION_FAILED:
                raise
            raise Unreachable(
                f"the object {key!r} in {self.location} was replaced while it was read", remedy="read it again"
            ) from error


def _range_header(start: int, length: int | None) -> dict[str, str]:
    if start == 0 and length is None:
        return {}
    end = "" if length is None else str(start + min(length, _MAX_OBJECT_BYTES) - 1)
    return {"Range": f"bytes={start}-{end}"}


def _drained(items: list[bytes]) -> Iterator[bytes]:
    """The items in order, each released as it is yielded."""
    items.reverse()
    while items:
        yield items.pop()
