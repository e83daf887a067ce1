"""The option `--drives A B C`, which takes every word up to the next option as a recorded drive."""

from __future__ import annotations

from pathlib import Path

import click

drives_option = click.option(
    "--drives",
    "drive_paths",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="PATH...",
    help="Parquet files, folders with a signals.parquet, or folders of either; takes every word up to the next option.",
)


class SpreadDrives(click.Command):
    """A command whose `--drives` takes every word up to the next option, and may be repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its words, which is the form that click can parse."""
        try:
            return super().parse_args(ctx, spread(args, "--drives"))
        except click.MissingParameter as error:
            if "--drives" in args and isinstance(error.param, click.Argument):
                name = error.param.make_metavar(ctx)
                raise click.UsageError(f"Missing argument {name!r}; it must come before --drives.", ctx) from error
            raise


def spread(arguments: list[str], option: str) -> list[str]:
    """`option A B` as `option A option B`; a word that begins with `-` ends the list."""
    result: list[str] = []
    words = iter(arguments)
    inside = False
    for word in words:
        if word == "--":
            return [*result, word, *words]
        if word == option:
            inside = True
        elif inside and not word.startswith("-"):
            result += [option, word]
        else:
            inside = word.startswith(f"{option}=")
            result.append(word)
    return [*result, option] if arguments and arguments[-1] == option else result
