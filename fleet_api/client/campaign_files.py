"""Trigger files and the API: applying every campaign of a file or one, and compiling again what others have applied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from fleet_api.client.client import Client
from triggers.contracts.api.campaigns import AppliedView, BacktestForecast, CampaignDetails
from triggers.contracts.api.signal_catalogs import SignalCatalogDetails
from triggers.contracts.base import text_digest
from triggers.contracts.bundle import Bundle, make_bundle
from triggers.contracts.signing import BUNDLE, Signature, SigningKey, sign
from triggers.errors import Conflict, InvalidInput
from triggers.language.compile import CompiledCampaign, compile_file, compile_source
from triggers.signals.catalog import SignalCatalog, read_catalog_text

MAX_REPORT_BYTES = 1024**3
"""A report has every fire of every drive."""
_QUANTITIES = ("fires_per_fleet_day", "clips_per_fleet_day", "bytes_per_fleet_day", "bytes_per_vehicle_day")


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
    the JSON report of one, whose forecast approvers then see. `based_on` is the newest version of the one campaign that
    the author has seen, 0 for none: Conflict if another has come in between. `values` are those of params, each as in
    `hold=500 ms`. What the API gets, stores and shows is the file with its imports and with these values.
    """
    report = None if backtest is None else _read_report(backtest)
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
            forecast=None if report is None else _forecast_of(report, compilation.campaigns[name]),
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
    forecast: BacktestForecast | None,
) -> AppliedView:
    name = compiled.settings.name
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
            f"the API compiled {name} to {applied.program_digest}, but this machine to {compiled.digest}",
            remedy="use the same version of Longtail here and there, so that backtests run what vehicles run",
        )
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


def _read_report(path: Path) -> dict[str, Any]:
    """The report in a file; InvalidInput if it is none."""
    try:
        if path.stat().st_size > MAX_REPORT_BYTES:
            raise InvalidInput(f"{path} is larger than {MAX_REPORT_BYTES} bytes")
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}: cannot be read as the report of a backtest: {error}") from error
    if not isinstance(document, dict) or not {"programs", "forecast", "budgets"} <= document.keys():
        raise InvalidInput(
            f"{path} is not the report of a backtest", remedy="write one with `longtail backtest --json FILE`"
        )
    return document


def _forecast_of(report: dict[str, Any], campaign: CompiledCampaign) -> BacktestForecast:
    """What a report forecasts for a campaign; Conflict unless the backtest ran this very program."""
    name = campaign.settings.name
    if campaign.digest not in report["programs"]:
        raise Conflict(
            f"the backtest did not run the program of {name} ({campaign.digest})",
            remedy="run it again with this trigger file and signal catalog",
        )
    if report["forecast"] is None:
        raise InvalidInput(
            "this backtest has no forecast: it ran over clips, which were recorded because something happened",
            remedy="run one over recorded drives, with --drives",
        )
    try:
        forecast = report["forecast"]
        of_triggers = {trigger.name: forecast["triggers"].get(trigger.name) for trigger in campaign.settings.triggers}
        document = {
            "program_digest": campaign.digest,
            **{key: report[key] for key in ("drives", "hours")},
            **{key: forecast[key] for key in ("vehicles", "hours_per_day")},
            "triggers": {
                trigger: {quantity: expected[quantity] for quantity in _QUANTITIES}
                for trigger, expected in of_triggers.items()
                if expected is not None
            },
            "budgets": [
                {key: value for key, value in use.items() if key != "campaign"}
                for use in report["budgets"]
                if use["campaign"] == name
            ],
        }
        return BacktestForecast.model_validate_json(json.dumps(document))
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise InvalidInput(
            f"the report of the backtest has another form than this release writes ({type(error).__name__})",
            remedy="run the backtest again with the release of Longtail that applies the campaign",
        ) from error
