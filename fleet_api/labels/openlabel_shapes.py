"""The shapes of an OpenLABEL document: what may stand where, as values (ASAM OpenLABEL 1.0.0, JSON schema).

Names are those of the standard. A part that the standard leaves open for members of one's own is `is_open`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Scalar:
    """One value of a JSON type."""

    kind: Literal["text", "number", "integer", "boolean", "null"]


@dataclass(frozen=True)
class Word:
    """One of the texts that the standard lists."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class ListOf:
    """A list of `least` to `most` items (None: any number) of one shape."""

    item: Shape
    least: int = 0
    most: int | None = None


@dataclass(frozen=True)
class MapOf:
    """An object whose keys are `key` and whose values have one shape."""

    value: Shape
    key: Literal["uid", "frame", "name"] = "uid"


@dataclass(frozen=True)
class Members:
    """An object with members of these names; one with `is_open` may have others, which are not checked."""

    required: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)
    is_open: bool = False


@dataclass(frozen=True)
class OneOf:
    """A value of one of several shapes."""

    choices: tuple[Shape, ...]


@dataclass(frozen=True)
class Anything:
    """A value that the standard does not describe."""


@dataclass(frozen=True)
class Later:
    """A shape that is defined further down, such as the attributes of attributes."""

    shape: Callable[[], Shape]


Shape = Scalar | Word | ListOf | MapOf | Members | OneOf | Anything | Later

TEXT, NUMBER, INTEGER = Scalar("text"), Scalar("number"), Scalar("integer")
BOOLEAN, NULL = Scalar("boolean"), Scalar("null")
ANYTHING = Anything()
FRAME_INTERVALS = ListOf(Members(optional={"frame_start": INTEGER, "frame_end": INTEGER}))
RESOURCE_UID = MapOf(TEXT)


def _numbers(least: int = 0, most: int | None = None) -> ListOf:
    return ListOf(NUMBER, least, most)


def _datum(value: Shape, *, kinds: tuple[str, ...] = (), named: bool = True, **others: Shape) -> Members:
    """An element's datum: `val` with its name, coordinate system and attributes; `others` are required too."""
    name: dict[str, Shape] = {"name": TEXT}
    optional: dict[str, Shape] = {"attributes": Later(lambda: ATTRIBUTES), "coordinate_system": TEXT}
    if kinds:
        optional["type"] = Word(kinds)
    required = {"val": value, **others}
    return Members(required | name if named else required, optional if named else optional | name, is_open=True)


_PLAIN: dict[str, Shape] = {
    "boolean": ListOf(_datum(BOOLEAN, kinds=("value",), named=False)),
    "num": ListOf(_datum(NUMBER, kinds=("value", "min", "max"), named=False)),
    "text": ListOf(_datum(TEXT, kinds=("value",), named=False)),
    "vec": ListOf(_datum(ListOf(OneOf((NUMBER, TEXT))), kinds=("values", "range"), named=False)),
}
ATTRIBUTES = Members(optional=_PLAIN)
_REFERENCE: dict[str, Shape] = {"attributes": ATTRIBUTES, "name": TEXT, "reference_type": TEXT}
_LINE = Members(optional=_REFERENCE | {"val": _numbers(2, 2)}, is_open=True)
_AREA = Members(optional=_REFERENCE | {"val": _numbers()}, is_open=True)
_POINT_3D = _datum(_numbers(3, 3))
_MESH = Members(
    optional={
        "name": TEXT,
        "coordinate_system": TEXT,
        "point3d": MapOf(_POINT_3D, key="frame"),
        "line_reference": MapOf(_LINE, key="frame"),
        "area_reference": MapOf(_AREA, key="frame"),
    },
    is_open=True,
)
_GEOMETRY: dict[str, Shape] = {
    "bbox": _datum(_numbers(4, 4)),
    "rbbox": _datum(_numbers(5, 5)),
    "cuboid": _datum(OneOf((_numbers(9, 10), NULL))),
    "point2d": _datum(_numbers(2, 2)),
    "point3d": _POINT_3D,
    "poly2d": _datum(OneOf((_numbers(), ListOf(TEXT))), closed=BOOLEAN, mode=TEXT),
    "poly3d": _datum(_numbers(), closed=BOOLEAN),
    "image": _datum(TEXT, encoding=TEXT, mime_type=TEXT),
    "binary": _datum(TEXT, encoding=TEXT, data_type=TEXT),
    "mat": _datum(_numbers(), channels=NUMBER, width=NUMBER, height=NUMBER, data_type=TEXT),
    "mesh": _MESH,
    "line_reference": _LINE,
    "area_reference": _AREA,
}
OBJECT_DATA = Members(optional=_PLAIN | {name: ListOf(shape) for name, shape in _GEOMETRY.items()})
_POINTERS = MapOf(
    Members(
        {"frame_intervals": FRAME_INTERVALS},
        {
            "type": Word((*_GEOMETRY, *_PLAIN)),
            "attribute_pointers": MapOf(Word(tuple(_PLAIN)), key="name"),
        },
        is_open=True,
    ),
    key="name",
)


