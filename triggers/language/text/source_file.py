"""Reading of trigger files, in one place, so that every command accepts the same files."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from triggers.contracts.limits import MAX_SOURCE_BYTES
from triggers.errors import InvalidInput
from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.reporter import Reporter


def read_bytes(path: Path) -> bytes:
    """A file's bytes, like `read_stream`. Raises InvalidInput if it cannot be read."""
    try:
        with path.open("rb") as opened:
            return read_stream(opened)
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror})") from error


def read_stream(stream: BinaryIO) -> bytes:
    """All bytes, but at most one more than a file may have, so that `decoded` can tell that it is too large."""
    return stream.read(MAX_SOURCE_BYTES + 1)


def decoded(data: bytes, filename: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text of a file without its byte order mark, or the diagnostic of bytes that are not UTF-8 or too many."""
    report = Reporter(Source("", filename))
    if len(data) > MAX_SOURCE_BYTES:
        report.too_large(Span(0, 0), MAX_SOURCE_BYTES)
        return "", report.diagnostics
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        report = Reporter(Source(data[: error.start].decode("utf-8", "replace"), filename))
        report.not_utf8(Span(error.start, error.start), error.start)
        return "", report.diagnostics
