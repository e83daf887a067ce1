"""Reading of a trigger file with the files that it imports: each once, from its own folder, and only so many."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from triggers.contracts.limits import MAX_SOURCE_BYTES
from triggers.errors import InvalidInput
from triggers.language.expansion.linking import MAX_DEPTH, is_inside
from triggers.language.sources.whole_text import WholeText
from triggers.language.text import syntax
from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.parser import parse
from triggers.language.text.reporter import Reporter
from triggers.language.text.source_file import decoded, read_bytes

MAX_FILES = 50
"""Files that a file imports, directly or not."""


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    whole: WholeText
    folder: Path
    known: set[str] = field(default_factory=set)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    is_full: bool = False


def read_whole(path: Path) -> tuple[WholeText, tuple[Diagnostic, ...]]:
    """A file's text and those of its imports, or the diagnostics of what cannot be read.

    Raises InvalidInput if the file itself cannot be read. A file without imports is not looked at any further.
    """
    text, diagnostics = decoded(read_bytes(path), str(path))
    reading = _Reading(WholeText(text, str(path)), path.parent)
    if diagnostics or "import" not in text:
        return reading.whole, diagnostics
    form = Reporter(Source(text, str(path)))
    _read_imports(reading, parse(form.source, form), form.source, ())
    if reading.diagnostics:  # else the mistakes of form are found when all of it is compiled
        reading.diagnostics[:0] = _errors(form)
    return reading.whole, tuple(reading.diagnostics)


def _read_imports(reading: _Reading, file: syntax.File, source: Source, way: tuple[str, ...]) -> None:
    """Add what a file imports; `way` has the names of the files that led to it, the last one its own."""
    report = Reporter(source)
    folder = PurePosixPath(*way[-1:]).parent
    for each in file.imports:
        _read_import(reading, report, each, folder, way)
    reading.diagnostics += report.diagnostics


def _errors(report: Reporter) -> list[Diagnostic]:
    return [each for each in report.diagnostics if each.severity == "error"]


def _read_import(
    reading: _Reading, report: Reporter, each: syntax.Import, folder: PurePosixPath, way: tuple[str, ...]
) -> None:
    span = each.path.span
    if not is_inside(each.path.text):
        report.bad_import(span, each.path.text)
        return
    name = str(folder / each.path.text)
    if name in way or os.path.realpath(reading.folder / name) == os.path.realpath(reading.whole.filename):
        start = way.index(name) if name in way else 0
        report.circular_import(span, [*way[start:], name] if name in way else [*way, name])
    elif len(way) >= MAX_DEPTH:
        report.too_many(span, "files on the way", len(way) + 1, MAX_DEPTH, "an import")
    elif name not in reading.known:
        reading.known.add(name)
        if len(reading.known) > MAX_FILES:
            if not reading.is_full:
                report.too_many(span, "imported files", len(reading.known), MAX_FILES, "a file")
            reading.is_full = True
            return
        text = _text(reading, report, span, name, folder)
        if text is not None:
            _add(reading, report, span, name, text)
            form = Reporter(Source(text, str(reading.folder / name)))
            file = parse(form.source, form)
            reading.diagnostics += _errors(form)
            _read_imports(reading, file, form.source, (*way, name))


def _add(reading: _Reading, report: Reporter, span: Span, name: str, text: str) -> None:
    whole = reading.whole.with_file(name, str(reading.folder / name), text)
    if len(whole.text.encode("utf-8", "surrogatepass")) > MAX_SOURCE_BYTES:
        if not reading.is_full:
            report.too_much_imported(span, name, MAX_SOURCE_BYTES)
        reading.is_full = True
        return
    reading.whole = whole


def _text(reading: _Reading, report: Reporter, span: Span, name: str, folder: PurePosixPath) -> str | None:
    """The text of an imported file; None after reporting why there is none."""
    path = reading.folder / name
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to((reading.folder / folder).resolve()):
            report.import_outside(span, name)
            return None
        if not real.is_file():
            report.no_import(span, name, "it is not a file")
            return None
        text, diagnostics = decoded(read_bytes(real), str(path))
    except (OSError, RuntimeError, InvalidInput) as error:
        report.no_import(span, name, getattr(error, "strerror", None) or "it cannot be read")
        return None
    reading.diagnostics += diagnostics
    return None if diagnostics else text
