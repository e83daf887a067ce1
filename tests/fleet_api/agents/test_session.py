"""Messages of the protocol, one by one: versions, mistakes of clients, hostile frames, batches, cancelled calls."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_api.agents.protocol import session
from fleet_api.agents.protocol.calls import Call
from fleet_api.agents.protocol.frames import MAX_FRAME_BYTES, Output
from fleet_api.agents.protocol.session import MAX_CALLS, Server, Session
from fleet_api.agents.protocol.versions import WITH_HANDSHAKE
from tests.support.waiting import wait_for

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


class Talked:
    """A session over streams in memory, with a method that echoes and one that waits until it is cancelled."""

    def __init__(self) -> None:
        self.stream = io.BytesIO()
        self.begun = threading.Semaphore(0)
        methods = {"echo": lambda params, _: {"echoed": params.get("word")}, "wait": self._wait, "fail": self._fail}
        server = Server({"name": "s", "version": "1"}, {"tools": {}}, "", methods, frozenset({"wait"}))
        self.session = Session(server, Output(self.stream))

    def _wait(self, _params: dict[str, Any], call: Call) -> dict[str, Any]:
        self.begun.release()
        call.tell(1, 2, "waiting")
        wait_for(lambda: call.is_cancelled, within_s=60, what="the end of the call")
        call.check()
        raise AssertionError

    def _fail(self, _params: dict[str, Any], _call: Call) -> dict[str, Any]:
        raise RuntimeError("a secret")

    def answers(self) -> list[Any]:
        """What was written so far."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def take(self, *messages: object) -> list[Any]:
        """Send messages (bytes as they are), and return what was answered at once."""
        known = len(self.answers())
        for message in messages:
            self.session.take(message if isinstance(message, bytes) else json.dumps(message).encode())
        return self.answers()[known:]

    def ask(self, method: str, params: object = None, request_id: object = 1) -> Any:
        """One request and its answer."""
        message = {"jsonrpc": "2.0", "id": request_id, "method": method}
        (answer,) = self.take(message if params is None else {**message, "params": params})
        return answer

    def initialize(self, version: str = "2025-11-25") -> Any:
        return self.ask("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c"}})


def code(answer: Any) -> int:
    number: int = answer["error"]["code"]
    return number


@pytest.mark.parametrize("version", WITH_HANDSHAKE)
def test_a_version_that_is_spoken_is_agreed_on(version: str) -> None:
    assert Talked().initialize(version)["result"]["protocolVersion"] == version


@pytest.mark.parametrize("version", ["2023-01-01", "2026-07-28", "zzz", ""])
def test_another_version_is_answered_with_the_newest_that_has_a_handshake(version: str) -> None:
    assert Talked().initialize(version)["result"]["protocolVersion"] == "2025-11-25"


def test_nothing_is_served_before_a_session_has_begun_but_a_ping() -> None:
    talked = Talked()
    assert code(talked.ask("echo", {})) == -32600
    assert talked.ask("ping")["result"] == {}
    talked.initialize()
    assert talked.ask("echo", {"word": "a"}) == {"jsonrpc": "2.0", "id": 1, "result": {"echoed": "a"}}
    assert code(talked.initialize()) == -32600


def test_requests_that_say_their_version_need_no_handshake() -> None:
    talked = Talked()
    found = talked.ask("server/discover", {"_meta": MODERN})["result"]
    assert found["supportedVersions"][0] == "2026-07-28"
    assert (found["resultType"], found["cacheScope"]) == ("complete", "private")
    assert talked.ask("echo", {"_meta": MODERN, "word": "a"})["result"]["resultType"] == "complete"
    for version in ("2030-01-01", 7, []):
        refused = talked.ask("echo", {"_meta": {"io.modelcontextprotocol/protocolVersion": version}})
        assert code(refused) == -32022
        assert "2026-07-28" in refused["error"]["data"]["supported"]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": NaN}}', -32700),
        (b'{"a": ' + b"9" * 5000 + b"}", -32700),
        (b"[" * 100_000, -32700),
        (b'{"a":' * 50_000, -32700),
        (b"3", -32600),
        (b"null", -32600),
        (b"[]", -32600),
        (b"{}", -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 3}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": 1}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": 1}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}', -32601),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, bytes) else "",
)
def test_what_is_no_message_is_answered_by_an_error(frame: bytes, expected: int) -> None:
    (answer,) = Talked().take(frame)
    assert code(answer) == expected
    assert answer["jsonrpc"] == "2.0"


def test_an_error_names_the_request_where_that_can_be_read() -> None:
    (answer,) = Talked().take(b'{"jsonrpc": "2.0", "id": "seven", "method": 3}')
    assert answer["id"] == "seven"
    assert Talked().take(b"{")[0]["id"] is None


