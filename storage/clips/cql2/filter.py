"""A CQL2 filter: its source, its tree of predicates, and its condition in SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import ColumnElement

from storage.clips.cql2.conditions import condition
from storage.clips.cql2.nodes import PlacedMistake
from storage.clips.cql2.operands import properties_of
from storage.clips.cql2.parse import parse_predicate
from storage.clips.cql2.source import parse_json, parse_text
from storage.clips.cql2.tree import IsNull, Predicate, leaves, operands_of
from triggers.errors import InvalidInput

Language = Literal["cql2-text", "cql2-json"]


@dataclass(frozen=True)
class Filter:
    """A checked CQL2 filter. `source` and `language` are what it was parsed from."""

    source: str
    language: Language
    tree: Predicate = field(compare=False, repr=False)

    def where(self) -> ColumnElement[bool]:
        """The condition on the table `clips` that the filter stands for.

        Logic is that of SQL: a comparison with something the clip does not have (an attribute, a statistic, a place) is
        unknown, `not` of unknown is unknown, and only clips for which the whole filter is true are found.
        """
        return condition(self.tree)


MAX_OF_TRACK = 10
"""Relations and distances of the track in one filter, each of which is a long condition in SQL."""


def parse_filter(source: str, language: Language) -> Filter:
    """The filter of this text or JSON; InvalidInput says what in it is not understood."""
    try:
        document = parse_text(source) if language == "cql2-text" else parse_json(source)
        tree = parse_predicate(document)
        _require_few_of_track(tree)
        return Filter(source, language, tree)
    except PlacedMistake as mistake:
        raise InvalidInput(mistake.message, remedy=mistake.remedy) from mistake


def _require_few_of_track(tree: Predicate) -> None:
    compared = (leaf for leaf in leaves(tree) if not isinstance(leaf, IsNull))
    asked = [asked for leaf in compared for operand in operands_of(leaf) for asked in properties_of(operand)]
    count = sum(1 for each in asked if each.kind == "geometry")
    if count > MAX_OF_TRACK:
        raise InvalidInput(
            f"the filter relates the track {count} times, more than {MAX_OF_TRACK}",
            remedy="join the places to one MULTIPOLYGON or GEOMETRYCOLLECTION, or use box",
        )
