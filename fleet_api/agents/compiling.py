"""Trigger files as tools ask about them, compiled in a child process with limits: findings, format, costs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_api.campaigns.compilation import run_aside
from triggers.language.compile import Compilation, compile_file, compile_source
from triggers.language.explain import explain, to_json
from triggers.language.sources.values import with_values
from triggers.language.sources.whole_text import WholeText
from triggers.language.text.diagnostics import render_all
from triggers.language.text.formatter import format_bytes, format_source
from triggers.language.text.source_file import read_bytes
from triggers.signals.catalog import SignalCatalog

CPU_S = 10
"""Processor time of one compilation."""
TEXT_NAME = "text.trigger"
"""What findings call a text that has no file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A trigger file, as a text or as a path in a folder, with the values of its params, and the catalog's YAML."""

    text: str | None
    folder: str
    path: str
    signals: str
    values: tuple[str, ...] = ()

    @property
    def filename(self) -> str:
        """What findings call the file."""
        return self.path or TEXT_NAME


def compiled(asked: Asked) -> dict[str, Any]:
    """What is found about a file, as `_compiled` returns it.

    InvalidInput for a catalog with mistakes, for a file that cannot be read, or one that takes too much.
    """
    return run_aside(_compiled, asked, what=asked.filename, cpu_s=CPU_S)


def formatted(text: str | None, folder: str, path: str) -> dict[str, Any]:
    """The canonical form of a file, or None with what is wrong with its form; errors as in `compiled`."""
    return run_aside(_formatted, Asked(text, folder, path, ""), what=path or TEXT_NAME, cpu_s=CPU_S)


def catalog(signals: str) -> SignalCatalog:
    """The catalog of a text, which a child process has found to be right first; InvalidInput if it is not."""
    run_aside(_read, signals, what="the signal catalog", cpu_s=CPU_S)
    return SignalCatalog.parse(signals, name="signals")


def _compiled(asked: Asked) -> dict[str, Any]:
    signals = SignalCatalog.parse(asked.signals, name="signals")
    compilation = _compilation(asked, signals)
    programs = explain(compilation, signals) if compilation.ok else []
    return {
        "ok": compilation.ok,
        "diagnostics": [diagnostic.to_json() for diagnostic in compilation.diagnostics],
        "shown": render_all(compilation.diagnostics),
        "programs": [to_json(program) for program in programs],
        "campaigns": {name: each.digest for name, each in compilation.campaigns.items()},
        "source": compilation.source,
        **_formatted(asked),
    }


def _compilation(asked: Asked, signals: SignalCatalog) -> Compilation:
    if asked.text is None:
        os.chdir(asked.folder)  # this process is the child: paths in findings are then those below the folder
        return compile_file(Path(asked.path), signals, values=asked.values)
    whole, diagnostics = with_values(WholeText(asked.text, TEXT_NAME), asked.values)
    if diagnostics:
        return Compilation(diagnostics, ok=False)
    return compile_source(whole.text, filename=TEXT_NAME, catalog=signals)


def _formatted(asked: Asked) -> dict[str, Any]:
    if asked.text is None:
        os.chdir(asked.folder)
        data = read_bytes(Path(asked.path))
        found = format_bytes(data, filename=asked.path)
        before = data.decode("utf-8", "replace")
    else:
        found = format_source(asked.text, filename=TEXT_NAME)
        before = asked.text
    return {
        "formatted": found.text,
        "is_formatted": found.text == before,
        "mistakes_of_form": render_all(found.diagnostics),
    }


def _read(signals: str) -> dict[str, Any]:
    return {"signals": len(SignalCatalog.parse(signals, name="signals").signals)}
