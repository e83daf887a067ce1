"""Runs the extracting child: in its own process group, without this process's secrets, no longer than allowed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.extraction.outputs import MAX_RESULT_BYTES, REQUEST_FILE, RESULT_FILE, ExtractionRequest, ExtractionResult
from triggers.errors import InvalidInput, LongtailError

FILE_BYTES_BASE = 256 * 1024**2
WALL_GRACE_S = 5
_POLL_S = 0.05
_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
MODULE = ("-m", "ingest.extraction.child")


class ChildFailed(LongtailError):
    """The child gave no answer: it broke a limit or crashed. Another attempt may succeed."""

    code = "extraction_failed"


class Interrupted(LongtailError):
    """The caller did not want to wait any longer; the child was ended."""

    code = "interrupted"


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What one child may use. `timeout_s` is both its processor time and its life, in seconds."""

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
    """Extract the clip that lies in the folder. ChildFailed without an answer, Interrupted once `go_on` says no.

    `go_on` is asked all the time; the child and everything it started are gone when this returns or raises.
    """
    (folder / REQUEST_FILE).write_bytes(request.canonical_json())
    timeout_s = max(1, round(limits.timeout_s))
    file_bytes = FILE_BYTES_BASE + 2 * sum(path.stat().st_size for path in folder.iterdir())
    arguments = (folder, limits.memory_bytes, timeout_s, file_bytes, timeout_s + WALL_GRACE_S)
    with (folder / "stderr.txt").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *program, *(str(argument) for argument in arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=_environment(),
            start_new_session=True,
        )
        try:
            status = _wait(process, limits.timeout_s, go_on)
        finally:
            _end(process)
    if status != 0:
        raise ChildFailed(f"the extractor {_ending(status)}{_last_line(folder)}")
    return _result(folder)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | _ONE_THREAD


def _wait(process: subprocess.Popen[bytes], timeout_s: float, go_on: Callable[[], bool]) -> int:
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            return process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline_s:
                raise ChildFailed(f"the extractor did not end within {timeout_s:g} s") from None
            if not go_on():
                raise Interrupted("the extraction was interrupted") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the child's whole group, which also ends what it may have left running."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ending(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _last_line(folder: Path) -> str:
    with (folder / "stderr.txt").open("rb") as errors:
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
