"""Fixtures of the real servers, for tests/conftest.py: Apache Kafka and S3, one of each for all workers of a run.

Tests share them: use topics, groups and prefixes of your own. A test that stops a server starts one for itself:
`with KafkaServer(tmp_path) as kafka:`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.servers.jars import SERVERS_MISSING, leave_out, report_left_out
from tests.support.servers.shared_server import shared

if TYPE_CHECKING:  # their clients take a second to import, which runs without such tests are spared
    from tests.support.servers.kafka_server import KafkaServer
    from tests.support.servers.s3_server import S3Server


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A plain broker; records up to 8 MiB, no topic but those that a test creates."""
    from tests.support.servers.kafka_server import KafkaServer

    with shared(_run_folder(tmp_path_factory) / "kafka", lambda at, held: KafkaServer(at, holders=held)) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server with the bucket `longtail`."""
    from tests.support.servers.s3_server import S3Server

    with shared(_run_folder(tmp_path_factory) / "s3", lambda at, held: S3Server(at, holders=held)) as server:
        yield server


def _run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    return (yield from _left_out_without_servers())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    return (yield from _left_out_without_servers())


def _left_out_without_servers() -> Generator[None, object, object]:
    try:
        return (yield)
    except SERVERS_MISSING as missing:
        leave_out(missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    report_left_out(terminalreporter)
