"""The engine: WebAssembly compiled to this machine's own code, here or by another process of the same version.

Nothing but the runtime is imported, so that a process that only compiles starts quickly.
"""

from __future__ import annotations

from functools import cache

import wasmtime

from triggers.errors import InvalidInput

MAX_EXPORTS = 64
_UNUSED_PROPOSALS = (
    "threads",
    "memory64",
    "multi_memory",
    "tail_call",
    "exceptions",
    "function_references",
    "gc",
    "relaxed_simd",
)


@cache
def engine(metered: bool) -> wasmtime.Engine:
    """The engine of this process, with or without a count of instructions."""
    config = wasmtime.Config()
    config.consume_fuel = metered
    for proposal in _UNUSED_PROPOSALS:
        setattr(config, f"wasm_{proposal}", False)
    config.cranelift_opt_level = "speed"
    config.parallel_compilation = False  # its threads do not survive a fork, so compiling would hang in the child
    return wasmtime.Engine(config)


def compiled(module: bytes, *, metered: bool) -> wasmtime.Module:
    """Compile a module. Raises InvalidInput if it is none, imports anything, or exports more than a program does."""
    try:
        code = wasmtime.Module(engine(metered), module)
    except wasmtime.WasmtimeError as error:
        raise InvalidInput(f"program: not a valid WebAssembly module ({reason_of(error)})") from error
    if len(code.imports):
        raise InvalidInput("program: the module imports something; modules of this compiler import nothing")
    if len(code.exports) > MAX_EXPORTS:
        raise InvalidInput(f"program: the module exports more than {MAX_EXPORTS} items")
    return code


def taken_over(native: bytes, *, metered: bool) -> wasmtime.Module:
    """The module whose `serialize` gave these bytes; only for bytes of our own, since they are run as they are.

    Raises InvalidInput if they are of another version or another kind of machine.
    """
    try:
        return wasmtime.Module.deserialize(engine(metered), native)
    except wasmtime.WasmtimeError as error:
        raise InvalidInput(f"program: compiled by another version ({reason_of(error)})") from error


def reason_of(error: Exception) -> str:
    """The last line of the runtime's message: the root cause, below the backtrace."""
    return str(error).strip().rpartition("\n")[2].strip()[:200]
