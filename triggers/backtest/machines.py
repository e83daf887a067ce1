"""Machines that run a plan's programs, handed out to threads and used again for the next drive."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triggers.language.webassembly.host.machine import Machine

Loader = Callable[[bytes], "Callable[[], Machine]"]
"""Turns a program's bytes into a factory of machines that run it; many threads call the factory."""


def load_module(program: bytes) -> Callable[[], Machine]:
    """The WebAssembly module, compiled once for all machines."""
    from triggers.language.webassembly.host import machine  # noqa: PLC0415 - plans and reports do not need wasmtime

    return partial(machine.Machine, machine.load(program))


class MachinePool:
    """Machines of the same programs, each at the beginning of a drive. Thread-safe."""

    def __init__(self, programs: Sequence[bytes], load: Loader = load_module) -> None:
        self._factories = [load(program) for program in programs]
        self._idle: deque[list[Machine]] = deque()

    @contextmanager
    def machines(self) -> Iterator[list[Machine]]:
        """A machine per program, in the order of the programs; any number of threads may hold some at a time.

        They are used again, because the system provides the memory of new ones page by page, which takes as long as
        minutes of a drive. Those of a drive that failed are not.
        """
        machines: list[Machine] = []
        with suppress(IndexError):  # of a deque: popping is atomic, asking for its length first would not be
            machines = self._idle.pop()
        if not machines:
            machines = [factory() for factory in self._factories]
        yield machines
        for machine in machines:
            machine.reset()
        self._idle.append(machines)
