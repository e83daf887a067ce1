"""Object stores: S3Store against boto3 alone on S3Proxy, DirectoryStore against files written by hand.

In S3 all bytes sent and read are checked by CRC-32; in the directory, files are synced with their names. Our writes are
conditional (they must not replace another object), and so is boto3's single PUT; its transfers and the plain files are
not. There is one caller; boto3's own transfer gets as many threads and as large parts as S3Store uses.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from boto3.s3.transfer import TransferConfig

from bench.engines import Engines
from bench.measure import Comparison, Contender, Role, compare
from storage.objects import open_store
from storage.objects.contract import ObjectStore
from storage.objects.directory.store import DirectoryStore
from storage.objects.s3.upload import PARALLEL_PARTS, PART_BYTES
from tests.support.servers.s3_server import S3Server

MIB = 1024**2
MB = 1e6


class MeasuredStore(Protocol):
    """A store as it is measured. Every `put` uses a new key."""

    @property
    def name(self) -> str: ...

    def put(self, key: str, data: bytes) -> None:
        """Write an object in one request."""
        ...

    def put_large(self, key: str, data: bytes) -> None:
        """Write an object in parts."""
        ...

    def get(self, key: str) -> bytes:
        """Read a whole object."""
        ...


@dataclass(frozen=True)
class OwnStore:
    """The product's store, through its contract."""

    name: str
    store: ObjectStore

    def put(self, key: str, data: bytes) -> None:
        self.store.put(key, data, if_absent=True)

    def put_large(self, key: str, data: bytes) -> None:
        view = memoryview(data)
        parts = (bytes(view[start : start + PART_BYTES]) for start in range(0, len(data), PART_BYTES))
        self.store.put_parts(key, parts, if_absent=True)

    def get(self, key: str) -> bytes:
        return self.store.get(key)


class BareS3:
    """boto3's client: put_object with a condition, upload_fileobj (which has none), get_object."""

    name = "boto3 alone"

    def __init__(self, server: S3Server) -> None:
        self._client: Any = server.client()
        self._bucket = server.bucket
        self._transfer = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=PARALLEL_PARTS
        )

    def put(self, key: str, data: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ChecksumAlgorithm="CRC32", IfNoneMatch="*")

    def put_large(self, key: str, data: bytes) -> None:
        extra = {"ChecksumAlgorithm": "CRC32"}
        self._client.upload_fileobj(io.BytesIO(data), self._bucket, key, ExtraArgs=extra, Config=self._transfer)

    def get(self, key: str) -> bytes:
        # Not `with ...["Body"] as body`: that gives the raw stream, whose bytes are not checked.
        with closing(self._client.get_object(Bucket=self._bucket, Key=key)["Body"]) as body:
            return bytes(body.read())


@dataclass(frozen=True)
class BareFiles:
    """A file, synced, renamed to its name, and the name synced."""

    folder: Path
    name: str = "plain files"

    def put(self, key: str, data: bytes) -> None:
        temporary = self.folder / "new"
        with temporary.open("wb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            os.fsync(file.fileno())
        temporary.rename(self.folder / key)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    put_large = put

    def get(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()


def run(engines: Engines, *, quick: bool) -> Iterator[Comparison]:
    """Every comparison of the two stores."""
    rounds = 2 if quick else 5
    with engines.scratch("directory-store") as own, engines.scratch("files") as files:
        directory = OwnStore("DirectoryStore", DirectoryStore(own, public_url="http://localhost"))
        yield from compare_stores("directory", directory, BareFiles(files), rounds=rounds, quick=quick)
    s3 = OwnStore("S3Store", open_store(engines.s3.settings()))
    yield from compare_stores("S3", s3, BareS3(engines.s3), rounds=rounds, quick=quick)


def compare_stores(
    engine: str, own: MeasuredStore, bare: MeasuredStore, *, rounds: int, quick: bool
) -> Iterator[Comparison]:
    """PUT of 1 and 16 MiB, an object in parts, and GET of all three sizes."""
    sizes = [(1, 4), (16, 1), (32, 1)] if quick else [(1, 32), (16, 4), (128, 1)]
    for size_mib, count in sizes:
        data = random.Random(size_mib).randbytes(size_mib * MIB)
        large = size_mib > sizes[1][0]
        ours, theirs = transfers(own, data, count, large=large), transfers(bare, data, count, large=large)
        each = f"{count} x {size_mib} MiB"
        writing = [ours.writing(Role.OWN), theirs.writing(Role.PEER)]
        reading = [ours.reading(Role.OWN), theirs.reading(Role.PEER)]
        amount_mb = count * len(data) / MB
        kind = "PUT in parts" if large else "PUT"
        yield compare(f"{engine}: {kind}, {each}", writing, amount=amount_mb, unit="MB", rounds=rounds)
        yield compare(f"{engine}: GET, {each}", reading, amount=amount_mb, unit="MB", rounds=rounds)


@dataclass(frozen=True)
class Transfers:
    """The same object written and read `count` times under different keys, one after the other."""

    store: MeasuredStore
    data: bytes
    count: int
    write: Callable[[str, bytes], None]

    def writing(self, role: Role) -> Contender:
        """Writes new objects each round."""
        return Contender(name=self.store.name, role=role, run=self._write, result=lambda: digests(self._read(0)))

    def reading(self, role: Role) -> Contender:
        """Reads what the warm-up of `writing` wrote."""
        latest: list[bytes] = []

        def read(_: int) -> None:
            latest[:] = self._read(0)

        return Contender(
            name=self.store.name,
            role=role,
            run=read,
            result=lambda: digests(latest),
            clean_up=lambda _: latest.clear(),  # or the next one pays for new memory
        )

    def _write(self, number: int) -> None:
        for each in range(self.count):
            self.write(self._key(number, each), self.data)

    def _read(self, number: int) -> list[bytes]:
        return [self.store.get(self._key(number, each)) for each in range(self.count)]

    def _key(self, number: int, each: int) -> str:
        own = self.store.name.split()[0].strip(",").lower()
        return f"{own}-{len(self.data)}-{number}-{each}"


def transfers(store: MeasuredStore, data: bytes, count: int, *, large: bool) -> Transfers:
    """Transfers of one size, in parts where the object is `large`."""
    return Transfers(store, data, count, store.put_large if large else store.put)


def digests(objects: Sequence[bytes]) -> str:
    """How many objects, and SHA-256 over all of them in order."""
    return f"{len(objects)} {hashlib.sha256(b''.join(objects)).hexdigest()}"
