"""The loopback listener of a log-in (RFC 8252, section 7.3): the browser brings the provider's answer to it."""

from __future__ import annotations

import queue
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from fleet_api.openid.authorization import Attempt
from triggers.errors import Misconfigured, Unauthenticated
from triggers.foreign_text import escaped

PATH = "/callback"
SILENCE_S = 10
MAX_QUERY_CHARACTERS = 16 * 1024
_PAGE = "<!doctype html><meta charset=utf-8><title>Longtail</title><p>{}</p>"


class Loopback:
    """Listens on 127.0.0.1 for the answer to one attempt; answers to others are refused. A context manager."""

    def __init__(self, attempt: Attempt, *, issuer: str, iss_is_sent: bool, port: int = 0) -> None:
        """`port` 0: any free one. Misconfigured if the port is taken."""
        self._answers: queue.Queue[dict[str, str]] = queue.Queue(maxsize=1)
        self._attempt = attempt
        self._issuer = issuer
        self._iss_is_sent = iss_is_sent
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        except OSError as error:
            raise Misconfigured(
                f"cannot listen on 127.0.0.1:{port}: {error.strerror}", remedy="choose another --port"
            ) from error
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser to."""
        return f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def code(self, within_s: float) -> str:
        """The code that the browser brings. Unauthenticated if it brings none, or an error, or another's answer."""
        try:
            answer = self._answers.get(timeout=within_s)
        except queue.Empty:
            raise Unauthenticated(
                f"nobody logged in within {within_s:g} s", remedy="run it again, and open the address in a browser"
            ) from None
        if answer.get("iss", None if self._iss_is_sent else self._issuer) != self._issuer:
            raise Unauthenticated("the answer comes from another provider than was asked", remedy="run it again")
        if "code" not in answer:
            reason = escaped(answer.get("error", "it sent no code")[:200])
            raise Unauthenticated(f"the provider did not log you in: {reason}", remedy="run it again")
        return answer["code"]

    def take(self, answer: dict[str, str]) -> bool:
        """Keep an answer; False for one that belongs to another attempt, or a second one."""
        if not self._attempt.began(answer.get("state", "")):
            return False
        try:
            self._answers.put_nowait(answer)
        except queue.Full:
            return False
        return True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One request of a browser on this machine, or of anybody else on it."""

        timeout = SILENCE_S

        def do_GET(self) -> None:
            """Take the provider's answer."""
            parts = urlsplit(self.path)
            if parts.path != PATH or len(parts.query) > MAX_QUERY_CHARACTERS:
                self._answer(HTTPStatus.NOT_FOUND, "There is nothing here.")
                return
            given = {name: values[0] for name, values in parse_qs(parts.query).items() if len(values) == 1}
            if loopback.take(given):
                self._answer(HTTPStatus.OK, "Go on at your command line. This page can be closed.")
            else:
                self._answer(HTTPStatus.BAD_REQUEST, "This answer belongs to another log-in.")

        def log_message(self, *_: object) -> None:
            """The code is in the address, so nothing is logged."""

        def _answer(self, status: HTTPStatus, text: str) -> None:
            page = _PAGE.format(text).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.send_header("Content-Security-Policy", "default-src 'none'")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(page)

    return Handler
