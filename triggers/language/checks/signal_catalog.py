"""Warnings about the signal catalog that a file is compiled against, with their places in its text."""

from __future__ import annotations

from triggers.language.text.diagnostics import Diagnostic, Source, Span
from triggers.language.text.reporter import Reporter
from triggers.signals.catalog import SignalCatalog


def catalog_warnings(catalog: SignalCatalog) -> tuple[Diagnostic, ...]:
    """One warning for each setting that has no effect yet, at the first place where it is used."""
    indexed = [name for name, signal in catalog.signals.items() if signal.indexed]
    if not indexed:
        return ()
    source = catalog.source
    report = Reporter(Source(source.text, source.name or "signal catalog"))
    span = Span(*source.characters(("signals", indexed[0], "indexed")))
    report.not_enforced(span, "indexed", "remove it: all signals are searched in the same way")
    return report.diagnostics
