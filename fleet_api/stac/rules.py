"""Rules for STAC, as pure functions: what a search asks for in CQL2, and in which collection an item is shown."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from triggers.contracts.api.stac.search import ItemSearch
from triggers.errors import InvalidInput
from triggers.times import parse_time
from triggers.written_numbers import is_number

OPEN = ("", "..")
"""How an interval of time says that it is open at an end."""
_WHEN = "write 2026-01-05T12:00:00Z, or an interval of two such times, either of which may be `..`"


def search_of_query(
    *,
    bbox: str | None,
    ids: str | None,
    collections: str | None,
    intersects: str | None,
    sortby: str | None,
    fields: str | None,
    others: Mapping[str, Any],
) -> ItemSearch:
    """The search that the texts of a query ask for; InvalidInput, naming the parameter, for one that is not understood.

    `sortby` and `fields` are lists with signs: `-datetime`, `+id`. `others` need no translation.
    """
    asked = {
        "bbox": None if bbox is None else [_number(part) for part in bbox.split(",")],
        "ids": _listed(ids),
        "collections": _listed(collections),
        "intersects": None if intersects is None else _json(intersects),
        "sortby": [_sort_key(part) for part in sortby.split(",")] if sortby else None,
        "fields": None if fields is None else _fields(fields),
        **others,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return ItemSearch.from_json(json.dumps(given).encode(), what="the query")


def conditions(search: ItemSearch) -> list[Any]:
    """What a search asks for beside its filter, as CQL2 JSON; InvalidInput for what is not understood."""
    asked: list[Any] = []
    if search.ids is not None:
        asked.append(_in("id", search.ids))
    if search.collections is not None:
        asked.append(_in("campaign", search.collections))
    if search.bbox is not None and search.intersects is not None:
        raise InvalidInput("both bbox and intersects are given", remedy="give one of them")
    if search.bbox is not None:
        asked.append(_meets({"bbox": list(search.bbox)}))
    if search.datetime is not None:
        asked.append({"op": "t_intersects", "args": [{"property": "time"}, _when(search.datetime)]})
    if search.intersects is not None:
        asked.append(_meets(search.intersects))
    return asked


def collection_of(campaigns: Iterable[str], asked: Collection[str] | None) -> str:
    """The collection that a clip with fires of these campaigns is shown in: the first by name of those asked for.

    A clip is in the collection of each of its campaigns, but a page has it once, so that no page depends on how many
    collections share it.
    """
    of_clip = sorted(campaigns)
    return next((campaign for campaign in of_clip if campaign in (asked or ())), of_clip[0])


def _in(name: str, values: Sequence[str]) -> Any:
    return {"op": "in", "args": [{"property": name}, list(values)]} if values else False


def _meets(shape: Any) -> Any:
    return {"op": "s_intersects", "args": [{"property": "geometry"}, shape]}


def _when(text: str) -> Any:
    """A time, or an interval that is open at no more than one end."""
    ends = text.split("/")
    if len(ends) == 1 and ends[0] not in OPEN:
        _time(ends[0])
        return {"timestamp": ends[0]}
    if len(ends) != 2 or all(end in OPEN for end in ends):
        raise InvalidInput(f"datetime: {text[:80]!r} is not a time", remedy=_WHEN)
    first, last = (None if end in OPEN else _time(end) for end in ends)
    if first is not None and last is not None and first > last:
        raise InvalidInput("datetime: the interval ends before it begins", remedy="write the earlier time first")
    return {"interval": [".." if end in OPEN else end for end in ends]}


def _time(text: str) -> int:
    try:
        return parse_time(text)
    except InvalidInput as error:
        raise InvalidInput(f"datetime: {text[:60]!r} is not a time", remedy=_WHEN) from error


def _number(text: str) -> float:
    if not is_number(text.strip()):
        raise InvalidInput(f"bbox: {text[:40]!r} is not a number", remedy="write bbox=west,south,east,north in degrees")
    return float(text)


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else text.split(",") if text else []


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("intersects is not JSON", remedy="send a GeoJSON geometry") from error


def _sort_key(text: str) -> dict[str, str]:
    name = text[1:] if text.startswith(("+", "-", " ")) else text  # a plus that was not encoded arrives as a blank
    return {"field": name, "direction": "desc" if text.startswith("-") else "asc"}


def _fields(text: str) -> dict[str, list[str]]:
    parts = [part for part in text.split(",") if part]
    include = [part.lstrip("+ ") for part in parts if not part.startswith("-")]
    exclude = [part[1:] for part in parts if part.startswith("-")]
    return {**({"include": include} if include else {}), **({"exclude": exclude} if exclude else {})}
