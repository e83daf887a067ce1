"""`longtail fmt`: trigger files in their canonical form."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet_api.cli.output import counted, remark

if TYPE_CHECKING:
    from triggers.language.text.formatter import Formatted

_STANDARD_INPUT = Path("-")


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Write nothing; name the files that would change, and exit with 1 if there are any."
)
@click.option("--stdout", "to_stdout", is_flag=True, help="Write to standard output instead of the files.")
def fmt(files: tuple[Path, ...], check: bool, to_stdout: bool) -> int:
    """Rewrite trigger files in their canonical form; - reads standard input and writes standard output.

    Comments and meaning stay the same. A file with syntax errors is not changed: the errors are shown, and the exit
    status is 1.
    """
    if check and to_stdout:
        raise click.UsageError("--check writes nothing, so it cannot be combined with --stdout")
    changed = broken = 0
    for file in files:
        data = _read(file)
        formatted = _formatted(file, data)
        if formatted.text is None:
            broken += 1
        elif check:
            changed += _differs(file, formatted.text, data)
        elif to_stdout or file == _STANDARD_INPUT:
            click.echo(formatted.text, nl=False)
        elif formatted.text.encode() != data:
            _replace(file, formatted.text)
            changed += 1
    if not to_stdout and files != (_STANDARD_INPUT,):
        _summarize(len(files), changed, broken, check=check)
    return 1 if broken or (check and changed) else 0


def _read(file: Path) -> bytes:
    from triggers.language.text.source_file import read_bytes, read_stream

    return read_stream(sys.stdin.buffer) if file == _STANDARD_INPUT else read_bytes(file)


def _formatted(file: Path, data: bytes) -> Formatted:
    from triggers.language.text.diagnostics import render_all
    from triggers.language.text.formatter import format_bytes

    formatted = format_bytes(data, filename="<stdin>" if file == _STANDARD_INPUT else str(file))
    if formatted.text is None:
        click.echo(render_all(formatted.diagnostics) + "\n", err=True)
    return formatted


def _differs(file: Path, text: str, data: bytes) -> bool:
    if text.encode() == data:
        return False
    remark(f"would change: {file}")
    return True


def _replace(file: Path, text: str) -> None:
    from triggers.atomic_file import replace_text

    replace_text(file, text)
    remark(f"formatted: {file}")


def _summarize(files: int, changed: int, broken: int, *, check: bool) -> None:
    done = f"{changed} would change" if check else f"{changed} changed"
    remark(f"{counted(files, 'file')}: {done}, {broken} with mistakes")
