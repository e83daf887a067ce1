"""From a trigger file to campaigns: the passes in their order, and what they give.

No text makes it raise: every mistake becomes a diagnostic.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from triggers.catalog import SignalCatalog
from triggers.contracts.campaign import CampaignSettings, TriggerSettings
from triggers.language import program as program_form
from triggers.language import syntax
from triggers.language.campaigns import campaign_settings, check_collected
from triggers.language.checker import check_definitions, check_names, lower
from triggers.language.diagnostics import Diagnostic, Source, Span
from triggers.language.parser import parse
from triggers.language.reporter import Reporter

MAX_SOURCE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class CompiledCampaign:
    """A campaign's settings and its program's bytes (the triggers it collects, nothing else)."""

    settings: CampaignSettings
    program: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the program."""
        return program_form.digest(self.program)


@dataclass(frozen=True, slots=True)
class CompiledTriggers:
    """All triggers of a file as one program, so that a file without campaign can be backtested."""

    settings: tuple[TriggerSettings, ...]
    program: bytes


@dataclass(frozen=True, slots=True)
class Compilation:
    """What compiling a file gave; without errors `triggers` is there, and every campaign of the file."""

    diagnostics: tuple[Diagnostic, ...]
    ok: bool
    campaigns: dict[str, CompiledCampaign] = field(default_factory=dict)
    triggers: CompiledTriggers | None = None


def compile_bytes(data: bytes, *, filename: str, catalog: SignalCatalog) -> Compilation:
    """Compile a file's bytes; bytes that are no UTF-8 or too many are diagnostics, too."""
    report = Reporter(Source("", filename))
    if len(data) > MAX_SOURCE_BYTES:
        report.too_large(Span(0, 0), len(data), MAX_SOURCE_BYTES)
        return Compilation(report.diagnostics, ok=False)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report = Reporter(Source(data[: error.start].decode("utf-8", "replace"), filename))
        report.not_utf8(Span(error.start, error.start), error.start)
        return Compilation(report.diagnostics, ok=False)
    return compile_source(text, filename=filename, catalog=catalog)


def compile_source(source: str, *, filename: str, catalog: SignalCatalog) -> Compilation:
    """Compile a file's text: parse, check names and definitions, lower triggers, then campaigns."""
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_BYTES:
        report = Reporter(Source("", filename))
        report.too_large(Span(0, 0), size, MAX_SOURCE_BYTES)
        return Compilation(report.diagnostics, ok=False)
    report = Reporter(Source(source, filename))
    file = parse(report.source, report)
    check_names(file, report)
    check_definitions(file, catalog, report)
    program, settings = lower(file, file.triggers, catalog, report)
    checked = {c.name.text: campaign_settings(c, file, settings, catalog, report) for c in file.campaigns}
    check_collected(file, report)
    if report.has_errors:
        return Compilation(report.diagnostics, ok=False)
    campaigns = {name: _compiled(s, file, catalog, report) for name, s in checked.items() if s is not None}
    triggers = CompiledTriggers(settings, program_form.encode(program))
    return Compilation(report.diagnostics, ok=True, campaigns=campaigns, triggers=triggers)


def _compiled(
    settings: CampaignSettings, file: syntax.File, catalog: SignalCatalog, report: Reporter
) -> CompiledCampaign:
    collected = {trigger.name for trigger in settings.triggers}
    triggers = [trigger for trigger in file.triggers if trigger.name.text in collected]
    program, _ = lower(file, triggers, catalog, report)
    return CompiledCampaign(settings, program_form.encode(program))