def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_read() -> None:
    talked = Talked()
    ping = b'{"jsonrpc": "2.0", "id": 2, "method": "ping"}\n'
    talked.session.serve(io.BytesIO(b" " * (MAX_FRAME_BYTES + 10) + b"\n\n" + ping))
    assert [answer.get("id") for answer in talked.answers()] == [None, 2]


def test_responses_and_unknown_notifications_are_not_answered() -> None:
    talked = Talked()
    assert talked.take({"jsonrpc": "2.0", "id": 9, "result": {}}) == []
    assert talked.take({"jsonrpc": "2.0", "id": 9, "error": {"code": 1, "message": ""}}) == []
    assert talked.take({"jsonrpc": "2.0", "method": "notifications/initialized"}) == []
    for wrong in (3, None, [], {}, "x"):
        message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": wrong}}
        assert talked.take(message) == []


def test_an_unexpected_error_ends_one_call_and_its_words_stay_here(capsys: pytest.CaptureFixture[str]) -> None:
    talked = Talked()
    talked.initialize()
    answer = talked.ask("fail")
    assert code(answer) == -32603
    assert "secret" not in json.dumps(answer)
    assert "a secret" in capsys.readouterr().err
    assert talked.ask("ping")["result"] == {}


def test_a_call_that_is_cancelled_is_not_answered() -> None:
    talked = Talked()
    talked.initialize()
    params = {"_meta": {"progressToken": "p"}}
    talked.take({"jsonrpc": "2.0", "id": "w", "method": "wait", "params": params})
    assert talked.begun.acquire(timeout=60)
    assert code(talked.ask("wait", request_id="w")) == -32600, "its id is taken"
    talked.take({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "w"}})
    talked.session.end()
    said = [answer for answer in talked.answers() if answer.get("id") == "w"]
    assert [each["error"]["code"] for each in said] == [-32600]
    (told,) = [answer for answer in talked.answers() if answer.get("method") == "notifications/progress"]
    assert told["params"] == {"progressToken": "p", "progress": 1, "total": 2, "message": "waiting"}


class Ending(io.BytesIO):
    """Messages of a client, and whether all of them have been read."""

    def __init__(self, *messages: object) -> None:
        super().__init__(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        self.ended = threading.Event()

    def readline(self, size: int | None = -1, /) -> bytes:
        if not (line := super().readline(size)):
            self.ended.set()
        return line


def ending(method: str) -> Ending:
    """A client that asks for one thing and writes no more."""
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    return Ending(begin, {"jsonrpc": "2.0", "id": 2, "method": method})


def test_the_last_call_of_a_client_that_writes_no_more_is_answered() -> None:
    said, heard = ending("late"), io.BytesIO()

    def late(_params: dict[str, Any], _call: Call) -> dict[str, Any]:
        return {"ended": said.ended.wait(timeout=60)}

    server = Server({"name": "s", "version": "1"}, {}, "", {"late": late}, frozenset({"late"}))
    Session(server, Output(heard)).serve(said)
    assert json.loads(heard.getvalue().splitlines()[-1])["result"]["ended"] is True


def test_a_call_that_takes_longer_than_its_client_is_waited_for_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ANSWERS_WITHIN_S", 0.0)
    talked = Talked()
    talked.session.serve(ending("wait"))
    assert [answer["id"] for answer in talked.answers()] == [1]


def test_calls_beyond_the_limit_are_refused_and_waiting_ones_can_be_cancelled() -> None:
    talked = Talked()
    talked.initialize()
    for number in range(MAX_CALLS):
        talked.take({"jsonrpc": "2.0", "id": number, "method": "wait"})
    assert code(talked.ask("wait", request_id="one more")) == -32000
    talked.session.end()
    assert code(talked.answers()[-1]) == -32000


def test_a_batch_is_answered_at_once_in_the_version_that_has_batches() -> None:
    talked = Talked()
    talked.initialize("2025-03-26")
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    echo = {"jsonrpc": "2.0", "id": 2, "method": "echo", "params": {"word": "b"}}
    quiet = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    (answers,) = talked.take([ping, echo, quiet, 3])
    assert [answer.get("id") for answer in answers] == [1, 2, None]
    assert talked.take([quiet]) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | JSON},
    optional={
        "id": JSON,
        "method": st.sampled_from(["ping", "echo", "initialize", "server/discover", "notifications/cancelled"]) | JSON,
        "params": st.fixed_dictionaries(
            {}, optional={"_meta": st.just(MODERN) | JSON, "requestId": JSON, "protocolVersion": JSON}
        )
        | JSON,
    },
)


@settings(max_examples=150, deadline=None)
@given(message=KEYS | JSON)
def test_whatever_comes_is_answered_by_messages(message: object) -> None:
    talked = Talked()
    for answer in talked.take(message):
        assert answer["jsonrpc"] == "2.0"
        assert ("result" in answer) is not ("error" in answer)
    assert talked.ask("ping", request_id="after")["result"] == {}
