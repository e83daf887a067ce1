"""The caps of a vehicle on any program, which hold whatever its author was allowed, and whoever signed it."""

from __future__ import annotations

from dataclasses import dataclass

from triggers.errors import InvalidInput
from triggers.language.webassembly.host.fuel import OPERATIONS_PER_S
from triggers.language.webassembly.host.machine import LoadedModule
from triggers.language.webassembly.host.manifest import Manifest
from triggers.vehicle.config import VehicleConfig
from triggers.vehicle.programs.compiler import DEFAULT_LIMITS, MIB, CompilerLimits


@dataclass(frozen=True, slots=True)
class ProgramCaps:
    """What one program may take of the vehicle; the vehicle's configuration has the same settings."""

    state_bytes: int = 4 * MIB
    operations: int = 200_000
    """Per tick, as the program states them."""
    memory_bytes: int = 64 * MIB
    operations_per_s: int = OPERATIONS_PER_S
    """Per second of data, as they are counted; a program that takes more is suspended."""
    compiler: CompilerLimits = DEFAULT_LIMITS

    @classmethod
    def of(cls, config: VehicleConfig) -> ProgramCaps:
        """Those of a vehicle."""
        return cls(
            config.max_program_state_bytes,
            config.max_program_operations,
            config.max_program_memory_bytes,
            config.max_program_operations_per_s,
            CompilerLimits(config.compile_cpu_s, config.compile_memory_bytes),
        )

    def check_stated(self, manifest: Manifest) -> None:
        """Raise InvalidInput if the program states more; before it is compiled, since a large one takes long."""
        state_bytes, operations = manifest.state.size_bytes, manifest.cost.operations_per_tick
        if state_bytes > self.state_bytes or operations > self.operations:
            raise InvalidInput(
                f"its program needs {state_bytes:,} bytes of state and {operations:,} operations per tick; this"
                f" vehicle allows {self.state_bytes:,} and {self.operations:,}",
                remedy="split the campaign, or raise max_program_state_bytes and max_program_operations of the vehicle",
            )

    def check_memory(self, module: LoadedModule) -> None:
        """Raise InvalidInput if the program has more memory; before it is instantiated."""
        if module.memory_bytes > self.memory_bytes:
            raise InvalidInput(
                f"its program has {module.memory_bytes:,} bytes of memory; this vehicle allows {self.memory_bytes:,}",
                remedy="split the campaign, or raise max_program_memory_bytes of the vehicle",
            )


DEFAULT_CAPS = ProgramCaps()
