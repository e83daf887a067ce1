"""OGC CQL2 filters over the catalog, compiled to SQL with bound parameters.

parse.py       text or JSON within limits to a tree of JSON      temporal.py   timestamps, dates, intervals
properties.py  what can be asked about: the allow-list           spatial.py    boxes and polygons against the clip's box
operands.py    typed operands of comparisons                     predicates.py the operators
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ColumnElement

from storage.clips.cql2.parse import parse_json, parse_text
from storage.clips.cql2.predicates import compile_tree

Language = Literal["cql2-text", "cql2-json"]

__all__ = ["Language", "compile_filter"]


def compile_filter(source: str, language: Language) -> ColumnElement[bool]:
    """The condition on the table `clips` that a filter stands for; InvalidInput says what in it is not understood.

    Logic is SQL's: a comparison with something the clip does not have (an attribute, a statistic, a place) is
    unknown, `not` of unknown is unknown, and only clips for which the whole filter is true are found.
    """
    tree = parse_text(source) if language == "cql2-text" else parse_json(source)
    return compile_tree(tree)
