"""What an editor asks about a text, worked out in a child process with limits: findings, format, costs, vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fleet_api.campaigns.compilation import run_aside
from fleet_api.campaigns.settings_text import settings_text
from triggers.contracts.api.authoring.checks import CheckView
from triggers.contracts.api.authoring.vocabulary import VocabularyView, WordView
from triggers.contracts.base import text_digest
from triggers.language.compile import compile_source
from triggers.language.constants import Constant, constants_of
from triggers.language.explain import explain, to_json
from triggers.language.lets import Let, lets_of
from triggers.language.text.diagnostics import Source
from triggers.language.text.formatter import format_source
from triggers.language.words import language_words, unit_words
from triggers.signals.catalog import Signal, SignalCatalog
from triggers.signals.objects import ObjectList

CPU_S = 10
"""Processor time of one check: an editor asks again and again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A trigger file and a signal catalog, as texts, and what is asked for beside diagnostics."""

    source: str
    filename: str
    signals: str
    formatted: bool
    explained: bool
    constants: bool = False


def check_aside(asked: Asked) -> CheckView:
    """Every finding about a text; InvalidInput for a catalog with mistakes, or a text that takes too much."""
    return CheckView.model_validate(run_aside(check_here, asked, what=asked.filename, cpu_s=CPU_S))


def vocabulary_aside(signals: str) -> VocabularyView:
    """What may be named in a text that is compiled against the catalog with this text; InvalidInput for mistakes."""
    found = run_aside(vocabulary_here, signals, what="the signal catalog", cpu_s=CPU_S)
    words = [WordView.model_validate(word) for word in language_words()]
    return VocabularyView(digest=text_digest(signals), words=words, units=list(unit_words()), **found)


def check_here(asked: Asked) -> dict[str, Any]:
    """The content of a `CheckView`, worked out in this process."""
    catalog = SignalCatalog.parse(asked.signals, name="signals")
    compilation = compile_source(asked.source, filename=asked.filename, catalog=catalog)
    formatted = format_source(asked.source, filename=asked.filename).text if asked.formatted else None
    is_explained = asked.explained and compilation.ok
    programs = explain(compilation, catalog) if is_explained else []
    campaigns = compilation.campaigns.items() if is_explained else ()
    constants = constants_of(asked.source, filename=asked.filename) if asked.constants and compilation.ok else []
    lets = lets_of(asked.source, filename=asked.filename, catalog=catalog) if is_explained else []
    source = Source(asked.source, asked.filename)
    return {
        "ok": compilation.ok,
        "diagnostics": [diagnostic.to_json() for diagnostic in compilation.diagnostics],
        "formatted": formatted,
        "programs": [to_json(program) for program in programs],
        "settings": {name: settings_text(each.settings.model_dump(mode="json")) for name, each in campaigns},
        "constants": [_constant(source, constant) for constant in constants],
        "lets": [_let(source, let) for let in lets],
    }


def _constant(source: Source, constant: Constant) -> dict[str, Any]:
    """A number with its place, and the text that it is about."""
    (line, column), (end_line, end_column) = map(source.position, (constant.span.start, constant.span.end))
    fields = ("kind", "block", "unit", "operator", "signal", "low", "high", "step")
    return {
        **{field: getattr(constant, field) for field in fields},
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "text": source.text[constant.span.start : constant.span.end],
        "value": float(constant.value),
        "subject": source.text[constant.subject.start : constant.subject.end],
    }


def _let(source: Source, let: Let) -> dict[str, Any]:
    """A let with the text of its value, in one line."""
    cost = let.cost
    return {
        "name": let.name,
        "type": let.type,
        "unit": let.unit,
        "text": " ".join(source.text[let.span.start : let.span.end].split()),
        "operations_per_tick": cost and {"least": cost.least_operations, "most": cost.most_operations},
        "state_bytes": cost and cost.state_bytes,
    }


def vocabulary_here(signals: str) -> dict[str, Any]:
    """What a `VocabularyView` has of a signal catalog, worked out in this process."""
    catalog = SignalCatalog.parse(signals, name="signals")
    return {
        "signals": [_signal(name, signal) for name, signal in catalog.signals.items()],
        "objects": [_list(name, each) for name, each in catalog.objects.items()],
        "heads": sorted(catalog.heads),
        "attributes": dict(catalog.vehicle),
        "cameras": list(catalog.cameras),
    }


def _signal(name: str, signal: Signal) -> dict[str, Any]:
    fields = ("type", "unit", "rate", "values", "describe")
    return {"name": name, **{field: getattr(signal, field) for field in fields}}


def _list(name: str, declared: ObjectList) -> dict[str, Any]:
    fields = ("type", "unit", "values", "describe")
    return {
        "name": name,
        **{key: getattr(declared, key) for key in ("max", "rate", "describe")},
        "fields": [
            {"name": field, **{key: getattr(each, key) for key in fields}} for field, each in declared.fields.items()
        ],
    }
