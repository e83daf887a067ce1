"""A CQL2 filter: its source, its tree of predicates, and its condition in SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement

from storage.clips.cql2.conditions import condition
from storage.clips.cql2.foreign import Names, require_understood, translated
from storage.clips.cql2.nodes import PlacedMistake
from storage.clips.cql2.operands import Reference, properties_of
from storage.clips.cql2.parse import parse_predicate
from storage.clips.cql2.source import parse_json, parse_text
from storage.clips.cql2.tree import And, IsNull, Predicate, leaves, operands_of
from triggers.errors import InvalidInput

Language = Literal["cql2-text", "cql2-json"]


@dataclass(frozen=True)
class Filter:
    """A checked CQL2 filter. `source` and `language` are what it was parsed from."""

    source: str
    language: Language
    tree: Predicate = field(compare=False, repr=False)

    def where(self, *, fenced: bool = False) -> ColumnElement[bool]:
        """The condition on the table `clips` that the filter stands for; `fenced` as in `condition`.

        Logic is that of SQL: a comparison with something the clip does not have (an attribute, a statistic, a place) is
        unknown, `not` of unknown is unknown, and only clips for which the whole filter is true are found.
        """
        return condition(self.tree, fenced=fenced)


MAX_OF_TRACK = 10
"""Relations and distances of the track in one filter, each of which is a long condition in SQL."""


def parse_filter(source: str, language: Language, *, names: Names | None = None) -> Filter:
    """The filter of this text or JSON; InvalidInput says what in it is not understood.

    `names` makes it one of others, see the room `foreign`: then a condition on a name that nothing has is unknown.
    """
    try:
        document = parse_text(source) if language == "cql2-text" else parse_json(source)
        if names is not None:
            require_understood(document, names)
            document = translated(document, names)
        return Filter(source, language, _few_of_track(parse_predicate(document)))
    except PlacedMistake as mistake:
        raise InvalidInput(mistake.message, remedy=mistake.remedy) from mistake


def filter_of(document: Any) -> Filter:
    """The filter of a CQL2 JSON document that code has made from somebody's input, of any length."""
    source = json.dumps(document)
    try:
        return Filter(source, "cql2-json", _few_of_track(parse_predicate(parse_json(source, max_bytes=None))))
    except PlacedMistake as mistake:
        raise InvalidInput(mistake.message, remedy=mistake.remedy) from mistake


def all_of(filters: Sequence[Filter]) -> Filter | None:
    """The filter that is true where each of these is; None for none. InvalidInput where they are too much together."""
    if len(filters) < 2:
        return filters[0] if filters else None
    source = json.dumps([[part.language, part.source] for part in filters])
    return Filter(source, "cql2-json", _few_of_track(And(tuple(part.tree for part in filters))))


def _few_of_track(tree: Predicate) -> Predicate:
    """The tree itself, or InvalidInput."""
    computed = (leaf for leaf in leaves(tree) if not (isinstance(leaf, IsNull) and isinstance(leaf.operand, Reference)))
    asked = [asked for leaf in computed for operand in operands_of(leaf) for asked in properties_of(operand)]
    count = sum(1 for each in asked if each.kind == "geometry")
    if count > MAX_OF_TRACK:
        raise InvalidInput(
            f"the filter relates the track {count} times, more than {MAX_OF_TRACK}",
            remedy="join the places to one MULTIPOLYGON or GEOMETRYCOLLECTION, or use box",
        )
    return tree
