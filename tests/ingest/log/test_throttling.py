"""An answer of Kafka that asks for silence is obeyed, but never for so long that nothing goes on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from kafka.net.connection import KafkaConnection
from kafka.protocol.consumer import FetchResponse

from ingest.log.kafka.internals import MAX_THROTTLE_MS, BoundedThrottling


class Noted(BoundedThrottling):
    """Bounded throttling over what the connection was asked, in ms."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self._throttle = lambda _connection, response: self.asked.append(response.throttle_time_ms)


@pytest.mark.parametrize(
    ("asked_ms", "taken_ms"), [(0, 0), (11_000, 11_000), (1 << 30, MAX_THROTTLE_MS), ((1 << 31) - 1, MAX_THROTTLE_MS)]
)
def test_silence_is_bounded(asked_ms: int, taken_ms: int) -> None:
    noted = Noted()
    noted.apply(None, FetchResponse(throttle_time_ms=asked_ms))
    assert noted.asked == [taken_ms]


def test_every_connection_of_the_process_is_bounded() -> None:
    response = SimpleNamespace(throttle_time_ms=1 << 30)
    paused: list[str] = []
    ends_s: list[float] = []
    net = SimpleNamespace(call_at=lambda at_s, _: ends_s.append(at_s))
    connection = SimpleNamespace(
        _sensors=None,
        _throttle_time=0,
        _maybe_unthrottle=None,
        broker_version=(4, 3),
        net=net,
        pause=paused.append,
    )
    vars(KafkaConnection)["_maybe_throttle"](connection, response)
    assert (paused, len(ends_s), response.throttle_time_ms) == (["throttle"], 1, MAX_THROTTLE_MS)
