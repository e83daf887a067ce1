"""The wire breaks what passes as it is told to, and passes everything on when it is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.parts.wire import Trouble, Wire

SENT = bytes(range(256)) * 64
WITHIN_S = 10.0


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends everything back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]


def _echo(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                while piece := connection.recv(65536):
                    connection.sendall(piece)


def sent_through(wire: Wire, sent: bytes = SENT) -> bytes:
    """What comes back until the connection ends, in whichever way."""
    received = b""
    with socket.create_connection(("127.0.0.1", wire.port), timeout=WITHIN_S) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            raise
        except OSError:
            return received
    return received


def bits_that_differ(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def test_without_trouble_all_bytes_pass_in_both_directions(echo: int) -> None:
    with Wire("w", 1, echo) as wire:
        assert sent_through(wire) == SENT
        assert (wire.flips, wire.cuts) == (0, 0)


def test_every_flip_turns_one_bit_over_and_is_counted(echo: int) -> None:
    with Wire("w", 1, echo) as wire:
        wire.set(Trouble(flip=1.0))
        received = sent_through(wire, b"\0")
        assert wire.flips == 2  # on the way there and back
        assert bits_that_differ(received, b"\0") in (0, 2)


def test_answers_pass_unharmed_where_nothing_protects_them(echo: int) -> None:
    with Wire("w", 1, echo, answers_flip=False) as wire:
        wire.set(Trouble(flip=1.0))
        assert bits_that_differ(sent_through(wire, b"\0"), b"\0") == 1
        assert wire.flips == 1


def test_a_cut_ends_the_connection_before_all_has_passed(echo: int) -> None:
    with Wire("w", 1, echo) as wire:
        wire.set(Trouble(cut=1.0))
        assert sent_through(wire) == b""
        assert wire.cuts == 1


def test_refused_connections_end_at_once_and_later_ones_pass_again(echo: int) -> None:
    with Wire("w", 1, echo) as wire:
        wire.set(Trouble(refused=True))
        assert sent_through(wire) == b""
        wire.set(Trouble())
        assert sent_through(wire) == SENT


def test_what_is_stalled_passes_when_the_stall_is_over(echo: int) -> None:
    with Wire("w", 1, echo) as wire, socket.create_connection(("127.0.0.1", wire.port), timeout=0.3) as connection:
        wire.set(Trouble(stalled=True))
        connection.sendall(b"late")
        with pytest.raises(TimeoutError):
            connection.recv(4)
        wire.set(Trouble())
        connection.settimeout(WITHIN_S)
        assert connection.recv(4) == b"late"


def test_a_target_that_does_not_listen_looks_like_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        unused = listener.getsockname()[1]
    with Wire("w", 1, unused) as wire:
        assert sent_through(wire) == b""
