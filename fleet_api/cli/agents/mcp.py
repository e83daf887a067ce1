"""`longtail mcp`: the server of tools for language models, over standard input and output."""

from __future__ import annotations

from pathlib import Path

import click

from fleet_api.cli.author.drives_option import SpreadDrives, drives_option
from fleet_api.cli.connection import OpenApi, with_api
from fleet_api.cli.numbers import WholeNumber

_path = click.Path(path_type=Path)


@click.command(cls=SpreadDrives)
@click.option(
    "--root",
    "roots",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    help="Folder whose .trigger and .yaml files may be named by path; may be repeated.  [default: none]",
)
@click.option("--signals", "catalog_file", type=_path, help="The signal catalog where a call names no other.")
@drives_option
@click.option(
    "--allow-apply",
    is_flag=True,
    help="Also offer a tool that makes drafts and submissions of campaigns. Nothing here approves one.",
)
@click.option(
    "--backtest-seconds",
    type=WholeNumber(1, 86_400),
    default=300,
    show_default=True,
    help="Processor time that one backtest may take.",
)
@with_api
def mcp(
    *,
    open_api: OpenApi,
    roots: tuple[Path, ...],
    catalog_file: Path | None,
    drive_paths: tuple[Path, ...],
    allow_apply: bool,
    backtest_seconds: int,
) -> None:
    """Serve tools to a language model by the Model Context Protocol, until standard input ends.

    A model can read the language and the signal catalog, check and explain trigger files, run them over the given
    drives, and search clips as you (--url, --token-file). It changes nothing, unless --allow-apply is given. Programs
    that host models start this command: docs/agents.md says how.
    """
    from fleet_api.agents.server import serve
    from fleet_api.agents.workspace import Workspace, resolved
    from triggers.signals.catalog import SignalCatalog

    if catalog_file is not None:
        SignalCatalog.load(catalog_file)  # so that its mistakes are told now, to a person
    serve(
        Workspace(
            roots=tuple(resolved(root, "--root") for root in roots),
            drives=tuple(resolved(path, "--drives") for path in drive_paths),
            signals=None if catalog_file is None else resolved(catalog_file, "--signals"),
            open_api=open_api,
            may_apply=allow_apply,
            backtest_cpu_s=backtest_seconds,
        )
    )
