"""Trigger files and the API: applying every campaign of a file or one, and compiling again what others have applied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from fleet_api.client.client import Client
from triggers.backtest.page.of_campaign import forecast_of, require_program
from triggers.backtest.page.stated import stated_of_json
from triggers.contracts.api.backtests.stated import MAX_REPORT_BYTES as SENT_BYTES
from triggers.contracts.api.backtests.stated import StatedReport
from triggers.contracts.api.campaigns import AppliedView, BacktestForecast, CampaignDetails
from triggers.contracts.api.signal_catalogs import SignalCatalogDetails
from triggers.contracts.base import text_digest
from triggers.contracts.bundle import Bundle, make_bundle
from triggers.contracts.campaign import CampaignState
from triggers.contracts.signing import BUNDLE, Signature, SigningKey, sign
from triggers.errors import Conflict, InvalidInput
from triggers.language.compile import CompiledCampaign, compile_file, compile_source
from triggers.signals.catalog import SignalCatalog, read_catalog_text

MAX_REPORT_BYTES = 1024**3
"""A report has every fire of every drive."""
REPORT_UNTIL = (CampaignState.DRAFT, CampaignState.SUBMITTED)
"""The states in which a version's report may be attached or replaced."""


def apply_file(
    client: Client,
    file: Path,
    signals: Path | None,
    *,
    catalog: str | None = None,
    campaign: str | None = None,
    draft: bool = False,
    based_on: int | None = None,
    backtest: Path | None = None,
    values: Sequence[str] = (),
) -> list[AppliedView]:
    """Create a version of each campaign in `file`, or of one; returns the API's answers in the order of the file.

    `signals` is the file of the signal catalog; without one, `catalog` names a published one.

    The file is compiled here first: DiagnosticsError reports its mistakes without a request. The API must arrive at the
    same digest, so that a backtest on this machine ran the same program; otherwise Conflict is raised. `backtest` is
    the JSON report of one, which is attached for approvers unless the version is approved already. `based_on` is the
    newest version of the one campaign that the author has seen, 0 for none: Conflict if another has come in between.
    `values` are those of params, each as in `hold=500 ms`. What the API gets, stores and shows is the file with its
    imports and with these values.
    """
    report = None if backtest is None else read_report(backtest)
    published = None if catalog is None else client.signal_catalogs.get(catalog)
    catalog_text = _catalog_text(signals, published)
    compilation = compile_file(file, SignalCatalog.parse(catalog_text, name=str(signals or catalog)), values=values)
    compilation.require_ok(str(file))
    names = [campaign] if campaign else list(compilation.campaigns)
    unknown = [name for name in names if name not in compilation.campaigns]
    if unknown or not names:
        missing = f"no campaign {unknown[0]}" if unknown else "no campaign"
        raise InvalidInput(f"{file} has {missing}", remedy=f"it has: {', '.join(compilation.campaigns) or 'none'}")
    if based_on is not None and len(names) > 1:
        raise InvalidInput(
            f"{file} has {len(names)} campaigns, and version {based_on} is of one",
            remedy=f"name the campaign, one of: {', '.join(names)}",
        )
    return [
        _apply(
            client,
            compilation.campaigns[name],
            source=compilation.source,
            signals=catalog_text if published is None else None,
            catalog=None if published is None else published.digest,
            file=file,
            draft=draft,
            based_on=based_on,
            report=report,
        )
        for name in names
    ]


def _catalog_text(signals: Path | None, published: SignalCatalogDetails | None) -> str:
    """The one that is given; InvalidInput unless it is exactly one, or for a published text with another digest."""
    if (signals is None) == (published is None):
        raise InvalidInput("give either the file of a signal catalog, or the name of a published one")
    if published is None:
        return read_catalog_text(cast(Path, signals))
    if text_digest(published.text) != published.digest:
        name = f"{published.name}@{published.version}"
        raise InvalidInput(f"the text of signal catalog {name} does not have the digest {published.digest}")
    return published.text


def _apply(
    client: Client,
    compiled: CompiledCampaign,
    *,
    source: str,
    signals: str | None,
    catalog: str | None,
    file: Path,
    draft: bool,
    based_on: int | None,
    report: StatedReport | None,
) -> AppliedView:
    name = compiled.settings.name
    forecast = None if report is None else _forecast_of(report, compiled)
    applied = client.campaigns.apply(
        source,
        signals,
        catalog=catalog,
        filename=file.name,
        campaign=name,
        draft=draft,
        based_on=based_on,
        forecast=forecast,
    )
    if applied.program_digest != compiled.digest:
        raise Conflict(
            f"{name} is version {applied.version}, {applied.state} now, but the API compiled it to "
            f"{applied.program_digest}, and this machine to {compiled.digest}",
            remedy=f"do not apply it again: version {applied.version} stays. Have it rejected if it is not what was "
            "meant, and use the same version of Longtail here and there, so that backtests run what vehicles run",
        )
    if report is not None and applied.state in REPORT_UNTIL:
        client.campaigns.attach_report(name, applied.version, report)
    return applied


def check_compiles_to(details: CampaignDetails) -> Bundle:
    """The bundle that a version's text and signal catalog give, compiled here.

    Conflict unless it has the digest that an approval names. So whoever approves or signs what they read need not
    believe the API that it is what vehicles will run.
    """
    name = f"{details.campaign} version {details.version}"
    catalog = SignalCatalog.parse(details.signals, name=f"the signal catalog of {name}")
    compilation = compile_source(details.source, filename=name, catalog=catalog)
    compiled = compilation.campaigns.get(details.campaign)
    bundle = None if compiled is None else make_bundle(compiled.settings, details.version, compiled.program)
    if bundle is None or bundle.approval_digest != details.approval_digest:
        found = bundle.approval_digest if bundle else "nothing"
        raise Conflict(
            f"the text of {name} compiles to {found} on this machine, not to {details.approval_digest}",
            remedy="use the release of Longtail that the API has; if it is the same one, do not approve or sign: "
            "what would run is not this text",
        )
    return bundle


def signed_version(details: CampaignDetails, key: SigningKey) -> Signature:
    """The signature of a person's key over a version's bundle, compiled here; raises as `check_compiles_to` does."""
    return sign(check_compiles_to(details).canonical_json(), purpose=BUNDLE, key=key)


def read_report(path: Path) -> StatedReport:
    """The report in a file that `longtail backtest --json` wrote, as it is sent; InvalidInput if it is none."""
    try:
        status = path.stat()
        if status.st_size > MAX_REPORT_BYTES:
            raise InvalidInput(f"{path} is larger than {MAX_REPORT_BYTES} bytes")
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}: cannot be read as the report of a backtest: {error}") from error
    if not isinstance(document, dict) or not {"programs", "forecast", "budgets"} <= document.keys():
        raise InvalidInput(
            f"{path} is not the report of a backtest", remedy="write one with `longtail backtest --json FILE`"
        )
    written_at = datetime.fromtimestamp(int(status.st_mtime), UTC)
    stated = stated_of_json(document, what=str(path), at=written_at)
    if (size_bytes := len(stated.model_dump_json())) > SENT_BYTES:
        raise InvalidInput(
            f"{path}: what is sent of it has {size_bytes} bytes, and {SENT_BYTES} are the most",
            remedy="give the drives shorter names",
        )
    return stated


def _forecast_of(report: StatedReport, campaign: CompiledCampaign) -> BacktestForecast:
    """What a report forecasts for a campaign; Conflict unless the backtest ran this very program."""
    require_program(report.report.programs, campaign.settings.name, campaign.digest)
    return forecast_of(report.report, campaign.settings, campaign.digest)
