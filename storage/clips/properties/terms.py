"""When clips of an attribute's value, or of a tag, were recorded: bounds in which a walk by time looks for them.

The index of attributes and tags does not have their clips by time, so a value that many old clips have, and no new
one, would be looked for among all that came after. Bounds are an hour wider than the clips, and written once an hour.
Terms are hashed: what a vehicle's attributes said is not kept here when the vehicle is erased.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, text

from storage.clips.properties.margins import MARGIN_NS, widened
from storage.jsonb import json_text
from storage.statements.prepared import Prepared
from storage.tables.clips import attribute_term, tag_term

_NOTE = """
    INSERT INTO clip_terms (term, first_ns, last_ns)
    SELECT t.term, {wider}
    FROM (
        SELECT {attribute} AS term, min(recorded_ns) AS first_ns, max(recorded_ns) AS last_ns
        FROM clips CROSS JOIN LATERAL jsonb_each(attributes) AS a WHERE {these} GROUP BY 1
        UNION ALL
        SELECT {tag}, min(recorded_ns), max(recorded_ns)
        FROM clips CROSS JOIN LATERAL unnest(tags) AS tag WHERE {these} GROUP BY 1
    ) AS t
    WHERE NOT EXISTS (
        SELECT FROM clip_terms k WHERE k.term = t.term AND k.first_ns <= t.first_ns AND k.last_ns >= t.last_ns
    )
    ORDER BY t.term
    ON CONFLICT (term) DO UPDATE SET
        first_ns = least(clip_terms.first_ns, excluded.first_ns),
        last_ns = greatest(clip_terms.last_ns, excluded.last_ns)
"""
# Rows that need no change are not locked, as most clips have the same few; the others always in one order.
_TERMS = {
    "attribute": attribute_term("a.key", "a.value"),
    "tag": tag_term("tag"),
    "wider": ", ".join(widened("t.first_ns", "t.last_ns")),
}
_NOTE_THESE = Prepared(text(_NOTE.format(**_TERMS, these="clips.id = ANY (CAST(:ids AS text[]))")))
_NOTE_ALL = text(_NOTE.format(**_TERMS, these="true"))
_SPAN = """
    SELECT min(first_ns), max(last_ns) FROM clip_terms WHERE term IN ({terms})
"""


def note(connection: Connection, clip_ids: Collection[str]) -> None:
    """Widen the bounds of the terms that these clips have."""
    _NOTE_THESE.rows(connection, ids=list(clip_ids), margin=MARGIN_NS)


def note_all(connection: Connection) -> None:
    """The same of all clips."""
    connection.execute(_NOTE_ALL, {"margin": MARGIN_NS})


def span_of_attribute(connection: Connection, attribute: str, values: Collection[Any]) -> tuple[int, int] | None:
    """Bounds of `recorded_ns` of the clips with one of these values; None if none is known."""
    parameters: dict[str, Any] = {"attribute": attribute}
    parameters |= {f"value{number}": json_text(value) for number, value in enumerate(values)}
    terms = [attribute_term("CAST(:attribute AS text)", f"CAST(:value{n} AS jsonb)") for n in range(len(values))]
    return _span(connection, terms, parameters)


def span_of_tags(connection: Connection, tags: Collection[str]) -> tuple[int, int] | None:
    """The same of the clips with one of these tags."""
    parameters = {f"value{number}": tag for number, tag in enumerate(tags)}
    return _span(connection, [tag_term(f"CAST(:{name} AS text)") for name in parameters], parameters)


def _span(connection: Connection, terms: list[str], parameters: dict[str, Any]) -> tuple[int, int] | None:
    row = connection.execute(text(_SPAN.format(terms=", ".join(terms))), parameters).one()
    return None if row[0] is None else (row[0], row[1])
