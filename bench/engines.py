"""The engines to measure on: PostgreSQL as `longtail up` starts it, Kafka and S3Proxy as the tests start them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.database import Database
from storage.embedded import EmbeddedPostgres, scratch_dir
from storage.migrate import migrate
from tests.support.servers.kafka_server import KafkaServer
from tests.support.servers.s3_server import S3Server


@dataclass
class Engines:
    """A folder for all data of a run, and the servers in it: each starts when first used, all end together."""

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        self.folder = Path()

    def __enter__(self) -> Self:
        self.folder = scratch_dir("longtail-bench-")
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def postgres_url(self) -> str:
        """A migrated database with the settings (and the durability) of `longtail up`."""
        server = self._stack.enter_context(EmbeddedPostgres(self.folder / "postgres"))
        database = Database(server.url, pool_size=1)
        migrate(database)
        database.close()
        return server.url

    @cached_property
    def kafka(self) -> KafkaServer:
        """One broker, without TLS."""
        return self._stack.enter_context(KafkaServer(self.folder / "kafka", optimised=True))

    @cached_property
    def s3(self) -> S3Server:
        """S3Proxy over a directory, without TLS."""
        return self._stack.enter_context(S3Server(self.folder / "s3", optimised=True))

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """A folder that is gone after the block."""
        folder = self.folder / name
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
