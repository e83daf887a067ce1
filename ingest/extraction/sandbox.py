"""Runs the extracting child: its request in a folder, no secrets in its environment, and a time limit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.extraction.outputs import MAX_RESULT_BYTES, REQUEST_FILE, RESULT_FILE, ExtractionRequest, ExtractionResult
from triggers.errors import InvalidInput, LongtailError
from triggers.processes.bounded import TimedOut, run_bounded
from triggers.processes.ends import described_end

FILE_BYTES_BASE = 256 * 1024**2
WALL_GRACE_S = 5
ERRORS_FILE = "stderr.txt"
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
MODULE = ("-m", "ingest.extraction.child")


class ChildFailed(LongtailError):
    """The child gave no answer: it broke a limit or crashed. Another attempt may succeed."""

    code = "extraction_failed"


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one child may use. `timeout_s` limits both its processor time and its lifetime, in seconds."""

    memory_bytes: int
    timeout_s: float


def run_child(
    folder: Path,
    request: ExtractionRequest,
    limits: ChildLimits,
    *,
    go_on: Callable[[], bool],
    program: Sequence[str] = MODULE,
) -> ExtractionResult:
    """Extract the clip in the folder. ChildFailed without an answer, Interrupted once `go_on` returns False.

    `go_on` is called all the time; the child and everything it started are gone when this returns or raises.
    """
    (folder / REQUEST_FILE).write_bytes(request.canonical_json())
    timeout_s = max(1, round(limits.timeout_s))
    file_bytes = FILE_BYTES_BASE + 2 * sum(path.stat().st_size for path in folder.iterdir())
    arguments = (folder, limits.memory_bytes, timeout_s, file_bytes, timeout_s + WALL_GRACE_S)
    try:
        status = run_bounded(
            [sys.executable, *program, *(str(argument) for argument in arguments)],
            environment=_environment(),
            errors=folder / ERRORS_FILE,
            timeout_s=limits.timeout_s,
            go_on=go_on,
        )
    except TimedOut:
        raise ChildFailed(f"the extractor did not finish within {limits.timeout_s:g} s") from None
    if status != 0:
        raise ChildFailed(f"the extractor {described_end(status)}{_last_line(folder)}")
    return _result(folder)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | _ONE_THREAD


def _last_line(folder: Path) -> str:
    with (folder / ERRORS_FILE).open("rb") as errors:
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2000))
        lines = errors.read().decode(errors="replace").strip().splitlines()
    return f": {lines[-1][:300]}" if lines else ""


def _result(folder: Path) -> ExtractionResult:
    try:
        with (folder / RESULT_FILE).open("rb") as file:
            data = file.read(MAX_RESULT_BYTES + 1)
        if len(data) > MAX_RESULT_BYTES:
            raise ChildFailed(f"the extractor's answer is larger than {MAX_RESULT_BYTES} bytes")
        return ExtractionResult.from_json(data, what="the extractor's answer")
    except (OSError, InvalidInput) as error:
        raise ChildFailed(f"the extractor left no usable answer: {error}") from error
