"""Conventions of the tests, held by a test: no clock decides, nothing sleeps, and nothing private is touched.

What once went wrong: eleven tests compared elapsed time with a limit and failed when the machine was busy. Tests that
slept for half a second were too slow on one machine and too fast on another. Tests that read private fields broke with
each refactoring, and one of them went on testing a function that the product no longer called.

- A test that reads a clock is marked `timing` and runs alone (`make timing`). Better: count calls, rows or rounds.
- A test that waits, waits for a condition, by `tests/support/waiting.py`.
- A test that needs to see inside asks for a public method of the product.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support.paths import REPOSITORY

CLOCKS = frozenset({"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "thread_time"})
WAITING = "tests/support/waiting.py"
PUBLIC = frozenset({"_replace", "_asdict", "_fields", "_exit"})
"""What the standard library spells with an underscore and documents all the same."""
ALLOWED = {
    ("tests/test_docs.py", "_protected_args"): "click keeps the words of a subcommand nowhere else",
}


FILES = sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "tests").rglob("*.py"))


@pytest.mark.parametrize("file", FILES)
def test_a_file_keeps_the_conventions(file: str) -> None:
    source = (REPOSITORY / file).read_text("utf-8")
    assert list(breaches(file, source)) == []


@pytest.mark.parametrize(
    ("source", "breach"),
    [
        (
            "def test_fast():\n    start = time.monotonic()\n",
            "line 1: test_fast reads a clock and is not marked timing",
        ),
        (
            "def took():\n    return perf_counter()\ndef test_fast():\n    assert took() < 1\n",
            "line 3: test_fast reads a clock and is not marked timing",
        ),
        (
            "@pytest.fixture\ndef took_s():\n    return time.process_time()\ndef test_fast(took_s):\n    pass\n",
            "line 4: test_fast reads a clock and is not marked timing",
        ),
        ("START = time.monotonic()\n", "line 1: a clock is read outside of a function"),
        ("def test_it():\n    time.sleep(1)\n", "line 2: sleeps"),
        ("assert agent._queue\n", "line 1: _queue is private"),
        ("from storage.migrate import _config\n", "line 1: _config is private"),
        ('monkeypatch.setattr(client, "_http", None)\n', "line 1: _http is private"),
    ],
)
def test_a_breach_is_found(source: str, breach: str) -> None:
    assert list(breaches("tests/test_it.py", source)) == [breach]


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.mark.timing\ndef test_fast():\n    assert time.monotonic() < 1\n",
        "pytestmark = [pytest.mark.timing]\ndef test_fast():\n    assert time.monotonic() < 1\n",
        "class Small(Kernel):\n    def run(self):\n        return self._given(), super()._given()\n",
        "row._replace(a=1)\nmodule.__file__\n",
        'CHILD = "import time; time.sleep(600)"\n',
    ],
)
def test_what_is_no_breach_passes(source: str) -> None:
    assert list(breaches("tests/test_it.py", source)) == []


def breaches(file: str, source: str) -> Iterator[str]:
    """What a test file does against the conventions, with its lines."""
    tree = ast.parse(source)
    if file != WAITING:
        yield from clock_breaches(tree)
        yield from (f"line {node.lineno}: sleeps" for node in ast.walk(tree) if is_sleep(node))
    for line, name in private_names(tree):
        if name not in PUBLIC and (file, name) not in ALLOWED:
            yield f"line {line}: {name} is private"


def clock_breaches(tree: ast.Module) -> Iterator[str]:
    """Tests that read a clock unmarked, themselves or by a function or fixture of their file."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    names = {function.name: names_in(function) for function in functions}
    timed = {name for name, used in names.items() if used & CLOCKS}
    while more := {name for name, used in names.items() if used & timed} - timed:
        timed |= more
    for node in tree.body:
        if node not in functions and names_in(node) & CLOCKS and not isinstance(node, ast.ImportFrom):
            yield f"line {node.lineno}: a clock is read outside of a function"
    if any(is_module_mark(node) for node in tree.body):
        return
    for function in functions:
        if function.name.startswith("test_") and function.name in timed and "timing" not in names_in(function):
            yield f"line {function.lineno}: {function.name} reads a clock and is not marked timing"


def names_in(node: ast.AST) -> set[str]:
    """Every name, attribute and parameter below a node, its decorators included."""
    found: set[str] = set()
    for child in ast.walk(node):
        match child:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                found.add(name)
    return found


def is_module_mark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and {"pytestmark", "timing"} <= names_in(node)


def is_sleep(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "sleep"}


def private_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of what is read, imported or replaced of others though it begins with an underscore."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, value=owner) if not is_own(owner):
                names = [name]
            case ast.ImportFrom(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.Call(func=ast.Attribute(attr="setattr" | "delattr"), args=[_, ast.Constant(value=str(name)), *_]):
                names = [name]
            case _:
                continue
        yield from ((node.lineno, name) for name in names if name.startswith("_") and not name.endswith("__"))


def is_own(owner: ast.expr) -> bool:
    """Whether it is the object itself, or its base class."""
    return ast.unparse(owner) in {"self", "cls", "super()"}


def test_no_exception_outlives_its_reason() -> None:
    kept = {(file, name) for file, name in ALLOWED if name in (REPOSITORY / file).read_text("utf-8")}
    assert kept == set(ALLOWED)
