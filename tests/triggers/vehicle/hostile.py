"""A server on loopback that answers as no server should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LATEST_S = 60.0
"""When a server that holds its client gives up itself; reached only if the vehicle does not."""
MIB = 1024**2

Answer = Callable[[socket.socket, threading.Event], None]


@contextmanager
def answering(answer: Answer, *, reads: bool = True) -> Iterator[str]:
    """The URL of a server that answers each connection's first request with whatever `answer` sends."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                if reads:
                    connection.recv(64 * 1024)
                answer(connection, over)
            except OSError:
                return  # the vehicle has hung up, as it should

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)


def once(data: bytes) -> Answer:
    """An answer that is these bytes."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(data)
        over.wait(LATEST_S)

    return answer


def dripping(begin: bytes, drop: bytes) -> Answer:
    """An answer that goes on a drop at a time, each soon after the one before."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(begin)
        while not over.wait(0.05):
            connection.sendall(drop)

    return answer


def endless(begin: bytes) -> Answer:
    """An answer without an end, as fast as it is read."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(begin)
        while not over.is_set():
            connection.sendall(bytes(MIB))

    return answer


def silent(connection: socket.socket, over: threading.Event) -> None:
    """No answer at all."""
    over.wait(LATEST_S)
