"""What the Java servers of the tests have in common: a folder, an address that stays, and ends of several kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

from tests.support.servers.java_server import QUICK_START, Holder, JavaServer, ServerFailed

_START_ATTEMPTS = 5
_START_S = 180.0  # a minute is too short where every core has many processes waiting
_PORT_TAKEN = "Address already in use"


class KeptServer(ABC):
    """A server that keeps everything in `folder`; its ports and data are the same after each `start`.

    It ends with this process. With `holders` (see shared_server.py) it lives as long as anybody holds that file
    instead, and its folder no longer. `optimised`: it becomes as fast as it can, for which it takes longer to start.
    """

    def __init__(self, folder: Path, *, holders: Path | None = None, optimised: bool = False) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self._shared_holders = holders
        self._options = [] if optimised else [QUICK_START]
        self._ports: list[int] = []
        self._holder: Holder | None = None
        self._server: JavaServer | None = None

    @property
    def port(self) -> int:
        """Where clients connect, on 127.0.0.1."""
        return self._ports[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start, and return when it answers."""
        if self._ports:
            self._launch()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._ports = self._prepare(attempt)
            try:
                self._launch()
                break
            except ServerFailed as failed:
                self._ports = []
                if _PORT_TAKEN not in str(failed) or attempt == _START_ATTEMPTS:
                    raise
        self._after_first_start()

    def stop(self) -> None:
        """An orderly end."""
        if self._server:
            self._server.stop()
        self._release()

    def kill(self) -> None:
        """The end that nothing announces."""
        if self._server:
            self._server.kill()
        self._release()

    def is_running(self) -> bool:
        """Whether the server that this object started is there."""
        return self._server is not None and self._server.is_running()

    def pids(self) -> tuple[int, int]:
        """The process of the keeper, and that of the server."""
        assert self._server is not None
        return self._server.keeper_pid, self._server.pid

    def state(self) -> dict[str, Any]:
        """What another process needs to `adopt` this server, or a later one to `restore` it."""
        return {"ports": self._ports}

    def restore(self, state: dict[str, Any]) -> None:
        """Be the server that `folder` has the data of: `start` then starts that one again."""
        self._ports = state["ports"]

    def adopt(self, state: dict[str, Any]) -> bool:
        """Use the server that another process started, if it answers."""
        self.restore(state)
        return self._answers()

    def _launch(self) -> None:
        holders = self._shared_holders or self.folder / "holders"
        if not self._shared_holders:
            self._holder = Holder(holders)
        remove = self.folder if self._shared_holders else None
        try:
            arguments = [*self._options, *self._arguments()]
            self._server = JavaServer(arguments, holders=holders, log=self.log, remove_at_end=remove)
            self._server.wait_until(self._answers, within_s=_START_S, what=f"{type(self).__name__} at {self.port}")
        except BaseException:
            self.kill()
            raise

    def _release(self) -> None:
        if self._holder:
            self._holder.release()
        self._server = self._holder = None

    @abstractmethod
    def _prepare(self, attempt: int) -> list[int]:
        """Choose ports, and write what the server needs at its first start."""

    @abstractmethod
    def _arguments(self) -> list[str]:
        """What Java is to run."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it does its work."""

    def _after_first_start(self) -> None:
        """What is done once, with the server running."""
        return
