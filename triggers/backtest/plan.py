"""What a backtest runs: the programs of a trigger file, the very bytes that would go to the vehicles.

A file's campaigns run as they would be sent; triggers that no campaign collects run as a program of their own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from triggers.contracts.campaign import TriggerSettings
from triggers.contracts.compared import Compared
from triggers.errors import InvalidInput
from triggers.language.compile import Compilation


class Named(Protocol):
    """An input or a trigger of a program."""

    @property
    def name(self) -> str:
        """Its name in the trigger file or the signal catalog."""


class ProgramInterface(Protocol):
    """What a program reads and decides, in the order in which rows and fires number them."""

    @property
    def inputs(self) -> Sequence[Named]:
        """The signals of a row's columns."""

    @property
    def triggers(self) -> Sequence[Named]:
        """The triggers that fires give the index of."""


class Machine(Protocol):
    """A program and the state of a drive, as `triggers.language.webassembly.machine` has it."""

    @property
    def manifest(self) -> ProgramInterface:
        """Its inputs and triggers."""

    @property
    def suppressed(self) -> Mapping[str, int]:
        """Rises that fell into a cooldown, by trigger."""

    @property
    def overflows(self) -> int:
        """Window entries lost because samples came faster than declared."""

    @property
    def compared(self) -> Mapping[str, Compared]:
        """The confusion table of each compared head."""

    def run(self, t_ns: NDArray[np.int64], columns: Sequence[NDArray[np.float64] | None]) -> NDArray[Any]:
        """Run rows of strictly ascending times; fires as records with `t_ns` and `trigger`."""

    def reset(self) -> None:
        """As if nothing had ever been run."""


Loader = Callable[[bytes], Callable[[], Machine]]
"""Turns a program's bytes into a factory of machines that run it; the factory is called by many threads."""


def load_module(program: bytes) -> Callable[[], Machine]:
    """The WebAssembly module, compiled once for all machines."""
    from triggers.language.webassembly.host import machine  # noqa: PLC0415 - it needs wasmtime, a test of reports does not

    return partial(machine.Machine, machine.load(program))


@dataclass(frozen=True)
class Plan:
    """What to run: programs, and each trigger's settings and sampling, by name."""

    programs: tuple[bytes, ...]
    settings: dict[str, TriggerSettings]
    one_in: dict[str, int]
    load: Loader = load_module
    _idle: deque[list[Machine]] = field(default_factory=deque, init=False, repr=False, compare=False)

    @cached_property
    def factories(self) -> tuple[Callable[[], Machine], ...]:
        """The programs, loaded."""
        return tuple(self.load(program) for program in self.programs)

    @contextmanager
    def machines(self) -> Iterator[list[Machine]]:
        """A machine for each program, at the beginning of a drive; any number of threads may have some at a time.

        They are used again, as the memory of new ones comes from the system page by page, which takes as long as
        minutes of a drive. Those of a drive that failed are not.
        """
        machines: list[Machine] = []
        with suppress(IndexError):
            machines = self._idle.pop()
        if not machines:
            machines = [factory() for factory in self.factories]
        yield machines
        for machine in machines:
            machine.reset()
        self._idle.append(machines)


def make_plan(compilation: Compilation) -> Plan:
    """The programs of a compiled file; every trigger is in at least one of them."""
    if compilation.triggers is None:
        raise InvalidInput("the trigger file has errors", remedy="see its diagnostics")
    settings = {trigger.name: trigger for trigger in compilation.triggers.settings}
    one_in: dict[str, int] = {}
    for campaign in compilation.campaigns.values():
        for trigger in campaign.settings.triggers:
            rate = campaign.settings.sample_one_in
            one_in[trigger.name] = min(rate, one_in.get(trigger.name, rate))
    programs = [campaign.program for campaign in compilation.campaigns.values()]
    if set(settings) - set(one_in):
        programs.append(compilation.triggers.program)
    return Plan(tuple(dict.fromkeys(programs)), settings, {name: one_in.get(name, 1) for name in settings})
