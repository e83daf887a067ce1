"""A pool of machines for a plan's programs: threads borrow them for a drive and return them for the next one."""

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
    """Compile the WebAssembly module once, for all machines."""
    from triggers.language.webassembly.host import machine  # noqa: PLC0415 - plans and reports do not need wasmtime

    return partial(machine.Machine, machine.load(program))


class MachinePool:
    """Machines of the same programs, each at the beginning of a drive. Thread-safe."""

    def __init__(self, programs: Sequence[bytes], load: Loader = load_module) -> None:
        self._factories = [load(program) for program in programs]
        self._idle: deque[list[Machine]] = deque()

    @contextmanager
    def machines(self) -> Iterator[list[Machine]]:
        """One machine per program, in the order of the programs. Any number of threads may hold machines at a time.

        Machines are reused, because the system provides the memory of a new one page by page, which takes as long as
        running minutes of a drive. Machines of a drive that failed are not reused.
        """
        machines: list[Machine] = []
        with suppress(IndexError):  # popping from a deque is atomic; asking for its length first would not be
            machines = self._idle.pop()
        if not machines:
            machines = [factory() for factory in self._factories]
        yield machines
        for machine in machines:
            machine.reset()
        self._idle.append(machines)
