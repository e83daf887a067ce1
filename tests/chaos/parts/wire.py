"""A wire between two parts: a TCP proxy on 127.0.0.1 that can refuse, stall, delay, cut and corrupt what passes."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_PIECE_BYTES = 64 * 1024
_STALL_POLL_S = 0.05
_JOIN_S = 10.0


@dataclass(frozen=True)
class Trouble:
    """What happens to the bytes that pass; `cut` and `flip` are chances for each piece of at most 64 KiB."""

    refused: bool = False
    """New connections are closed at once, and so are those that exist."""
    stalled: bool = False
    delay_s: float = 0.0
    cut: float = 0.0
    flip: float = 0.0
    """The chance that one bit of a piece is turned over."""


class Wire:
    """A listening port whose connections lead to `target`, which may be set later: a port on 127.0.0.1, or the path of
    a Unix socket."""

    def __init__(self, name: str, seed: int, target: int | str = 0, *, answers_flip: bool = True) -> None:
        """`answers_flip` is False where nothing protects answers but TLS, which is left out here: a number in a header
        of HTTP that was turned over cannot be told from a true one."""
        self.name = name
        self._answers_flip = answers_flip
        self.target = target
        self.flips = self.cuts = 0
        self._trouble = Trouble()
        self._rng = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"wire-{name}", daemon=True)

    @property
    def port(self) -> int:
        """Where to connect, on 127.0.0.1."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_JOIN_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_JOIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_JOIN_S)
        self._loop.close()

    def set(self, trouble: Trouble) -> None:
        """From now on `trouble` happens; `Trouble()` is none."""
        self._trouble = trouble
        if trouble.refused:
            self._loop.call_soon_threadsafe(self._cut_all)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_PIECE_BYTES)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        self._cut_all()
        pumps = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    def _cut_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._trouble.refused:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await self._connected()
        except OSError:
            writer.transport.abort()  # as the target would have done it
            return
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(
                self._pump(reader, far_writer, flips=True),
                self._pump(far_reader, writer, flips=self._answers_flip),
            )
            for end in pair:
                end.close()  # what is still on its way arrives
                await end.wait_closed()
        except OSError:
            self.cuts += 1
        finally:
            self._writers -= pair
            for end in pair:
                end.transport.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, str):
            return await asyncio.open_unix_connection(self.target, limit=_PIECE_BYTES)
        return await asyncio.open_connection("127.0.0.1", self.target, limit=_PIECE_BYTES)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, flips: bool) -> None:
        while piece := await reader.read(_PIECE_BYTES):
            while self._trouble.stalled:
                await asyncio.sleep(_STALL_POLL_S)
            trouble = self._trouble
            if trouble.delay_s:
                await asyncio.sleep(trouble.delay_s)
            if trouble.cut and self._rng.random() < trouble.cut:
                raise ConnectionAbortedError(f"the wire {self.name} was cut")
            if flips and trouble.flip and self._rng.random() < trouble.flip:
                piece = self._flipped(piece)
            writer.write(piece)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    def _flipped(self, piece: bytes) -> bytes:
        """The piece with one bit turned over, where most bytes are: anywhere."""
        self.flips += 1
        at = self._rng.randrange(len(piece))
        return piece[:at] + bytes([piece[at] ^ (1 << self._rng.randrange(8))]) + piece[at + 1 :]
