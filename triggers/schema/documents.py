"""The schema as JSON: words, units, diagnostics and examples, and JSON Schemas of what Longtail reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from triggers.contracts.api.backtests.reports import ReportView
from triggers.contracts.campaign import CampaignSettings
from triggers.language.text.parser import LANGUAGE_VERSION
from triggers.language.words import language_words
from triggers.schema.diagnostics import known_diagnostics
from triggers.schema.material import example_signals, examples, grammar, rules
from triggers.schema.units import units_by_dimension
from triggers.signals.catalog import SignalCatalog

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def document(catalog: SignalCatalog | None, parts: Sequence[str] = ()) -> dict[str, Any]:
    """The parts that are named, else all of them; `catalog` is null without a catalog."""
    chosen = {name: write for name, write in PARTS.items() if not parts or name in parts}
    return {"language": LANGUAGE_VERSION, **{name: write(catalog) for name, write in chosen.items()}}


def json_schemas() -> dict[str, Any]:
    """JSON Schemas (2020-12) of the signal catalog's YAML, a campaign's settings, and a backtest's report."""
    return {
        "signal_catalog": {"$schema": DIALECT, **SignalCatalog.model_json_schema(mode="validation")},
        "campaign_settings": {"$schema": DIALECT, **CampaignSettings.model_json_schema(mode="serialization")},
        "backtest_report": {"$schema": DIALECT, **ReportView.model_json_schema(mode="serialization")},
    }


def _catalog(catalog: SignalCatalog | None) -> dict[str, Any] | None:
    if catalog is None:
        return None
    return {**catalog.model_dump(mode="json", exclude_defaults=True), "heads": sorted(catalog.heads)}


Write = Callable[[SignalCatalog | None], Any]
PARTS: Mapping[str, Write] = {
    "rules": lambda _: rules(),
    "words": lambda _: [asdict(word) for word in language_words()],
    "units": lambda _: {name: list(symbols) for name, symbols in units_by_dimension().items()},
    "grammar": lambda _: grammar(),
    "diagnostics": lambda _: [asdict(known) for known in known_diagnostics()],
    "examples": lambda _: {
        "signals": example_signals(),
        "files": [asdict(example) for example in examples()],
    },
    "catalog": _catalog,
    "schemas": lambda _: json_schemas(),
}
"""The parts by name, in the order of the document."""
