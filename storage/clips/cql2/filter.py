"""A CQL2 filter: its source, its tree of predicates, and its condition in SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import ColumnElement

from storage.clips.cql2.conditions import condition
from storage.clips.cql2.nodes import PlacedMistake
from storage.clips.cql2.parse import parse_predicate
from storage.clips.cql2.source import parse_json, parse_text
from storage.clips.cql2.tree import Predicate
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


def parse_filter(source: str, language: Language) -> Filter:
    """The filter of this text or JSON; InvalidInput says what in it is not understood."""
    try:
        document = parse_text(source) if language == "cql2-text" else parse_json(source)
        return Filter(source, language, parse_predicate(document))
    except PlacedMistake as mistake:
        raise InvalidInput(mistake.message, remedy=mistake.remedy) from mistake
