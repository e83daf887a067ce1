"""Names of servers: a resolver that never answers costs an exchange its time, and one thread for each name."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx
import pytest

from tests.triggers.vehicle.hostile import answering, once
from triggers.vehicle.exchange import MAX_LOOKUPS, ExchangeTransport, Names

resolve = socket.getaddrinfo


class Resolver:
    """In the place of the system's, of which no test can ask that it be silent: it answers once it may."""

    def __init__(self, addresses: tuple[str, ...] = ("127.0.0.1",)) -> None:
        self.may_answer = threading.Event()
        self.asked: list[str] = []
        self._addresses = addresses

    def __call__(self, host: str, port: int, *options: Any, **named: Any) -> list[Any]:
        if host in self._addresses:  # a connection asks for its address, too
            return list(resolve(host, port, *options, **named))
        self.asked.append(host)
        assert self.may_answer.wait(60), "the test did not end"
        return [each for address in self._addresses for each in resolve(address, port, *options, **named)]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    silent = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", silent)
    yield silent
    silent.may_answer.set()


@contextmanager
def client(exchange_s: float) -> Iterator[httpx.Client]:
    with httpx.Client(transport=ExchangeTransport(exchange_s), timeout=60, trust_env=False) as http:
        yield http


def test_an_exchange_ends_in_time_with_a_resolver_that_never_answers(resolver: Resolver) -> None:
    with client(0.2) as http:
        for _ in range(3):
            with pytest.raises(httpx.ConnectTimeout, match=r"cloud\.example was not resolved"):
                http.get("http://cloud.example/")
    assert resolver.asked == ["cloud.example"], "one that hangs is not asked again"


def test_the_exchange_after_a_late_answer_of_the_resolver_works(resolver: Resolver) -> None:
    with answering(once(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as url, client(0.2) as http:
        named = url.replace("127.0.0.1", "cloud.example")
        with pytest.raises(httpx.ConnectTimeout):
            http.get(named)
        resolver.may_answer.set()
    with answering(once(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as url, client(30) as http:
        assert http.get(url.replace("127.0.0.1", "cloud.example")).status_code == 200


def test_lookups_that_hang_are_bounded(resolver: Resolver) -> None:
    names = Names()
    for number in range(MAX_LOOKUPS):
        with pytest.raises(httpcore.ConnectTimeout):
            names.addresses(f"{number}.example", 443, 0.01)
    with pytest.raises(httpcore.ConnectError, match="being resolved"):
        names.addresses("one-more.example", 443, 0.01)
    assert names.addresses("127.0.0.1", 443, 0.01) == ["127.0.0.1"], "an address needs no resolver"
    assert len(resolver.asked) == MAX_LOOKUPS


def test_the_next_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Resolver(("127.0.0.9", "127.0.0.1"))
    two.may_answer.set()
    monkeypatch.setattr(socket, "getaddrinfo", two)
    with answering(once(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as url, client(30) as http:
        assert http.get(url.replace("127.0.0.1", "cloud.example")).status_code == 200


def test_a_name_that_is_none_is_said() -> None:
    with pytest.raises(httpcore.ConnectError, match="not resolved"):
        Names().addresses("a" * 70 + ".invalid", 443, 30)
