"""What a search finds: clips one after the other, over as many pages as it takes, or all of them as a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from fleet_api.client.clips.clip import Clip
from triggers.errors import Misconfigured

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class FoundClips:
    """The clips of a search. Each iteration is a search of its own; pages are fetched as they are needed.

    It is its own iterator for `next(...)`, which goes on where the last one was.
    """

    def __init__(self, search: Callable[[], Iterator[Clip]]) -> None:
        self._search = search
        self._current: Iterator[Clip] | None = None

    def __iter__(self) -> Iterator[Clip]:
        return self._search()

    def __next__(self) -> Clip:
        if self._current is None:
            self._current = self._search()
        return next(self._current)

    def to_arrow(self) -> pa.Table:
        """All of them as an Arrow table with a row per clip.

        Columns have the names that filters use: times are timestamps, `fires` a list of structs, `box` west, south,
        east and north, and each attribute of a vehicle a column (as text where clips have it in different types, or in
        numbers of which a double would round one).
        """
        return table_of(list(self))

    def to_pandas(self) -> pd.DataFrame:
        """All of them as a pandas data frame; needs the extra `pandas`."""
        table = self.to_arrow()
        try:
            import pandas as pd  # noqa: F401, PLC0415 - an extra
        except ImportError as error:
            raise Misconfigured("pandas is not installed", remedy="pip install 'longtail[pandas]'") from error
        return table.to_pandas()


def table_of(clips: list[Clip]) -> pa.Table:
    """Clips as an Arrow table; without any, one with all columns but attributes and no rows."""
    import pyarrow as pa  # noqa: PLC0415 - it takes 0.2 s to import

    when = pa.timestamp("ns", tz="UTC")
    by_cloud = pa.timestamp("us", tz="UTC")  # as exact as they are; in ns a clip could not expire after 2262
    texts = pa.list_(pa.string())
    fire = pa.struct(
        [
            ("campaign", pa.string()),
            ("version", pa.int64()),
            ("trigger", pa.string()),
            ("ordinal", pa.int64()),
            ("fire_time", when),
            ("inclusion_probability", pa.float64()),
        ]
    )
    plain = {
        "id": pa.string(),
        "vehicle": pa.string(),
        "recording_id": pa.string(),
        "state": pa.string(),
        "damage": pa.string(),
        "size_bytes": pa.int64(),
        "digest": pa.string(),
        "duration_s": pa.float64(),
        "tags": texts,
        "labels": texts,
        "box": pa.list_(pa.float64()),
        "place_cell": pa.string(),
        "duplicate_of": pa.string(),
        "stored_at": by_cloud,
        "ready_at": by_cloud,
        "expires_at": by_cloud,
    }
    columns: dict[str, Any] = {
        name: pa.array([getattr(clip, name) for clip in clips], kind) for name, kind in plain.items()
    }
    columns["start"] = pa.array([clip.start_ns for clip in clips], pa.int64()).cast(when)
    columns["end"] = pa.array([clip.end_ns for clip in clips], pa.int64()).cast(when)
    columns["fires"] = pa.array([[_fire(each) for each in clip.fires] for clip in clips], pa.list_(fire))
    for name in sorted({name for clip in clips for name in clip.attributes}):
        columns[name] = _attribute([clip.attributes.get(name) for clip in clips])
    return pa.table(columns)


def _fire(fire: Any) -> dict[str, Any]:
    names = ("campaign", "version", "trigger", "ordinal", "inclusion_probability")
    return {name: getattr(fire, name) for name in names} | {"fire_time": fire.fire_time_ns}


def _attribute(values: list[Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float} and all(float(value) == value for value in values if value is not None):
        return pa.array([None if value is None else float(value) for value in values])
    if len(kinds) > 1:
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pa.array(values)
