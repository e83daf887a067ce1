"""An S3 server that takes requests and answers nothing: each ends in time, and works again when the server does."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

import pytest

from storage.objects import open_store
from storage.objects.s3.store import S3Store, parse_location
from storage.settings import Settings
from tests.chaos.parts.wire import Trouble, Wire
from tests.support.servers.s3_server import S3Server
from triggers.errors import Unreachable

pytestmark = pytest.mark.integration

TIMEOUT_S = 4.0
ATTEMPTS = 2
PAUSES_S = 20.0
"""For boto3's pauses between attempts, and a busy machine."""


@pytest.fixture
def wire(s3_server: S3Server) -> Iterator[Wire]:
    with Wire("s3", 1, s3_server.port) as wire:
        yield wire


@pytest.fixture
def store(s3_server: S3Server, wire: Wire) -> S3Store:
    location = dataclasses.replace(parse_location(s3_server.url()), endpoint=wire.url, prefix="silence/")
    return S3Store(
        location,
        access_key=s3_server.access_key,
        secret_key=s3_server.secret_key,
        attempts=ATTEMPTS,
        timeout_s=TIMEOUT_S,
    )


def test_every_kind_of_request_ends_in_time_and_works_after_the_silence(store: S3Store, wire: Wire) -> None:
    store.put("a", b"before")
    requests: list[Callable[[], object]] = [
        lambda: store.put("b", b"x", if_absent=True),
        lambda: store.get("a"),
        lambda: list(store.stream("a")),
        lambda: store.list(limit=1),
    ]
    wire.set(Trouble(stalled=True))
    for request in requests:
        began_s = time.monotonic()
        with pytest.raises(Unreachable, match="does not answer"):
            request()
        assert time.monotonic() - began_s < ATTEMPTS * TIMEOUT_S + PAUSES_S
    wire.set(Trouble())
    assert store.get("a") == b"before"
    assert store.put("c", b"after").size_bytes == 5


def test_the_bounds_are_those_of_the_settings(s3_server: S3Server) -> None:
    settings = s3_server.settings("silence").model_copy(update={"objects_timeout_s": 7.0})
    store = open_store(settings, attempts=2)
    assert isinstance(store, S3Store)
    config = store._client.meta.config
    assert (config.read_timeout, config.connect_timeout) == (7.0, 5)
    assert config.retries["total_max_attempts"] == 2


def test_three_silent_attempts_end_within_a_minute() -> None:
    assert 3 * Settings().objects_timeout_s <= 45
