"""What commands print: results on standard output; progress, warnings and errors on standard error.

Results are a JSON document, CSV, identifiers one per line, lines of text, or tables. Tables fit the terminal on which
they are printed; where standard output is not a terminal, a row is one line, however long.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import click

from triggers.foreign_text import escaped, escaped_lines
from triggers.pages.shown_numbers import counted as counted  # noqa: PLC0414 - commands print by these, too
from triggers.pages.shown_numbers import shown_bytes as shown_bytes  # noqa: PLC0414

if TYPE_CHECKING:
    from pydantic import BaseModel

Item = TypeVar("Item", bound="BaseModel")
Command = TypeVar("Command", bound=Callable[..., Any])
Form = Literal["table", "json", "csv", "ids"]
"""How a list is printed."""

_ITEMS_AT_ONCE = 4096

NAMING_COLUMNS = frozenset({"id", "version", "number", "sequence", "price_book"})
"""Columns whose numbers name something: they are shown as commands take them, without separators."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


_FORM_HELP: dict[Form, str] = {
    "json": "Print JSON.",
    "csv": "Print CSV with a header row.",
    "ids": "Print identifiers only, one per line.",
}


def form_options(*forms: Form) -> Callable[[Command], Command]:
    """Add those of `--json`, `--csv` and `--ids` that `forms` names; the command gets the given one as `form`."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(*arguments: Any, **given: Any) -> Any:
            chosen = [form for form in forms if given.pop(f"as_{form}")]
            if len(chosen) > 1:
                raise click.UsageError(f"{' and '.join(f'--{form}' for form in chosen)} cannot be combined")
            return command(*arguments, form=chosen[0] if chosen else "table", **given)

        for form in reversed(forms):
            wrapped = click.option(f"--{form}", f"as_{form}", is_flag=True, help=_FORM_HELP[form])(wrapped)
        return wrapped  # type: ignore[return-value]

    return decorate


list_options = form_options("json", "csv", "ids")
"""The options of commands that list things with an identifier."""


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A property of the items in a list, under the name that filters and the API's answers use.

    `shown` turns the value into what people read, where that differs. The first column of a list is the identifier.
    """

    name: str
    value: Callable[[Item], object]
    shown: Callable[[Any], object] | None = None


def print_list(form: Form, items: Iterable[Item], columns: Sequence[Column[Item]], *, none: str) -> None:
    """Print a list in the requested form; `none` is the remark to print instead of an empty table.

    Identifiers and CSV are printed as the items arrive.
    """
    if form == "ids":
        for item in items:
            _put_for_programs(plain_text(columns[0].value(item)))
    elif form == "csv":
        _print_csv(items, columns)
    elif form == "json":
        print_json([item.model_dump(mode="json") for item in items])
    else:
        rows = [[_cell(column, item) for column in columns] for item in items]
        if rows:
            print_table("", [column.name for column in columns], rows)
        else:
            remark(none)


def print_fields(fields: Mapping[str, object]) -> None:
    """Print the properties of one thing, one per line; empty ones are left out."""
    shown = {name: plain_text(value) for name, value in fields.items() if value not in (None, "", [], {})}
    width = max(map(len, shown), default=0)
    for name, text in shown.items():
        print_result(f"{name:{width}}  {escaped(text)}")


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, width: int | None = None
) -> None:
    """Print a table for people, with numbers aligned to the right. Cells may be wrapped, but only at spaces.

    It fits `width` characters, or else the terminal; elsewhere each row is one line.
    """
    from fleet_api.cli.tables import table_lines

    content = [list(row) for row in rows]
    numeric = [
        name
        for index, name in enumerate(columns)
        if content and all(isinstance(row[index], int | float | None) for row in content)
    ]
    show = [plain_text if name in NAMING_COLUMNS else _shown for name in columns]
    cells = [[escaped(shown(cell)) for shown, cell in zip(show, row, strict=True)] for row in content]
    if title:
        print_title(title)
    for line in table_lines(columns, cells, right=numeric, width=width or _terminal_width()):
        _put(line)


def print_title(title: str) -> None:
    """Print the heading of a part of a result."""
    print_result()
    click.echo(click.style(_encodable(escaped_lines(title)), bold=True))


