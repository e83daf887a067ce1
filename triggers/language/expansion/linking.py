"""Linking: the files that a text contains, each with those that it imports, the imported ones first."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from triggers.language.expansion.calls import Calls
from triggers.language.expansion.definitions import Definitions, Outside, check_definitions
from triggers.language.expansion.expander import Expander
from triggers.language.text import syntax

MAX_DEPTH = 10
"""Files on the way from a file to one that it imports."""
_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MAX_PATH = 200


def is_inside(path: str) -> bool:
    """Whether a path is relative and stays below the folder that it starts from."""
    return len(path) <= _MAX_PATH and _PATH.fullmatch(path) is not None


class _Linker:
    def __init__(self, files: dict[str, syntax.File], calls: Calls, outside: Outside, *, has_new_words: bool) -> None:
        self.files = files
        self.calls = calls
        self.outside = outside
        self.has_new_words = has_new_words
        """Whether the file that is compiled says `language 2`, which holds for what it imports, too."""
        self.done: dict[str, Expander] = {}

    def link(self, file: syntax.File, way: tuple[str, ...]) -> Expander:
        """The expander of a file, after those of its imports; `way` has the names of the files that led to it."""
        definitions = Definitions.of(file, way[-1] if way else "")
        check_definitions(definitions, self.outside, self.calls.report, has_new_words=self.has_new_words)
        imported: dict[str, Expander | None] = {}
        for each in file.imports:
            if each.alias.text in imported:
                self.calls.report.repeated_name(each.alias.span, "import", each.alias.text)
                continue
            other = imported[each.alias.text] = self._imported(each, way)
            if other is not None:
                self._check_signals(each.alias, other.definitions)
        return Expander(definitions, self.calls, imported, self.outside)

    def _imported(self, each: syntax.Import, way: tuple[str, ...]) -> Expander | None:
        """The expander of an imported file; None after reporting that it cannot be imported."""
        report, span = self.calls.report, each.path.span
        name = str(PurePosixPath(*way[-1:]).parent / each.path.text)
        if name in self.done:
            return self.done[name]
        if not is_inside(each.path.text):
            report.bad_import(span, each.path.text)
        elif name not in self.files:
            report.not_contained(span, name)
        elif name in way:
            report.circular_import(span, [*way[way.index(name) :], name])
        elif len(way) >= MAX_DEPTH:
            report.too_many(span, "files on the way", len(way) + 1, MAX_DEPTH, "an import")
        else:
            self.done[name] = self.link(self.files[name], (*way, name))
            return self.done[name]
        return None

    def _check_signals(self, alias: syntax.Word, definitions: Definitions) -> None:
        """Report names that an import gives and signals have, too."""
        for name in definitions.names():
            if f"{alias.text}.{name}" in self.outside.signals:
                self.calls.report.hidden_signal(alias.span, f"{alias.text}.{name}")


def linked(file: syntax.File, calls: Calls, outside: Outside) -> list[Expander]:
    """The expanders of all imported files, each before those that import it, and last the file's own."""
    files: dict[str, syntax.File] = {}
    for each in file.files:
        if each.path.text in files:
            calls.report.same_file(each.path.span, each.path.text)
        files.setdefault(each.path.text, each.file)
    linker = _Linker(files, calls, outside, has_new_words=file.language is not None)
    last = linker.link(file, ())
    return [*linker.done.values(), last]
