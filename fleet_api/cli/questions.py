"""Questions before what cannot be undone."""

from __future__ import annotations

import sys

import click


def ask(question: str) -> str:
    """The line that somebody types as the answer; a usage error that names `--yes` when there is none to read."""
    click.echo(f"{question}: ", err=True, nl=False)
    try:
        typed = sys.stdin.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise _unanswered() from error
    if not typed:
        raise _unanswered()
    return typed.rstrip("\n")


def _unanswered() -> click.UsageError:
    return click.UsageError("nothing was erased: no answer can be read; --yes does not ask")
