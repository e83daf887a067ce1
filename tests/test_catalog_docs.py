"""The page on searching clips: every filter compiles, and what it lists is all there is."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.clips import search as catalog
from storage.clips.cql2 import compile_filter, parse, predicates, spatial, temporal
from storage.clips.cql2.properties import PROPERTIES
from storage.labels import jobs as label_jobs
from triggers.contracts.api.labels import MAX_CLAIM
from triggers.errors import InvalidInput

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "catalog.md").read_text("utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    return [block for found, block in _BLOCK.findall(text) if found == language]


def filters() -> list[str]:
    return [line for block in blocks(PAGE, "cql2") for line in block.splitlines()]


def searches() -> Iterator[str]:
    """Filters of the searches on the command line, of every document."""
    for document in DOCUMENTS:
        for block in blocks(document.read_text("utf-8"), "console"):
            for line in block.splitlines():
                if line.startswith("$ longtail clips search "):
                    yield shlex.split(line)[4]


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def names(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


@pytest.mark.parametrize("source", [*filters(), *dict.fromkeys(searches())])
def test_every_filter_compiles(source: str) -> None:
    compile_filter(source, "cql2-text")


def test_every_tree_compiles() -> None:
    trees = blocks(PAGE, "json")
    assert trees
    for tree in trees:
        compile_filter(json.dumps(json.loads(tree)), "cql2-json")


def test_the_page_has_filters_and_searches() -> None:
    assert len(filters()) > 20
    assert len(list(searches())) > 4


def test_all_properties_are_listed_and_no_others() -> None:
    rows = [line.split("|")[1] for line in section("Properties").splitlines() if line.startswith("| `")]
    listed = set().union(*(names(row) for row in rows))
    assert {name for name in listed if name == name.lower()} == set(PROPERTIES)
    for pattern in listed - set(PROPERTIES):
        compile_filter(pattern.replace("ATTRIBUTE", "a").replace("SIGNAL", "s") + " = 1", "cql2-text")


def test_all_operators_are_listed_and_no_others() -> None:
    rows = [line.split("|")[1] for line in section("Operators").splitlines() if line.startswith("| `")]
    known = {*predicates._COMPARISONS, *predicates._SPECIAL, *temporal.RELATIONS, *spatial.OPERATORS}
    assert set().union(*(names(row) for row in rows)) == known | {"and", "or", "not"}


def test_limits_and_sort_keys_are_those_of_the_code() -> None:
    limits = section("Limits")
    assert f"{parse.MAX_BYTES} bytes, {parse.MAX_NODES} operators" in limits
    assert f"nested {parse.MAX_DEPTH} deep (text: {parse.MAX_TEXT_BRACKETS} brackets" in limits
    assert f"{parse.MAX_ITEMS} items" in limits
    assert f"{catalog.MAX_PAGE} clips" in limits
    assert f"{catalog.SEARCH_TIMEOUT_S} s" in limits
    assert f"newest {catalog.MAX_LABELS} " in limits
    sorting = section("Sorting and paging").split(",", 1)[0] + section("Sorting and paging").split(".", 1)[0]
    assert set(catalog.SORT_KEYS) <= names(sorting)
    assert f"`{catalog.DEFAULT_SORT}`" in section("Sorting and paging")
    jobs = section("Label jobs")
    assert f"up to {MAX_CLAIM} jobs" in jobs
    assert f"After {label_jobs.MAX_ATTEMPTS} attempts" in jobs


def test_what_the_page_says_is_not_there_is_refused() -> None:
    for source in ("size_bytes + 1 > 2", "f(state)", "vehicle.a = vehicle.b", "region = 'EU'"):
        with pytest.raises(InvalidInput):
            compile_filter(source, "cql2-text")
