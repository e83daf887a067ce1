"""`longtail clips get --signals ... --from ... --to ...`: a part of a clip, printed or written as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet_api.cli.folders import make_folder
from fleet_api.cli.output import print_json, print_table, remark

if TYPE_CHECKING:
    import pyarrow as pa

    from fleet_api.client.clips import ClipDetails


MAX_KEYS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Part:
    """Which signals (none: all, unless only cameras are named) and cameras, from and to which second of the clip."""

    signals: tuple[str, ...]
    cameras: tuple[str, ...]
    from_s: float | None
    to_s: float | None


def show_part(clip: ClipDetails, part: Part, out: Path | None, *, as_json: bool) -> None:
    """Print the samples of a part, or write them and the pictures into a folder."""
    if part.cameras and out is None:
        raise click.UsageError("--video needs --out: pictures are written as files")
    if as_json and out is not None:
        raise click.UsageError("--json prints the samples of a part, and --out writes them: give one of them")
    table = None
    if part.signals or not part.cameras:
        table = clip.signals(*part.signals, from_s=part.from_s, to_s=part.to_s)
    if out is None:
        assert table is not None  # noqa: S101 - without --out there are only signals
        _print(table, as_json=as_json)
        return
    make_folder(out)
    if table is not None:
        _write(table, out / "signals.parquet")
    for camera in part.cameras:
        path = out / f"{Path(camera).name}.video"
        clip.video_file(camera, path, from_s=part.from_s, to_s=part.to_s)
        remark(f"wrote {path}")


def _print(table: pa.Table, *, as_json: bool) -> None:
    """A row for each moment at which one of the signals has a sample."""
    from triggers.times import format_time

    t_ns = table["t"].cast("int64").to_pylist()
    columns = {name: table[name].to_pylist() for name in table.column_names if name != "t"}
    if as_json:
        print_json({"t_ns": t_ns, "signals": columns})
        return
    rows = [[format_time(at), *(_shown(values[row]) for values in columns.values())] for row, at in enumerate(t_ns)]
    print_table("", ["t", *columns], rows)


def _shown(value: Any) -> Any:
    """A sample as a table shows it: of a list, how many objects it has, and their keys, which come first."""
    if not isinstance(value, list):
        return value
    keys = ", ".join(str(next(iter(each.values()))) for each in value[:MAX_KEYS_SHOWN])
    return f"{len(value)}: {keys}{', ...' if len(value) > MAX_KEYS_SHOWN else ''}" if value else "0"


def _write(table: pa.Table, path: Path) -> None:
    import io

    import pyarrow.parquet as pq

    from triggers.atomic_file import replace_bytes

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    replace_bytes(path, buffer.getvalue())
    remark(f"wrote {path}")
