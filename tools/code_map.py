"""Writes the map of the code: docs/map.md and the tables of docs/architecture.md, from the modules' first lines.

`python -m tools.code_map` (`make map`) writes both; a test holds them to the code. A room is a folder of modules.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import token
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("triggers", "storage", "ingest", "fleet_api", "migrations")
MAP = ROOT / "docs" / "map.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
HEAD = """# Map of the code

Every folder and every file with its subject, taken from the file's first line. `make map` writes this page, and a test
compares it with the code; [architecture.md](architecture.md) says how the parts work together. Imports go down only: a
package may import the packages listed above it.
"""
STAGES = (
    "text/lexer.py",
    "text/parser.py",
    "text/syntax.py",
    "checks/checker.py",
    "text/reporter.py",
    "ir.py",
    "webassembly/cost.py",
    "checks/limits.py",
    "webassembly/plan.py",
    "webassembly/placement.py",
    "webassembly/emitter.py",
    "webassembly/host/machine.py",
    "reference/interpreter.py",
)
"""The stages of the compiler under triggers/language, in the order in which a text goes through them."""
_BEFORE_CODE = (token.COMMENT, token.NL)
_TABLE = r"(<!-- {name}: written by `make map` -->\n).*?(<!-- end of {name} -->)"


@dataclass(frozen=True)
class Room:
    """A folder of modules: what it is for, and its files with their subjects (without `__init__`)."""

    folder: str
    subject: str
    files: dict[str, str]


def rooms(root: Path = ROOT) -> Iterator[Room]:
    """All rooms, package by package from the lowest floor up, folders in the order of their names."""
    for package in PACKAGES:
        for init in sorted((root / package).rglob("__init__.py"), key=lambda path: path.parts):
            folder = init.parent
            files = {path.name: subject(path) for path in sorted(folder.glob("*.py")) if path != init}
            yield Room(folder.relative_to(root).as_posix(), subject(init), files)


def subject(path: Path) -> str:
    """The first sentence or line of a module's docstring, on one line; empty when it has none."""
    with tokenize.open(path) as text:  # nothing after the docstring is read: the code has many files
        first = next(each for each in tokenize.generate_tokens(text.readline) if each.type not in _BEFORE_CODE)
    docstring = inspect.cleandoc(ast.literal_eval(first.string)) if first.type == token.STRING else ""
    return " ".join(docstring.split("\n\n")[0].splitlines()).strip().rstrip(".")


def rendered_map(root: Path = ROOT) -> str:
    """The text of docs/map.md."""
    return HEAD + "".join(_section(room) for room in rooms(root))


def rendered_architecture(text: str, root: Path = ROOT) -> str:
    """The text of docs/architecture.md with its tables made again; ValueError where a table's place is missing."""
    listed = [("room", "holds")] + [(f"`{room.folder}/`", room.subject) for room in rooms(root)]
    language = root / "triggers" / "language"
    stages = [("stage", "what it does")] + [(f"`{name}`", subject(language / name)) for name in STAGES]
    return _with_table(_with_table(text, "rooms", listed), "stages", stages)


def _with_table(text: str, name: str, rows: Sequence[tuple[str, str]]) -> str:
    head, *body = (f"| {left} | {right} |\n" for left, right in rows)
    table = head + "|---|---|\n" + "".join(body)
    place = re.compile(_TABLE.format(name=name), re.DOTALL)
    changed, count = place.subn(lambda match: match[1] + table + match[2], text)
    if count != 1:
        raise ValueError(f"docs/architecture.md must have one place for the table of {name}")
    return changed


def _section(room: Room) -> str:
    level = "##" if "/" not in room.folder else "###"
    files = "".join(f"- `{name}`: {what}\n" for name, what in room.files.items())
    return f"\n{level} `{room.folder}/`\n\n{room.subject}\n" + (f"\n{files}" if files else "")


def main() -> int:
    """Write both pages."""
    MAP.write_text(rendered_map(), "utf-8")
    ARCHITECTURE.write_text(rendered_architecture(ARCHITECTURE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
