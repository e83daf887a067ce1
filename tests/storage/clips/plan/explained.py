"""A search with the plan of each of its statements, as PostgreSQL ran it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from storage.clips.order import PagePosition
from storage.clips.plan import Caps
from storage.clips.plan.strategy import Search
from storage.clips.query import ClipQuery
from tests.support.statements import noted

CLIPS = 4000
"""Of the catalog of these tests."""
CAPS = Caps(collected=150, visited=40, glanced=50, walked=300, large=300)
"""So small that they tell a plan that visits a share of that catalog."""


@dataclass
class Explained:
    """What a search found, the ways that it went, and what its statements did."""

    ids: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    indexes: set[str] = field(default_factory=set)
    whole_tables: set[str] = field(default_factory=set)
    """Tables that were read from beginning to end."""
    visited: int = 0
    """Rows that index and bitmap scans gave, those that were then dropped included."""


def explain(connection: Connection, query: ClipQuery, caps: Caps) -> Explained:
    """Run a search, and then each of its statements again under EXPLAIN ANALYZE."""
    tree = None if query.filter is None else query.filter.tree
    found: list[PagePosition] = []
    steps: list[str] = []

    def run() -> None:
        running = Search(connection, tree, query.order, query.page.after, query.page.limit + 1, caps, steps)
        found.extend(running.page())

    explained = explain_statements(connection, run)
    explained.ids, explained.steps = [position.clip_id for position in found], steps
    return explained


def explain_statements(connection: Connection, run: Callable[[], object]) -> Explained:
    """Run something that reads, and then each of its statements again under EXPLAIN ANALYZE."""
    with noted(connection) as sent:
        run()
    explained = Explained()
    for statement, parameters in sent:
        if "set_config" in statement:
            connection.exec_driver_sql(statement, parameters)
            continue
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
        for node in _nodes(plan["Plan"]):
            _add(explained, node)
    return explained


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _add(explained: Explained, node: dict[str, Any]) -> None:
    kind = node["Node Type"]
    if "Scan" not in kind or kind in ("CTE Scan", "Subquery Scan", "Function Scan"):
        return
    if kind == "Seq Scan":
        explained.whole_tables.add(node["Relation Name"])
    if "Index Name" in node:
        explained.indexes.add(node["Index Name"])
    dropped = sum(node.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck"))
    explained.visited += round((node["Actual Rows"] + dropped) * node["Actual Loops"])
