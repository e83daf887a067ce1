"""An S3 server that takes requests and answers nothing: each ends in time, and works again when the server does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from storage.objects import open_store
from storage.objects.contract import ObjectStore
from storage.settings import Settings
from tests.chaos.parts.wire import Trouble, Wire
from tests.support.servers.s3_server import S3Server
from tests.support.waiting import Deadline
from triggers.errors import Unreachable

pytestmark = pytest.mark.integration

TIMEOUT_S = 4.0
ATTEMPTS = 2
PAUSES_S = 60.0
"""For boto3's pauses between attempts, and a busy machine."""


@pytest.fixture
def wire(s3_server: S3Server) -> Iterator[Wire]:
    with Wire("s3", 1, s3_server.port) as wire:
        yield wire


@pytest.fixture
def store(s3_server: S3Server, wire: Wire) -> ObjectStore:
    settings = s3_server.settings("silence")
    wired = {"objects_url": settings.objects_url.replace(s3_server.endpoint, wire.url), "objects_timeout_s": TIMEOUT_S}
    return open_store(settings.model_copy(update=wired), attempts=ATTEMPTS)


def test_every_kind_of_request_ends_in_time_and_works_after_the_silence(store: ObjectStore, wire: Wire) -> None:
    store.put("a", b"before")
    requests: list[Callable[[], object]] = [
        lambda: store.put("b", b"x", if_absent=True),
        lambda: store.get("a"),
        lambda: list(store.stream("a")),
        lambda: store.list(limit=1),
    ]
    wire.set(Trouble(stalled=True))
    for request in requests:
        deadline = Deadline(ATTEMPTS * TIMEOUT_S + PAUSES_S)
        with pytest.raises(Unreachable, match="does not answer"):
            request()
        deadline.check("the end of the request")
    wire.set(Trouble())
    assert store.get("a") == b"before"
    assert store.put("c", b"after").size_bytes == 5


def test_three_silent_attempts_end_within_a_minute() -> None:
    assert 3 * Settings().objects_timeout_s <= 45
