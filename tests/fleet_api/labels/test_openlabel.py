"""What counts as an OpenLABEL 1.0.0 document, and what a labeler reads about one that does not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fleet_api.labels.openlabel import check
from tests.storage.clips.catalog_support import OPENLABEL
from triggers.errors import InvalidInput

UUID = "12345678-1234-4321-abcd-123456789012"
WHOLE: dict[str, Any] = {
    "openlabel": {
        "metadata": {"schema_version": "1.0.0", "annotator": "lab", "of_our_own": [1]},
        "ontologies": {
            "0": "https://example.org/o",
            "1": {"uri": "u", "boundary_list": [], "boundary_mode": "include"},
        },
        "objects": {
            "0": {
                "name": "car1",
                "type": "car",
                "ontology_uid": "0",
                "frame_intervals": [{"frame_start": 0, "frame_end": 9}],
                "object_data": {
                    "bbox": [{"name": "b", "val": [1, 2, 3.5, 4], "attributes": {"num": [{"val": 0.9, "name": "s"}]}}],
                    "cuboid": [{"name": "c", "val": [0] * 9}, {"name": "d", "val": None}],
                    "poly2d": [{"name": "p", "val": [1, 2], "closed": True, "mode": "MODE_POLY2D_ABSOLUTE"}],
                    "vec": [{"val": [1, "a"], "type": "values"}],
                },
                "object_data_pointers": {"b": {"type": "bbox", "frame_intervals": []}},
            },
            UUID: {"name": "car2", "type": "car"},
        },
        "actions": {"-1": {"name": "braking", "type": "braking", "action_data": {"boolean": [{"val": True}]}}},
        "relations": {
            "0": {
                "name": "r",
                "type": "follows",
                "rdf_subjects": [{"type": "object", "uid": "0"}],
                "rdf_objects": [{"type": "object", "uid": UUID}, {"type": "action", "uid": "-1"}],
            }
        },
        "tags": {"0": {"type": "rain", "ontology_uid": "1", "tag_data": {"text": [{"val": "heavy"}]}}},
        "frames": {
            "7": {
                "objects": {"0": {"object_data": {"point3d": [{"name": "p", "val": [1, 2, 3]}]}}},
                "frame_properties": {
                    "timestamp": 1.5,
                    "transforms": {
                        "t": {"src": "a", "dst": "b", "transform_src_to_dst": {"matrix4x4": [0.0] * 16}},
                    },
                },
            }
        },
        "coordinate_systems": {"odom": {"type": "scene_cs", "parent": "", "children": ["ego"]}},
        "streams": {"front": {"type": "camera", "uri": "front.mp4", "stream_properties": {"anything": 1}}},
    }
}


def changed(place: str, value: Any) -> dict[str, Any]:
    """WHOLE with another value at a place, such as `objects.0.type`; a value of `...` removes what is there."""
    document = copy.deepcopy(WHOLE)
    part: Any = document["openlabel"]
    *path, last = place.split(".")
    for step in path:
        part = part[int(step)] if isinstance(part, list) else part[step]
    if value is ...:
        del part[last]
    elif isinstance(part, list):
        part[int(last)] = value
    else:
        part[last] = value
    return document


@pytest.mark.parametrize("document", [WHOLE, OPENLABEL, {"openlabel": {"metadata": {"schema_version": "1.0.0"}}}])
def test_a_valid_document_passes(document: dict[str, Any]) -> None:
    check(document)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "the document has no `openlabel`"),
        ({**WHOLE, "more": 1}, "the document has an unknown member 'more'"),
        ({"openlabel": []}, "openlabel must be an object, not a list of 0"),
        ({"openlabel": {}}, "openlabel has no `metadata`"),
        ({"openlabel": {"metadata": {}}}, "openlabel.metadata has no `schema_version`"),
        (changed("metadata.schema_version", "0.9"), "openlabel.metadata.schema_version must be \"1.0.0\", not '0.9'"),
        (changed("objcts", {"0": {}}), "openlabel has an unknown member 'objcts' (did you mean `objects`?)"),
        (changed("objects", []), "openlabel.objects must be an object, not a list of 0"),
        (changed("objects.0", {}), "openlabel.objects.0 has no `name`; openlabel.objects.0 has no `type`"),
        (changed("objects.0.type", 5), "openlabel.objects.0.type must be a text, not 5"),
        (changed("objects.0.type", True), "openlabel.objects.0.type must be a text, not True"),
        (changed("objects.0.kind", "x"), "openlabel.objects.0 has an unknown member 'kind'"),
        (
            changed("objects.zero", WHOLE["openlabel"]["objects"]["0"]),
            "the key 'zero', which must be a number or a UUID",
        ),
        (
            changed("objects.0.object_data.bbox.0.val", [1, 2, 3]),
            "openlabel.objects.0.object_data.bbox[0].val must be a list of 4, not a list of 3",
        ),
        (
            changed("objects.0.object_data.bbox.0.val", [1, 2, 3, "4"]),
            "openlabel.objects.0.object_data.bbox[0].val[3] must be a number, not '4'",
        ),
        (
            changed("objects.0.object_data.bbox.0.attributes.num.0.val", False),
            "openlabel.objects.0.object_data.bbox[0].attributes.num[0].val must be a number, not False",
        ),
        (
            changed("objects.0.object_data.cuboid.0.val", [0] * 8),
            "cuboid[0].val must be a list of 9 to 10 or null, not a list of 8",
        ),
        (changed("objects.0.frame_intervals.0.frame_end", 1.5), "frame_end must be an integer, not 1.5"),
        (
            changed("objects.0.ontology_uid", "9"),
            "openlabel.objects.0.ontology_uid: '9' is not in openlabel.ontologies",
        ),
        (
            changed("ontologies.1.boundary_mode", ...),
            "openlabel.ontologies.1 has a `boundary_list` and no `boundary_mode`",
        ),
        (
            changed("relations.0.rdf_objects.0.uid", "5"),
            "openlabel.relations.0.rdf_objects[0]: there is no object '5'",
        ),
        (changed("relations.0.rdf_subjects", ...), "openlabel.relations.0 has no `rdf_subjects`"),
        (changed("tags.0.ontology_uid", ...), "openlabel.tags.0 has no `ontology_uid`"),
        (changed("frames.x", {}), "openlabel.frames has the key 'x', which must be a number"),
        (changed("frames.7.objects.0.type", "car"), "openlabel.frames.7.objects.0 has an unknown member 'type'"),
        (changed("streams.front.type", "eye"), 'must be "camera" or "lidar" or "radar" or "gps_imu" or "other"'),
        (
            changed("frames.7.frame_properties.transforms.t.transform_src_to_dst", {"matrix4x4": [1]}),
            "transform_src_to_dst must be an object, not an object of 1",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(document: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check(document)
    assert said in refused.value.message


def test_many_mistakes_are_named_up_to_a_limit() -> None:
    document = changed("objects", {str(uid): {} for uid in range(1000)})
    with pytest.raises(InvalidInput) as refused:
        check(document)
    assert refused.value.message.count("has no") == 5
    assert refused.value.message.endswith("and more")


def test_attributes_of_attributes_are_checked_as_deep_as_a_request_may_nest() -> None:
    inner: dict[str, Any] = {"val": "not a number"}
    for _ in range(45):
        inner = {"val": 1, "attributes": {"num": [inner]}}
    with pytest.raises(InvalidInput, match="must be a number"):
        check(changed("actions.-1.action_data", {"num": [inner]}))
