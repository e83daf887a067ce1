"""The standard's own examples: text and JSON are one tree that finds the right clips; each declared class has some."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from storage.clips.cql2.operands import FUNCTIONS as OPERANDS
from storage.clips.cql2.parse import OPERATORS
from storage.clips.cql2.standard import CONFORMANCE_CLASSES, FUNCTIONS
from storage.clips.cql2.text import parse
from storage.clips.query import ClipQuery
from storage.clips.search import search
from tests.storage.clips.catalog_support import add_clip
from tests.storage.clips.cql2.standard_examples import CLIPS, EXAMPLES, Example
from tests.support.servers.database import migrated_database
from triggers.times import parse_time

ENCODINGS = {"cql2-text", "cql2-json"}
"""Classes that every example is one of."""
NAMES = [f"{example.name} {example.of_class}" for example in EXAMPLES]


@pytest.fixture(scope="module")
def catalog(postgres_url: str, migrated: str) -> Iterator[tuple[Connection, dict[str, str]]]:
    with migrated_database(postgres_url, migrated) as database, database.begin() as connection:
        names = {}
        for name, clip in CLIPS.items():
            track = clip["track"]
            if track is not None:
                latitudes, longitudes = zip(*track, strict=True)
                box = (min(longitudes), min(latitudes), max(longitudes), max(latitudes))
            known = {"attributes": clip["attributes"], "tags": clip["tags"], "track": track}
            made = add_clip(connection, start_ns=parse_time(clip["start"]), box=None if track is None else box, **known)
            names[made] = name
        yield connection, names


def plain(tree: Any) -> Any:
    """A tree whose numbers are compared by their values."""
    if isinstance(tree, dict):
        return {name: plain(value) for name, value in tree.items()}
    if isinstance(tree, list):
        return [plain(item) for item in tree]
    return float(tree) if isinstance(tree, int | Decimal) and not isinstance(tree, bool) else tree


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_the_text_of_an_example_is_its_json(example: Example) -> None:
    assert plain(parse(example.text)) == plain(example.tree)


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_an_example_finds_what_it_says(catalog: tuple[Connection, dict[str, str]], example: Example) -> None:
    connection, names = catalog
    for language, source in (("cql2-text", example.text), ("cql2-json", json.dumps(example.tree))):
        query = ClipQuery.parse(filter_source=source, language=language)  # type: ignore[arg-type]
        assert "".join(sorted(names[clip.id] for clip in search(connection, query).clips)) == example.found, language


def test_classes_are_declared_exactly_if_examples_of_them_pass() -> None:
    declared = {uri.removeprefix("http://www.opengis.net/spec/cql2/1.0/conf/") for uri in CONFORMANCE_CLASSES}
    assert declared == {example.of_class for example in EXAMPLES} | ENCODINGS


def test_the_functions_are_all_that_the_standard_does_not_define() -> None:
    standard = {"casei", "accenti"}
    ours = {
        name for name in (*OPERATORS, *OPERANDS) if name not in standard and not name.startswith(("t_", "a_", "s_"))
    }
    logic = {"and", "or", "not", "between", "in", "like", "isnull", "=", "<>", "<", "<=", ">", ">="}
    assert {function.name for function in FUNCTIONS} == (ours - logic) | {"s_dwithin"}
