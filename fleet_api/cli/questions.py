"""Questions before what cannot be undone, or must be looked at first."""

from __future__ import annotations

import sys

import click

ERASED_NOTHING = "nothing was erased: no answer can be read; --yes does not ask"


def ask(question: str, *, otherwise: str = ERASED_NOTHING) -> str:
    """The line that somebody types as the answer; a usage error with the text `otherwise` when there is none."""
    click.echo(f"{question}: ", err=True, nl=False)
    try:
        typed = sys.stdin.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(otherwise) from error
    if not typed:
        raise click.UsageError(otherwise)
    return typed.rstrip("\n")
