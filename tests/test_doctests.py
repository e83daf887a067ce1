"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from types import ModuleType

import pytest

from tests.support.paths import REPOSITORY

PACKAGES = ("triggers", "storage", "ingest", "fleet_api", "migrations", "tools", "bench")
LANGUAGE = "triggers.language"


def modules() -> list[str]:
    """Every module whose text has an example."""
    files = [file for package in PACKAGES for file in sorted((REPOSITORY / package).rglob("*.py"))]
    return [name_of(file.relative_to(REPOSITORY).parts) for file in files if ">>> " in file.read_text("utf-8")]


def name_of(parts: tuple[str, ...]) -> str:
    """The name of the module in a file, or of the package whose `__init__` it is."""
    *folders, file = parts
    return ".".join(folders if file == "__init__.py" else [*folders, file.removesuffix(".py")])


def examples_of(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder().find(module, module.__name__) if test.examples]


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_are_true(name: str) -> None:
    examples = examples_of(importlib.import_module(name))
    assert examples, "it has `>>> `, but not where an example is looked for"
    for test in examples:
        said: list[str] = []
        doctest.DocTestRunner().run(test, out=said.append)
        assert said == [], "".join(said)


def test_each_pass_of_the_compiler_shows_what_it_does() -> None:
    shown = {
        name: [test.name.rpartition(".")[2] for test in examples_of(importlib.import_module(f"{LANGUAGE}.{name}"))]
        for name in ("text.lexer", "text.parser", "text.formatter", "checks.checker", "compile")
    }
    assert "tokenize" in shown["text.lexer"]
    assert "parse" in shown["text.parser"]
    assert "format_source" in shown["text.formatter"]
    assert "lower" in shown["checks.checker"]
    assert "compile_source" in shown["compile"]