def print_text(title: str, text: str) -> None:
    """Print foreign text line by line, with its control characters as escapes."""
    print_title(title)
    for line in text.removesuffix("\n").split("\n"):
        _put("\t".join(map(escaped, line.split("\t"))))


def print_json(value: Any) -> None:
    """Print the one JSON document that a command with `--json` writes."""
    _put_json(json.dumps(value, indent=2, ensure_ascii=False))


def print_json_as_it_comes(value: Any) -> None:
    """Print the document that `print_json` would print, in which iterators are lists: memory is bounded by an item."""
    for text in _json_texts(value, "\n"):
        _put_json(text, ends_line=False)
    _put("")


def _json_texts(value: Any, line: str) -> Iterator[str]:
    """The pieces of a document; `line` is a line break with the indentation of what the value is a part of."""
    inside = f"{line}  "
    if isinstance(value, Mapping) and value:
        for index, (name, member) in enumerate(value.items()):
            yield f"{',' if index else '{'}{inside}{json.dumps(name, ensure_ascii=False)}: "
            yield from _json_texts(member, inside)
        yield f"{line}}}"
    elif isinstance(value, Iterator):
        before = "["
        while items := list(islice(value, _ITEMS_AT_ONCE)):
            if all(isinstance(item, str | int | float | None) for item in items):
                yield before + inside + json.dumps(items, ensure_ascii=False, separators=(f",{inside}", ""))[1:-1]
                items, before = [], ","
            for item in items:
                yield before + inside
                yield from _json_texts(item, inside)
                before = ","
        yield "[]" if before == "[" else f"{line}]"
    else:
        yield json.dumps(value, indent=2, ensure_ascii=False).replace("\n", line)


def print_json_line(item: BaseModel) -> None:
    """Print one of many JSON documents, each on a line of its own."""
    _put_json(item.model_dump_json())


def print_result(text: str = "") -> None:
    """Print a line of a result; what is not printable is escaped."""
    _put(escaped_lines(text))


def remark(text: str) -> None:
    """Print a line for the person at the terminal, on standard error: progress, a warning, an error."""
    click.echo(escaped_lines(text), err=True)


def show_findings(diagnostics: Iterable[Mapping[str, Any]]) -> None:
    """Print findings of the compiler, as the API sends them, on standard error, each with its place."""
    from triggers.language.text.diagnostics import Diagnostic

    for diagnostic in diagnostics:
        remark(Diagnostic(**diagnostic).render() + "\n")


def _print_csv(items: Iterable[Item], columns: Sequence[Column[Item]]) -> None:
    _put_for_programs(_csv_line([column.name for column in columns]))
    for item in items:
        _put_for_programs(_csv_line([plain_text(column.value(item)) for column in columns]))


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _cell(column: Column[Item], item: Item) -> object:
    value = column.value(item)
    return value if column.shown is None else column.shown(value)


def _shown(cell: object) -> str:
    """A value as people read it in a table."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    return f"{cell:.6g}" if isinstance(cell, float) else plain_text(cell)


def plain_text(value: object) -> str:
    """A value as programs read it: numbers in full, times in RFC 3339."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return ", ".join(f"{name}={plain_text(member)}" for name, member in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain_text, value))
    return str(value)


def _put(text: str) -> None:
    """Print text that is escaped where it has to be."""
    click.echo(_encodable(text))


def _put_for_programs(text: str) -> None:
    """Print a line as it is, since programs compare it; to a terminal nothing goes that it would obey."""
    _put(escaped_lines(text) if _is_terminal() else text)


def _put_json(text: str, *, ends_line: bool = True) -> None:
    """Print JSON: what is not printable, or not in the output's encoding, by JSON's own escapes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if not text.isascii() or "\x7f" in text:  # JSON has escaped every other control character
        text = "".join(char if char == "\n" or _shows(char, encoding) else json.dumps(char)[1:-1] for char in text)
    click.echo(text, nl=ends_line)


def _shows(character: str, encoding: str) -> bool:
    if character.isascii() or not character.isprintable():
        return character.isprintable()
    return character.encode(encoding, "ignore") != b""


def _encodable(text: str) -> str:
    """Characters that standard output's encoding lacks, and bytes of odd file names, as escapes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _terminal_width() -> int | None:
    """Characters per line of the terminal, or COLUMNS; None where standard output is not a terminal."""
    if not _is_terminal():
        return None
    return shutil.get_terminal_size().columns


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
