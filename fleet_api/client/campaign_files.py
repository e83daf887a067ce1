"""Applies a trigger file through the API: every campaign in it, or one."""

from __future__ import annotations

from pathlib import Path

from fleet_api.client.client import ApiClient
from triggers.contracts.api.campaigns import AppliedView
from triggers.errors import Conflict, InvalidInput
from triggers.language.compile import CompiledCampaign, compile_file
from triggers.signals.catalog import SignalCatalog, read_catalog_text


def apply_file(
    client: ApiClient, file: Path, signals: Path, *, campaign: str | None = None, draft: bool = False
) -> list[AppliedView]:
    """Create a version of each campaign in `file`, or of one; returns the API's answers in the order of the file.

    The file is compiled here first: DiagnosticsError reports its mistakes without a request. The API must arrive at the
    same digest, so that a backtest on this machine ran the same program; otherwise Conflict is raised.
    """
    catalog_text = read_catalog_text(signals)
    compilation = compile_file(file, SignalCatalog.parse(catalog_text, name=str(signals)))
    compilation.require_ok(str(file))
    names = [campaign] if campaign else list(compilation.campaigns)
    unknown = [name for name in names if name not in compilation.campaigns]
    if unknown or not names:
        missing = f"no campaign {unknown[0]}" if unknown else "no campaign"
        raise InvalidInput(f"{file} has {missing}", remedy=f"it has: {', '.join(compilation.campaigns) or 'none'}")
    return [
        _apply(
            client,
            compilation.campaigns[name],
            source=compilation.source,
            catalog=catalog_text,
            file=file,
            draft=draft,
        )
        for name in names
    ]


def _apply(
    client: ApiClient, compiled: CompiledCampaign, *, source: str, catalog: str, file: Path, draft: bool
) -> AppliedView:
    name = compiled.settings.name
    applied = client.campaigns.apply(source, catalog, filename=file.name, campaign=name, draft=draft)
    if applied.program_digest != compiled.digest:
        raise Conflict(
            f"the API compiled {name} to {applied.program_digest}, but this machine to {compiled.digest}",
            remedy="use the same version of Longtail here and there, so that backtests run what vehicles run",
        )
    return applied
