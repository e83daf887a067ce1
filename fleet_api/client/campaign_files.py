"""Trigger files and the API: applying every campaign of a file or one, and compiling again what others have applied."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_api.client.client import ApiClient
from triggers.contracts.api.campaigns import AppliedView, CampaignDetails
from triggers.contracts.bundle import Bundle, make_bundle
from triggers.contracts.signing import BUNDLE, Signature, sign
from triggers.errors import Conflict, InvalidInput
from triggers.language.compile import CompiledCampaign, compile_file, compile_source
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


def signed_version(details: CampaignDetails, key: Ed25519PrivateKey) -> Signature:
    """The signature of a person's key over a version's bundle, compiled here; raises as `check_compiles_to` does."""
    return sign(check_compiles_to(details).canonical_json(), purpose=BUNDLE, key=key)
