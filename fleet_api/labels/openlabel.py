"""The check of an OpenLABEL document: its shape, and that what it refers to is in it.

A document that passes is valid by ASAM's JSON schema of OpenLABEL 1.0.0. Beyond it, relations must name elements of the
document, and `ontology_uid` an ontology of it: a completed job is final, so a slip must not cost the labels of a clip.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleet_api.labels.openlabel_shapes import (
    DOCUMENT,
    ELEMENTS,
    Anything,
    Later,
    ListOf,
    MapOf,
    Members,
    OneOf,
    Scalar,
    Shape,
    Word,
)
from triggers.errors import InvalidInput

MAX_SHOWN = 5
MAX_SHOWN_CHARACTERS = 60
_KEYS = {
    "uid": re.compile(r"-?[0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "frame": re.compile(r"[0-9]+"),
}
_KEY_NAMES = {"uid": "a number or a UUID", "frame": "a number"}
_KINDS: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


def check(document: Mapping[str, Any]) -> None:
    """Raise InvalidInput, naming the first mistakes and their places, unless this is a valid OpenLABEL document."""
    mistakes: list[str] = []
    for mistake in _mistakes(document):
        mistakes.append(mistake)
        if len(mistakes) > MAX_SHOWN:
            mistakes[-1] = "and more"
            break
    if mistakes:
        raise InvalidInput(
            "the labels are not an OpenLABEL 1.0.0 document: " + "; ".join(mistakes),
            remedy="correct these places; nothing was written, and the job is still yours",
        )


def _mistakes(document: Mapping[str, Any]) -> Iterator[str]:
    sound = True
    for mistake in _of_shape(document, DOCUMENT, ""):
        sound = False
        yield mistake
    if sound:
        yield from _dangling(document["openlabel"])


def _of_shape(value: object, shape: Shape, place: str) -> Iterator[str]:
    match shape:
        case Later():
            yield from _of_shape(value, shape.shape(), place)
        case ListOf():
            yield from _of_list(value, shape, place)
        case MapOf():
            yield from _of_map(value, shape, place)
        case Members():
            yield from _of_members(value, shape, place)
        case Scalar() | Word() | OneOf() | Anything():
            if not _is_simple(value, shape, place):
                yield f"{place} must be {_described(shape)}, not {_shown(value)}"


def _is_simple(value: object, shape: Scalar | Word | OneOf | Anything, place: str) -> bool:
    match shape:
        case Scalar():
            return _is_scalar(value, shape)
        case Word():
            return value in shape.words
        case OneOf():
            return any(not any(_of_shape(value, choice, place)) for choice in shape.choices)
        case Anything():
            return True


def _is_scalar(value: object, shape: Scalar) -> bool:
    if isinstance(value, bool):  # which Python counts as an integer
        return shape.kind == "boolean"
    if shape.kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _KINDS[shape.kind])


def _of_list(value: object, shape: ListOf, place: str) -> Iterator[str]:
    most = len(value) if isinstance(value, list) and shape.most is None else shape.most
    if not isinstance(value, list) or most is None or not shape.least <= len(value) <= most:
        yield f"{place} must be {_described(shape)}, not {_shown(value)}"
        return
    for index, item in enumerate(value):
        yield from _of_shape(item, shape.item, f"{place}[{index}]")


def _of_map(value: object, shape: MapOf, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place} must be {_described(shape)}, not {_shown(value)}"
        return
    for key, member in value.items():
        pattern = _KEYS.get(shape.key)
        if pattern is not None and not pattern.fullmatch(key):
            yield f"{place} has the key {_shown(key)}, which must be {_KEY_NAMES[shape.key]}"
        yield from _of_shape(member, shape.value, f"{place}.{key[:MAX_SHOWN_CHARACTERS]}")


def _of_members(value: object, shape: Members, place: str) -> Iterator[str]:
    where = place or "the document"
    if not isinstance(value, dict):
        yield f"{where} must be {_described(shape)}, not {_shown(value)}"
        return
    known = {**shape.required, **shape.optional}
    for name in shape.required:
        if name not in value:
            yield f"{where} has no `{name}`"
    for name, member in value.items():
        inside = f"{place}.{name}" if place else name
        if name in known:
            yield from _of_shape(member, known[name], inside)
        elif not shape.is_open:
            near = difflib.get_close_matches(name, known, n=1)
            yield f"{where} has an unknown member {_shown(name)}" + (f" (did you mean `{near[0]}`?)" if near else "")


def _dangling(root: Mapping[str, Any]) -> Iterator[str]:
    """References of a document of sound shape that lead nowhere."""
    ontologies = root.get("ontologies", {})
    for uid, ontology in ontologies.items():
        if isinstance(ontology, dict) and "boundary_list" in ontology and "boundary_mode" not in ontology:
            yield f"openlabel.ontologies.{uid} has a `boundary_list` and no `boundary_mode`"
    for part in (*ELEMENTS, "relations", "tags"):
        for uid, element in root.get(part, {}).items():
            named = element.get("ontology_uid")
            if named is not None and named not in ontologies:
                yield f"openlabel.{part}.{uid}.ontology_uid: {_shown(named)} is not in openlabel.ontologies"
    for uid, relation in root.get("relations", {}).items():
        for side in ("rdf_subjects", "rdf_objects"):
            for index, agent in enumerate(relation[side]):
                if agent["uid"] not in root.get(f"{agent['type']}s", {}):
                    place = f"openlabel.relations.{uid}.{side}[{index}]"
                    yield f"{place}: there is no {agent['type']} {_shown(agent['uid'])}"


def _described(shape: Shape) -> str:
    match shape:
        case Scalar():
            return {"text": "a text", "null": "null", "integer": "an integer"}.get(shape.kind, f"a {shape.kind}")
        case Word():
            return " or ".join(f'"{word}"' for word in shape.words)
        case ListOf(most=None):
            return "a list"
        case ListOf():
            count = str(shape.most) if shape.least == shape.most else f"{shape.least} to {shape.most}"
            return f"a list of {count}"
        case OneOf():
            return " or ".join(dict.fromkeys(map(_described, shape.choices)))
        case _:
            return "an object"


def _shown(value: object) -> str:
    """A value as a message may show it: an object or list by its size."""
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "..."
