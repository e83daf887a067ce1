"""Tables of a dataset's members: the Parquet manifest, and GeoParquet of items (geoparquet.org, version 1.1)."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fleet_api.client.datasets.export.folder import whole
from triggers.contracts.api.datasets.versions import MemberView, VersionView

_ROWS = 1000
_TIME = pa.timestamp("ns", tz="UTC")
_TEXTS = pa.list_(pa.string())
_ASSET = pa.struct(
    [("name", pa.string()), ("media_type", pa.string()), ("size_bytes", pa.int64()), ("digest", pa.string())]
)
_LABEL = pa.struct([("id", pa.int64()), ("digest", pa.string())])
SCHEMA = pa.schema(
    [
        ("clip_id", pa.string()),
        ("digest", pa.string()),
        ("size_bytes", pa.int64()),
        ("split", pa.string()),
        ("file", pa.string()),
        ("vehicle", pa.string()),
        ("recording_id", pa.string()),
        ("start", _TIME),
        ("end", _TIME),
        ("triggers", _TEXTS),
        ("campaigns", _TEXTS),
        ("tags", _TEXTS),
        ("attributes", pa.string()),
        ("west", pa.float64()),
        ("south", pa.float64()),
        ("east", pa.float64()),
        ("north", pa.float64()),
        ("assets", pa.list_(_ASSET)),
        ("labels", pa.list_(_LABEL)),
        ("erased_cause", pa.string()),
        ("erased_reason", pa.string()),
        ("erased_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""The manifest. `attributes` is JSON, since vehicles have different ones; `file` is relative to the folder."""
GEOMETRY = "geometry"
ITEM_SCHEMA = SCHEMA.append(pa.field(GEOMETRY, pa.binary()))
_WKB_POINT, _WKB_LINE, _WKB_POLYGON, _WKB_MULTI = 1, 2, 3, 6
_TYPES = {_WKB_POINT: "Point", _WKB_LINE: "LineString", _WKB_POLYGON: "Polygon", _WKB_MULTI: "MultiPolygon"}
Box = tuple[float, float, float, float]


def row_of(member: MemberView, file: str | None) -> dict[str, Any]:
    """A member as a row of SCHEMA; what only the catalog knows is null for a clip that was erased."""
    clip, erased = member.clip, member.erased
    row: dict[str, Any] = {
        "clip_id": member.clip_id,
        "digest": member.digest,
        "size_bytes": member.size_bytes,
        "split": member.split,
        "file": file,
        "assets": [asset.model_dump() for asset in member.assets],
        "labels": [label.model_dump() for label in member.labels],
    }
    if erased is not None:
        row |= {"erased_cause": erased.cause, "erased_reason": erased.reason, "erased_at": erased.erased_at}
    if clip is not None:
        west, south, east, north = clip.box or (None, None, None, None)
        row |= {
            "vehicle": clip.vehicle,
            "recording_id": clip.recording_id,
            "start": clip.start_ns,
            "end": clip.end_ns,
            "triggers": sorted({fire.trigger for fire in clip.fires}),
            "campaigns": sorted({fire.campaign for fire in clip.fires}),
            "tags": clip.tags,
            "attributes": json.dumps(clip.attributes, sort_keys=True, ensure_ascii=False),
            "west": west,
            "south": south,
            "east": east,
            "north": north,
        }
    return row


def write_manifest(target: Path, version: VersionView, rows: Iterable[dict[str, Any]]) -> None:
    """Write the rows of all members, as they come, to a Parquet file that says which version they are of."""
    _write(target, SCHEMA, rows, lambda: _about(version))


def write_items(target: Path, version: VersionView, rows: Iterable[dict[str, Any]]) -> None:
    """Write the rows of members to GeoParquet 1.1, with their boxes as WKB. Clips that were erased are not items."""
    types: set[str] = set()
    boxes: list[Box] = []

    def items() -> Iterable[dict[str, Any]]:
        for row in rows:
            if row.get("vehicle") is None:
                continue
            box = (row["west"], row["south"], row["east"], row["north"])
            shape = None if box[0] is None else geometry_of(box)
            if shape is not None:
                types.add(_TYPES[int.from_bytes(shape[1:5], "little")])
                boxes[:] = [_around([*boxes, box])]
            yield row | {GEOMETRY: shape}

    def about() -> dict[str, str]:
        column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(types)}
        if boxes:
            column["bbox"] = list(boxes[0])
        geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
        return {"geo": json.dumps(geo), **_about(version)}

    _write(target, ITEM_SCHEMA, items(), about)


def _write(
    target: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]], about: Callable[[], dict[str, str]]
) -> None:
    with whole(target) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        batch: list[dict[str, Any]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == _ROWS:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        writer.write_table(pa.Table.from_pylist(batch, schema))
        writer.add_key_value_metadata(about())  # last, as some of it is known only after all rows


def _about(version: VersionView) -> dict[str, str]:
    return {"longtail.dataset": f"{version.name}@{version.version}", "longtail.digest": version.digest}


def geometry_of(box: Box) -> bytes:
    """A box as little-endian WKB: a polygon, or two over the date line; a line or point where it has no extent."""
    west, south, east, north = box
    if west > east:
        parts = [_polygon((west, south, 180.0, north)), _polygon((-180.0, south, east, north))]
        return struct.pack("<BII", 1, _WKB_MULTI, len(parts)) + b"".join(parts)
    if west < east and south < north:
        return _polygon(box)
    if west == east and south == north:
        return struct.pack("<BIdd", 1, _WKB_POINT, west, south)
    return struct.pack("<BIIdddd", 1, _WKB_LINE, 2, west, south, east, north)


def _polygon(box: Box) -> bytes:
    west, south, east, north = box
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]  # counter-clockwise
    corners = (number for corner in ring for number in corner)
    return struct.pack("<BIII", 1, _WKB_POLYGON, 1, len(ring)) + struct.pack("<10d", *corners)


def _around(boxes: list[Box]) -> Box:
    """The box around boxes; over the whole width where one of them crosses the date line."""
    south, north = min(box[1] for box in boxes), max(box[3] for box in boxes)
    if any(box[0] > box[2] for box in boxes):
        return -180.0, south, 180.0, north
    west, east = min(box[0] for box in boxes), max(box[2] for box in boxes)
    return west, south, east, north
