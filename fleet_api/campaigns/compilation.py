"""Compiles the text that an author sends into a campaign, or raises its diagnostics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from triggers.errors import InvalidInput
from triggers.language.compile import CompiledCampaign, compile_source
from triggers.signals.catalog import SignalCatalog


@dataclass(frozen=True, slots=True)
class Compiled:
    """One campaign of a file, and the warnings about the file."""

    campaign: CompiledCampaign
    warnings: list[dict[str, Any]]


def compile_campaign(source: str, *, filename: str, signals: str, campaign: str | None) -> Compiled:
    """Compile `source` against the signal catalog and choose `campaign` from it (None: the only one).

    DiagnosticsError when the text has mistakes, InvalidInput when it does not contain the requested campaign.
    """
    catalog = SignalCatalog.parse(signals, name="signals")
    compilation = compile_source(source, filename=filename, catalog=catalog)
    compilation.require_ok(filename)
    diagnostics = [diagnostic.to_json() for diagnostic in compilation.diagnostics]
    campaigns = compilation.campaigns
    if campaign is None and len(campaigns) == 1:
        return Compiled(next(iter(campaigns.values())), diagnostics)
    if campaign is None or campaign not in campaigns:
        names = ", ".join(sorted(campaigns)) or "none"
        problem = "no campaign is named" if campaign is None else f"there is no campaign {campaign!r}"
        raise InvalidInput(f"{filename}: {problem}; the file has {names}", remedy="name one of the file's campaigns")
    return Compiled(campaigns[campaign], diagnostics)
