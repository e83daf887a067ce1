"""Scopes of a filter: a clip's fires, tags, labels and labelings, and the condition that the clip has one of them."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import ARRAY, ColumnElement, Select, Text, column, exists, func, literal, select

from storage.tables import clip_fires, clips, labels

Scope = Literal["fire", "tag", "label", "labeling"]

ELEMENT: ColumnElement[str] = column("element")
"""The tag or the label that a condition within `some` refers to."""


def some(scope: Scope, condition: ColumnElement[bool] | None = None, *, fenced: bool = False) -> ColumnElement[bool]:
    """The condition that the clip has a member of `scope`, if given one for which `condition` holds.

    A labeling is one completed label job, of which a label is one type that it found. `fenced`: members are looked up
    for each clip that is visited, and how many these are is decided elsewhere (storage/clips/plan).
    """
    query = _MEMBERS[scope]
    if condition is not None:
        query = query.where(condition)
    # OFFSET 0 keeps PostgreSQL from making a join of it, or from reading all fires into a hash.
    return exists(query.correlate(clips).offset(0) if fenced else query.correlate(clips))


def all_labels() -> ColumnElement[list[str]]:
    """Every label of the clip, as an array of texts; empty without one."""
    elements = func.unnest(labels.c.types).table_valued("element", name="element")
    of_clip = select(elements.c.element).select_from(labels).join(elements, labels.c.clip_id == clips.c.id)
    found = func.array_agg(elements.c.element, type_=ARRAY(Text))
    listed = of_clip.with_only_columns(func.coalesce(found, literal([], ARRAY(Text))))
    return listed.correlate(clips).scalar_subquery()


def extreme(scope: Scope, value: ColumnElement[Any], *, greatest: bool) -> ColumnElement[Any]:
    """The least or the greatest value that the members of `scope` have; NULL for a clip without any."""
    aggregate = func.max(value) if greatest else func.min(value)
    return _MEMBERS[scope].with_only_columns(aggregate).correlate(clips).scalar_subquery()


def _fires() -> Select[int]:
    return select(1).select_from(clip_fires).where(clip_fires.c.clip_id == clips.c.id)


def _tags() -> Select[int]:
    return select(1).select_from(func.unnest(clips.c.tags).table_valued("element", name="element"))


def _labels() -> Select[int]:
    elements = func.unnest(labels.c.types).table_valued("element", name="element")
    return select(1).select_from(labels).join(elements, labels.c.clip_id == clips.c.id)


def _labelings() -> Select[int]:
    return select(1).select_from(labels).where(labels.c.clip_id == clips.c.id)


_MEMBERS: dict[Scope, Select[int]] = {
    "fire": _fires(),
    "tag": _tags(),
    "label": _labels(),
    "labeling": _labelings(),
}
