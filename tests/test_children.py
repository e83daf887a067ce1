"""Every program that the product starts works in `/` and keeps what it makes to its owner; Python is told to be safe.

What once went wrong: the processes of a deployment were started with `python -m` in the directory of whoever ran
`longtail up`. A file `uvicorn.py` that lay there ran in the API, as root.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

PRODUCT = ("triggers", "storage", "ingest", "fleet_api", "migrations")
STARTS = frozenset({"Popen", "run", "check_output", "check_call", "call"})
FILES = sorted(path for package in PRODUCT for path in (REPOSITORY / package).rglob("*.py"))


def starts(path: Path) -> Iterator[ast.Call]:
    """The calls of a file that start a program."""
    text = path.read_text("utf-8")
    for node in ast.walk(ast.parse(text if "subprocess" in text else "")):  # few files do, and all would take seconds
        match node:
            case ast.Call(func=ast.Attribute(attr=name, value=ast.Name(id="subprocess"))) if name in STARTS:
                yield node


def given(call: ast.Call, path: Path) -> dict[str, str]:
    """The keywords of a call, also those that come from a dictionary in its function."""
    found = {word.arg: ast.unparse(word.value) for word in call.keywords if word.arg is not None}
    if any(word.arg is None for word in call.keywords):
        found |= {"cwd": "'/'"} if '"cwd": "/"' in path.read_text("utf-8") else {}
    return found


CALLS = [(path, call) for path in FILES for call in starts(path)]


@pytest.mark.parametrize(
    ("path", "call"), CALLS, ids=[f"{path.relative_to(REPOSITORY)}:{call.lineno}" for path, call in CALLS]
)
def test_a_program_works_in_the_root_directory(path: Path, call: ast.Call) -> None:
    words = given(call, path)
    assert words.get("cwd") == "'/'"
    if ast.unparse(call.func) == "subprocess.Popen":
        assert words.get("umask") in ("63", "0o077")


def test_programs_are_found() -> None:
    assert len(CALLS) >= 6


@pytest.mark.parametrize("path", [path for path in FILES if "sys.executable" in path.read_text("utf-8")])
def test_python_does_not_import_from_its_working_directory(path: Path) -> None:
    """`-P`, or `-I`, which includes it."""
    text = path.read_text("utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "sys.executable":
            assert ast.unparse(node.elts[1]) in ("'-P'", "'-I'"), f"line {node.lineno}"
