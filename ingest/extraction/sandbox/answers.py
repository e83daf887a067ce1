"""What a child left: its end, its answer and its files. Hostile bytes may have written every one of them.

A file is opened without following links, and must be a plain one with one name and a bounded size. Which files there
may be, and of which media types, follows from the request (`outputs.assets_of`), not from the answer.
"""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path
from typing import BinaryIO

from ingest.extraction.outputs import MAX_RESULT_BYTES, RESULT_FILE, ExtractionRequest, ExtractionResult
from ingest.extraction.sandbox.limits import ChildLimits
from ingest.extraction.sandbox.orders import ERRORS_FILE, FILE_TOO_LARGE, NOT_JAILED, OUT_OF_MEMORY, Ended
from triggers.errors import InvalidInput, LongtailError, Misconfigured
from triggers.processes.ends import described_end

_TAIL_BYTES = 2000
_TAIL_CHARACTERS = 300


class ChildFailed(LongtailError):
    """The child gave no answer: it crashed or took too long. Another attempt may succeed."""

    code = "extraction_failed"


class LimitReached(ChildFailed):
    """The child met a limit on its processor time, memory or files: another attempt would meet it too."""

    code = "extraction_limit"


def require_success(ended: Ended, limits: ChildLimits, folder: Path) -> None:
    """LimitReached or ChildFailed if the child did not end by itself and in order, Misconfigured without a jail."""
    status = ended.status
    if status == 0:
        return
    said = last_line(folder / ERRORS_FILE)
    if status == NOT_JAILED:
        raise Misconfigured(f"a child of the extractor cannot be confined{said}", remedy="run `longtail doctor`")
    if status == OUT_OF_MEMORY or (status == -signal.SIGABRT and _refused_memory(folder / ERRORS_FILE)):
        allowed = f"{limits.memory_bytes} bytes of memory (LONGTAIL_EXTRACTION_MEMORY_BYTES)"
        raise LimitReached(f"the extractor needed more than {allowed}")
    # A child may ignore the signal of the soft limit; a second later it is killed.
    if status == -signal.SIGXCPU or (status == -signal.SIGKILL and ended.cpu_s >= limits.timeout_s):
        allowed = f"{limits.timeout_s:g} s of processor time (LONGTAIL_EXTRACTION_TIMEOUT_S)"
        raise LimitReached(f"the extractor needed more than {allowed}")
    if status in (FILE_TOO_LARGE, -signal.SIGXFSZ):
        raise LimitReached("the extractor wrote a file that is much larger than the clip")
    raise ChildFailed(f"the extractor {described_end(status)}{said}")


def read_result(folder: Path, request: ExtractionRequest) -> ExtractionResult:
    """The child's answer, as far as it can be true; ChildFailed without one."""
    with open_output(folder / RESULT_FILE, MAX_RESULT_BYTES) as file:
        data = file.read()
    try:
        result = ExtractionResult.from_json(data, what="the extractor's answer")
        result.require_possible(request)
    except InvalidInput as error:
        raise ChildFailed(f"the extractor left no usable answer: {error}") from error
    return result


def open_output(path: Path, max_bytes: int | None = None) -> BinaryIO:
    """A file that a child wrote; ChildFailed if it is a link, no plain file, or larger than it may be."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ChildFailed(f"the extractor's {path.name} cannot be read: {error.strerror}") from error
    found = os.fstat(handle)
    allowed = found.st_size if max_bytes is None else max_bytes
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size > allowed:
        os.close(handle)
        raise ChildFailed(f"the extractor's {path.name} is not a plain file of at most {allowed} bytes")
    return os.fdopen(handle, "rb")


def last_line(path: Path) -> str:
    """`: ` and the last line of an error output, without what a terminal would obey; empty if there is none."""
    lines = _last_text(path).strip().splitlines()
    shown = "".join(character if character.isprintable() else "?" for character in lines[-1]) if lines else ""
    return f": {shown[:_TAIL_CHARACTERS]}" if shown else ""


def _last_text(path: Path) -> str:
    try:
        with open_output(path) as errors:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return errors.read().decode(errors="replace")
    except ChildFailed:
        return ""


def _refused_memory(path: Path) -> bool:
    """Whether a library in C++ or Rust gave up because it got no memory: such a library aborts the process."""
    text = _last_text(path)
    return "bad_alloc" in text or "memory allocation" in text
