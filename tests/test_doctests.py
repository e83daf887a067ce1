"""The examples in docstrings of the language and its signals are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import triggers.language
import triggers.signals


def modules() -> list[str]:
    """Every module of both packages."""
    return [
        found.name
        for package in (triggers.language, triggers.signals)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]


def examples_of(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder().find(module, module.__name__) if test.examples]


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_are_true(name: str) -> None:
    module = importlib.import_module(name)

    for test in examples_of(module):
        said: list[str] = []
        doctest.DocTestRunner().run(test, out=said.append)
        assert said == [], "".join(said)


def test_each_pass_of_the_compiler_shows_what_it_does() -> None:
    shown = {
        name.removeprefix("triggers.language."): [test.name.rpartition(".")[2] for test in examples_of(module)]
        for name in modules()
        if (module := importlib.import_module(name))
    }
    assert "tokenize" in shown["text.lexer"]
    assert "parse" in shown["text.parser"]
    assert "format_source" in shown["text.formatter"]
    assert "lower" in shown["checks.checker"]
    assert "compile_source" in shown["compile"]
