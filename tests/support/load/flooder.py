"""A flood by one caller, in a process of its own: the same requests again and again over many connections.

`python -m tests.support.load.flooder` reads a `Flood` as JSON and, when it is over, writes what was answered. It runs
at the lowest priority, for its processor time is not the server's: it stands for a machine of its own.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from tests.support.load.wire import Answer, connect, read_answer
from tests.support.paths import REPOSITORY

FRESH = b"lt_a-token-that-is-made-up-for-every-request--"
"""Stands in a request for a token that nobody has, another one each time."""
LOWEST_PRIORITY = 19
MAX_KINDS = 100
MAX_PAUSE_S = 0.2
_ANSWER_WITHIN_S = 60.0
_ENDS_WITHIN_S = 90.0


@dataclass(frozen=True)
class Flood:
    """`requests` are sent in turns for `seconds`, by `connections` at once from the address `source`.

    Each connection that is accepted sends at least one, however late: the process has the lowest priority.
    `reconnects`: a new connection for each request. `hurries`: answers are not waited for.
    """

    url: str
    requests: tuple[bytes, ...]
    seconds: float
    connections: int = 64
    source: str = ""
    reconnects: bool = False
    hurries: bool = False

    def to_json(self) -> str:
        """As the process reads it."""
        return json.dumps(asdict(self) | {"requests": [base64.b64encode(each).decode() for each in self.requests]})

    @classmethod
    def from_json(cls, text: str) -> Flood:
        """What `to_json` has written."""
        given = json.loads(text)
        return cls(**given | {"requests": tuple(base64.b64decode(each) for each in given["requests"])})


@dataclass
class Flooded:
    """What became of a flood: answers by status, one answer of each kind, and connections that ended without one."""

    statuses: dict[int, int] = field(default_factory=dict)
    kinds: list[Answer] = field(default_factory=list)
    cut: int = 0

    @property
    def answered(self) -> int:
        """How many requests were answered."""
        return sum(self.statuses.values())


class _Flooder:
    def __init__(self, flood: Flood) -> None:
        self._flood = flood
        self._end_s = _now_s() + flood.seconds
        self._sent = 0
        self._statuses: Counter[int] = Counter()
        self._kinds: dict[tuple[int, bytes], Answer] = {}
        self._cut = 0

    async def run(self) -> Flooded:
        await asyncio.gather(*(self._connection() for _ in range(self._flood.connections)))
        return Flooded(dict(self._statuses), list(self._kinds.values()), self._cut)

    async def _connection(self) -> None:
        pause_s = 0.01
        while _now_s() < self._end_s:
            try:
                reader, writer = await connect(self._flood.url, self._flood.source)
            except OSError:
                self._cut += 1
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MAX_PAUSE_S)
                continue
            pause_s = 0.01
            try:
                await self._requests(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
                self._cut += 1
            finally:
                writer.transport.abort()  # what is not read by now is not waited for

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        again = True
        while again:
            request = self._flood.requests[self._sent % len(self._flood.requests)]
            self._sent += 1
            writer.write(request.replace(FRESH, b"lt_" + secrets.token_urlsafe(32).encode()))
            await writer.drain()
            if self._flood.hurries:
                return
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                self._note(await read_answer(reader, to_head=request.startswith(b"HEAD")))
            again = not self._flood.reconnects and _now_s() < self._end_s

    def _note(self, answer: Answer) -> None:
        self._statuses[answer.status] += 1
        kind = (answer.status, answer.body[:200] if answer.status >= 400 else b"")
        if len(self._kinds) < MAX_KINDS:
            self._kinds.setdefault(kind, answer)


def _now_s() -> float:
    return time.monotonic()


@contextmanager
def flooding(*floods: Flood) -> Iterator[list[Flooded]]:
    """Let floods go on while the block runs, which ends when they are over; the list then has what became of each."""
    command = [sys.executable, "-m", "tests.support.load.flooder"]
    found: list[Flooded] = []
    started = [
        subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in floods
    ]
    try:
        for process, flood in zip(started, floods, strict=True):
            assert process.stdin is not None
            process.stdin.write(flood.to_json())
            process.stdin.close()
            process.stdin = None  # it is written
        yield found
        found += _ended(started, floods)
    finally:
        for process in started:
            process.kill()
            process.wait()


def _ended(started: Sequence[subprocess.Popen[str]], floods: Sequence[Flood]) -> Iterator[Flooded]:
    for process, flood in zip(started, floods, strict=True):
        said, _ = process.communicate(timeout=flood.seconds + _ANSWER_WITHIN_S + _ENDS_WITHIN_S)
        told = json.loads(said)
        kinds = [Answer(**each | {"body": base64.b64decode(each["body"])}) for each in told["kinds"]]
        yield Flooded({int(status): count for status, count in told["statuses"].items()}, kinds, told["cut"])


def main() -> None:
    """Flood as standard input says, and tell what came of it."""
    os.nice(LOWEST_PRIORITY - os.nice(0))
    found = asyncio.run(_Flooder(Flood.from_json(sys.stdin.read())).run())
    kinds = [asdict(each) | {"body": base64.b64encode(each.body).decode()} for each in found.kinds]
    print(json.dumps({"statuses": found.statuses, "kinds": kinds, "cut": found.cut}))


if __name__ == "__main__":
    main()
