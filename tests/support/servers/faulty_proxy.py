"""A proxy in front of an HTTP server that does what networks do: loses answers, breaks them off, gives others."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_TIMEOUT_S = 30.0
_OF_ONE_CONNECTION = frozenset({"transfer-encoding", "connection"})


@dataclass
class Fault:
    """What happens to the next `times` requests that `wanted` (of method and path) picks."""

    wanted: Callable[[str, str], bool]
    times: int = 1
    forwarded: bool = True
    """Whether the server gets to see the request."""
    answer: tuple[int, bytes] | None = None
    """Status and body that the client gets instead of the server's."""
    body_bytes: int | None = None
    """How much of the answer's body the client gets before the connection breaks; without both it gets nothing."""


@dataclass
class FaultyProxy:
    """The proxy's address, the faults it has yet to commit, and the requests it has seen."""

    port: int
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fault_for(self, method: str, path: str) -> Fault | None:
        with self.lock:
            self.seen.append((method, path))
            for fault in self.faults:
                if fault.times > 0 and fault.wanted(method, path):
                    fault.times -= 1
                    return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_S
    target_port: int
    proxy: FaultyProxy

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.proxy.fault_for(self.command, self.path)
        status, headers, answer = self._forward(body) if fault is None or fault.forwarded else (0, [], b"")
        if fault and fault.answer:
            status, answer = fault.answer
            headers = [("Content-Length", str(len(answer)))]
        elif fault:
            self.close_connection = True
            if fault.body_bytes is None:
                return
            answer = answer[: fault.body_bytes]
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815  the base class's names

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=_TIMEOUT_S)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {"expect", "connection"}:
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_ONE_CONNECTION}
        if self.command != "HEAD":
            kept["Content-Length"] = str(len(content))
        return answer.status, list(kept.items()), content

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Nothing is written to standard error."""


@contextmanager
def faulty_proxy(target_port: int) -> Iterator[FaultyProxy]:
    """A proxy for 127.0.0.1:`target_port` that runs until the block ends."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.target_port = target_port
    proxy = Handler.proxy = FaultyProxy(server.server_address[1])
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    serving.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        serving.join(_TIMEOUT_S)
