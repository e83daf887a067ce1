"""Apply a campaign file through the API: every campaign in it, or one, as one person would by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fleet_api.client.client import ApiClient
from triggers.errors import Conflict, DiagnosticsError, InvalidInput
from triggers.language.compile import Compilation, CompiledCampaign, compile_source
from triggers.signals.catalog import SignalCatalog

MAX_TEXT_BYTES = 4 * 1024**2


def read_text(path: Path, what: str) -> str:
    """A text file of sane size; InvalidInput names it when it is no such thing."""
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise InvalidInput(f"{what} {path} has more than {MAX_TEXT_BYTES} bytes")
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} {path} is no UTF-8 text: {error}") from error
    except OSError as error:
        raise InvalidInput(f"cannot read {what} {path}: {error.strerror or error}") from error


def compile_file(file: Path, signals: Path) -> tuple[Compilation, str, str]:
    """Compile a trigger file against a signal catalog; returns what that gave, and both texts as they are sent."""
    catalog_text = read_text(signals, "the signal catalog")
    source = read_text(file, "the trigger file")
    catalog = SignalCatalog.load(signals)
    return compile_source(source, filename=str(file), catalog=catalog), source, catalog_text


def apply_file(
    client: ApiClient, file: Path, signals: Path, *, campaign: str | None = None, draft: bool = False
) -> list[dict[str, Any]]:
    """Make a version of each campaign in `file` (or of one); the API's answers, in the order of the file.

    The file is compiled here first: DiagnosticsError tells its mistakes without troubling the API, and the digest that
    the API answers must be the one that a backtest on this machine has seen.
    """
    compilation, source, catalog_text = compile_file(file, signals)
    if not compilation.ok:
        diagnostics = [each.to_json() for each in compilation.diagnostics]
        raise DiagnosticsError(f"{file} has {len(diagnostics)} findings and cannot be applied", diagnostics=diagnostics)
    names = [campaign] if campaign else list(compilation.campaigns)
    unknown = [name for name in names if name not in compilation.campaigns]
    if unknown or not names:
        wanted = f"no campaign {unknown[0]}" if unknown else "no campaign"
        raise InvalidInput(f"{file} has {wanted}", remedy=f"it has: {', '.join(compilation.campaigns) or 'none'}")
    return [
        _apply(client, compilation.campaigns[name], source=source, catalog=catalog_text, file=file, draft=draft)
        for name in names
    ]


def _apply(
    client: ApiClient, compiled: CompiledCampaign, *, source: str, catalog: str, file: Path, draft: bool
) -> dict[str, Any]:
    name = compiled.settings.name
    body = {"source": source, "filename": file.name, "signals": catalog, "campaign": name, "draft": draft}
    answer: dict[str, Any] = client.post("/v1/campaigns", body)
    if answer["program_digest"] != compiled.digest:
        raise Conflict(
            f"the API compiled {name} to {answer['program_digest']}, this machine to {compiled.digest}",
            remedy="use the same version of Longtail here and there, so that a backtest here counts there",
        )
    return answer