def _element(data_name: str, data: Shape, **others: Shape) -> Members:
    """An object, action, event or context: its name, its type, and its data."""
    return Members(
        {"name": TEXT, "type": TEXT},
        {
            data_name: data,
            f"{data_name}_pointers": _POINTERS,
            "frame_intervals": FRAME_INTERVALS,
            "ontology_uid": TEXT,
            "resource_uid": RESOURCE_UID,
            **others,
        },
    )


ELEMENTS: dict[str, Members] = {
    "objects": _element("object_data", OBJECT_DATA, coordinate_system=TEXT),
    "actions": _element("action_data", ATTRIBUTES),
    "events": _element("event_data", ATTRIBUTES),
    "contexts": _element("context_data", ATTRIBUTES),
}
"""The four kinds of elements, by the part of the document that holds them."""
_AGENTS = ListOf(Members({"type": Word(("object", "action", "event", "context")), "uid": TEXT}, is_open=True))
_RELATION = Members(
    {"name": TEXT, "type": TEXT, "rdf_subjects": _AGENTS, "rdf_objects": _AGENTS},
    {"frame_intervals": FRAME_INTERVALS, "ontology_uid": TEXT, "resource_uid": RESOURCE_UID},
)
_TAG = Members(
    {"type": TEXT, "ontology_uid": TEXT},
    {"tag_data": OneOf((ATTRIBUTES, TEXT)), "resource_uid": RESOURCE_UID},
    is_open=True,
)
_TRANSFORM_DATA = OneOf(
    (
        Members({"matrix4x4": _numbers(16, 16)}),
        Members({"quaternion": _numbers(4, 4), "translation": _numbers(3, 3)}),
        Members({"euler_angles": _numbers(3, 3), "translation": _numbers(3, 3)}, {"sequence": TEXT}),
    )
)
_STREAMS = MapOf(
    Members(
        optional={
            "description": TEXT,
            "uri": TEXT,
            "type": Word(("camera", "lidar", "radar", "gps_imu", "other")),
            "stream_properties": Members(is_open=True),
        }
    ),
    key="name",
)
_FRAME = Members(
    optional={
        **{
            part: MapOf(Members(optional={f"{part[:-1]}_data": ATTRIBUTES}))
            for part in ("actions", "events", "contexts")
        },
        "objects": MapOf(Members(optional={"object_data": OBJECT_DATA})),
        "relations": MapOf(ANYTHING),
        "frame_properties": Members(
            optional={
                "timestamp": OneOf((TEXT, NUMBER)),
                "streams": _STREAMS,
                "transforms": MapOf(
                    Members({"src": TEXT, "dst": TEXT, "transform_src_to_dst": _TRANSFORM_DATA}, is_open=True),
                    key="name",
                ),
            },
            is_open=True,
        ),
    }
)
_METADATA = Members(
    {"schema_version": Word(("1.0.0",))},
    dict.fromkeys(("annotator", "comment", "file_version", "name", "tagged_file"), TEXT),
    is_open=True,
)
_ONTOLOGY = Members(
    {"uri": TEXT}, {"boundary_list": ListOf(TEXT), "boundary_mode": Word(("include", "exclude"))}, is_open=True
)
DOCUMENT = Members(
    {
        "openlabel": Members(
            {"metadata": _METADATA},
            {
                **{part: MapOf(element) for part, element in ELEMENTS.items()},
                "relations": MapOf(_RELATION),
                "tags": MapOf(_TAG),
                "frames": MapOf(_FRAME, key="frame"),
                "frame_intervals": FRAME_INTERVALS,
                "ontologies": MapOf(OneOf((TEXT, _ONTOLOGY))),
                "resources": MapOf(TEXT),
                "streams": _STREAMS,
                "coordinate_systems": MapOf(
                    Members(
                        {"type": TEXT, "parent": TEXT},
                        {"children": ListOf(TEXT), "pose_wrt_parent": _TRANSFORM_DATA},
                        is_open=True,
                    ),
                    key="name",
                ),
            },
        )
    }
)
"""A whole document."""
