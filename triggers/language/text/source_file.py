"""From a file's bytes to its text: the limits that hold for every reader of trigger files."""

from __future__ import annotations

from triggers.contracts.limits import MAX_SOURCE_BYTES
from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.reporter import Reporter


def decoded(data: bytes, filename: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text of a file, or the diagnostic of bytes that are no UTF-8 or too many."""
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
