"""The members of items that a request wants (STAC API, Fields extension)."""

from __future__ import annotations

from typing import Any

from triggers.contracts.api.stac.search import Fields

USUAL = ("geometry", "bbox", "links", "assets", "properties.datetime")
"""Of a request that names no member."""
ALWAYS = ("type", "stac_version", "id", "collection")
"""What an item is: left out only if that is asked for."""


def selected(item: dict[str, Any], fields: Fields | None) -> dict[str, Any]:
    """The item with the wanted members; the whole item without `fields`.

    A member follows the longest path that names it or what it is in; one that is both included and excluded is
    included. Without `include` everything is wanted that is not excluded; with an empty one, of the usual members.

    >>> selected({"id": "a", "properties": {"b": 1, "c.d": 2}}, Fields(include=("properties.c.d",)))
    {'id': 'a', 'properties': {'c.d': 2}}
    """
    if fields is None:
        return item
    include, exclude = frozenset(fields.include or ()), frozenset(fields.exclude or ())
    if not include and (not exclude or "include" in fields.model_fields_set):
        include = frozenset(USUAL) - exclude
    if not include and not any("." in path for path in exclude):
        return {name: value for name, value in item.items() if name not in exclude}
    return _chosen(item, "", include | frozenset(ALWAYS) if include else include, exclude, wanted=not include)


def wants_assets(fields: Fields | None) -> bool:
    """Whether assets are in the answer at all: their links need not be signed otherwise."""
    return "assets" in selected({"assets": {"": ""}}, fields) or any(
        path.startswith("assets.") for path in (fields.include or () if fields else ())
    )


def _chosen(
    members: dict[str, Any], place: str, include: frozenset[str], exclude: frozenset[str], *, wanted: bool
) -> dict[str, Any]:
    chosen = {}
    for name, value in members.items():
        path = f"{place}{name}"
        is_wanted = path in include or (wanted and path not in exclude)
        inner = _chosen(value, f"{path}.", include, exclude, wanted=is_wanted) if isinstance(value, dict) else value
        if is_wanted or (isinstance(value, dict) and inner):
            chosen[name] = inner
    return chosen
