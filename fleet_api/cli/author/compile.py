"""`longtail compile`: the WebAssembly modules and signed bundles of a trigger file's campaigns, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from fleet_api.cli.author.check import set_option, show_diagnostics, signals_option
from fleet_api.cli.connection import is_typed
from fleet_api.cli.folders import check_not_inputs, make_folder
from fleet_api.cli.numbers import WholeNumber
from fleet_api.cli.output import counted, json_option, print_json, print_result, remark, shown_bytes

if TYPE_CHECKING:
    from triggers.language.compile import CompiledCampaign


class _Written(NamedTuple):
    """A campaign's files and their content; `bundle` is None without a key."""

    campaign: str
    digest: str
    module: tuple[Path, bytes]
    bundle: tuple[Path, bytes] | None


@click.command(name="compile")
@click.argument("file", type=click.Path(path_type=Path))
@signals_option
@set_option
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path),
    required=True,
    help="File for the module, or folder for several.",
)
@click.option("--campaign", help="Compile only this campaign.")
@click.option("--key", type=click.Path(path_type=Path), help="Also write bundles signed with this Ed25519 key (PEM).")
@click.option("--version", type=WholeNumber(1, 2**31 - 1), default=1, show_default=True, help="Version of the bundles.")
@json_option
def compile_campaigns(
    *,
    file: Path,
    catalog_file: Path,
    values: tuple[str, ...],
    out: Path,
    campaign: str | None,
    key: Path | None,
    version: int,
    as_json: bool,
) -> int:
    """Write the WebAssembly modules of a file's campaigns, and print their SHA-256 in the format of sha256sum.

    With one campaign, -o names the module's file. With several, or if it is an existing folder, it names the folder of
    the modules, called `CAMPAIGN.wasm`. With --key, a `CAMPAIGN.bundle` is written beside each module: exactly what
    vehicles receive. The same file, catalog and version of Longtail always give the same bytes. If the file has an
    error, nothing is written and the exit status is 1.
    """
    if key is None and is_typed("version"):
        raise click.UsageError("--version is that of the bundles: give --key, too, with which they are signed")
    from triggers.atomic_file import replace_bytes
    from triggers.language.compile import compile_file
    from triggers.signals.catalog import SignalCatalog

    compilation = compile_file(file, SignalCatalog.load(catalog_file), values=values)
    show_diagnostics([compilation])
    if not compilation.ok:
        return 1
    chosen = _chosen(compilation.campaigns, campaign, file)
    in_folder = len(chosen) > 1 or out.is_dir()
    folder = out if in_folder else out.parent
    results = []
    for name, compiled in chosen.items():
        module = (folder / f"{name}.wasm" if in_folder else out, compiled.program)
        bundle = None if key is None else (folder / f"{name}.bundle", _sealed(compiled, version, key))
        results.append(_Written(name, compiled.digest, module, bundle))
    files = [each for written in results for each in (written.module, written.bundle) if each is not None]
    imported = [Path(part.filename) for part in compilation.parts]
    inputs = (file, catalog_file, *imported, *([] if key is None else [key]))
    check_not_inputs([("-o", path) for path, _ in files], inputs, "compilation")
    make_folder(folder)
    for path, data in files:
        replace_bytes(path, data)
    _show(results, as_json)
    return 0


def _chosen(campaigns: dict[str, CompiledCampaign], name: str | None, file: Path) -> dict[str, CompiledCampaign]:
    from triggers.errors import InvalidInput

    if name is None and campaigns:
        return campaigns
    if name in campaigns:
        return {name: campaigns[name]}
    shown = ", ".join(campaigns) or "none"
    what = f"there is no campaign {name!r}" if name else "only campaigns run on vehicles"
    remedy = "name one of them" if campaigns else "add a `campaign` that collects the triggers"
    raise InvalidInput(f"{file}: {what}; the file has {shown}", remedy=remedy)


def _sealed(compiled: CompiledCampaign, version: int, key: Path) -> bytes:
    from triggers.contracts.bundle import make_bundle, seal_bundle
    from triggers.contracts.signing import load_private_key

    return seal_bundle(make_bundle(compiled.settings, version, compiled.program), load_private_key(key))


def _show(results: list[_Written], as_json: bool) -> None:
    if as_json:
        print_json({"campaigns": [_json(written) for written in results]})
        return
    for written in results:
        print_result(f"{written.digest}  {written.module[0]}")
        files = [f"{path} {shown_bytes(len(data))}" for path, data in filter(None, (written.module, written.bundle))]
        remark(f"campaign {written.campaign}: {', '.join(files)}")
    remark(f"{counted(len(results), 'campaign')} compiled")


def _json(written: _Written) -> dict[str, Any]:
    path, data = written.module
    document = {"campaign": written.campaign, "digest": written.digest, "module": str(path), "module_bytes": len(data)}
    if written.bundle is not None:
        path, data = written.bundle
        document |= {"bundle": str(path), "bundle_bytes": len(data)}
    return document
