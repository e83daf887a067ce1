"""Clips that say where they were in every way that there is, and what must not be found of it."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import update

from storage import users
from storage.clips.marks import notes, texts
from storage.clips.properties.place_cells import cell_of
from storage.database import Connection
from storage.labels import jobs as label_jobs
from storage.tables import clip_assets, clips, labels
from storage.tables import label_jobs as jobs_table
from tests.fleet_api.api_server import SIGNALS, Api, campaign_text
from tests.storage.clips.catalog_support import OPENLABEL, add_clip
from tests.storage.likeness.likeness_support import EMBEDDING, add_vector
from tests.support.rows import add_row

LATITUDE, LONGITUDE = 48.13243, 11.57249
BOX = (LONGITUDE, LATITUDE, 11.57911, 48.13607)
CELL = str(cell_of([(LATITUDE, LONGITUDE)]))
COORDINATES = (LATITUDE, LONGITUDE, 11.57911, 48.13607, 48.13251, 11.57251)
NEAR = 5e-4
"""A number this near to a coordinate tells it: 50 m. So one that was only rounded to three decimals is found, too."""
STATISTICS = {
    "ego.place_north": (LATITUDE, BOX[3], LATITUDE),
    "ego.place_east": (LONGITUDE, BOX[2], LONGITUDE),
    "ego.second.Latitude": (LATITUDE, BOX[3], LATITUDE),
    "ego.speed": (0.5, 31.5, 12.25),
}
POSITION = "position: {latitude: ego.place_north, longitude: ego.place_east}\n"
CATALOG = (SIGNALS + POSITION).replace(
    "signals:\n",
    "signals:\n  ego.place_north: {unit: deg, rate: 10}\n  ego.place_east: {unit: deg, rate: 10}\n",
)
QUOTED = "position_out_of_range: 3 of 9 samples of the latitude are out of range (the first is 48.13243); look"
HIDDEN_FILES = ("clip.mcap", "signals")
_NUMBER = re.compile(r"-?\d+\.\d+")


def tells(text: str) -> list[str]:
    """What in a text tells a coordinate of the clips, or links to a file that has them."""
    numbers = [found for found in _NUMBER.findall(text) if any(abs(float(found) - at) < NEAR for at in COORDINATES)]
    return numbers + re.findall(r"/objects/(?:clips/|derived/signals)[^\"]*", text)


def see_cells(api: Api) -> None:
    """Let viewers, labelers and authors see place cells only."""
    api.change_settings(position_roles="operator,approver")


def add_positioned(api: Api, count: int = 1) -> list[str]:
    """Clips at one place, with vectors; of a campaign whose catalog declares the position under other names."""
    api.activate(campaign_text(), CATALOG)
    with api.database.begin() as connection:
        return [_add(connection, number) for number in range(count)]


def _add(connection: Connection, number: int) -> str:
    made = add_clip(
        connection,
        fired=[("braking", "hard_brake")],
        statistics=STATISTICS,
        box=BOX,
        track=[[LATITUDE, LONGITUDE], [48.13251, 11.57251], [BOX[3], BOX[2]]],
        damage=QUOTED,
        remarks=[{"reason": "positions_left_out", "message": "1 of 9 (the first at 48.13243, 11.57249)", "count": 1}],
    )
    for name, media_type in (("signals", "application/vnd.apache.parquet"), ("thumbnail", "image/jpeg")):
        key = f"derived/{name}/{number}"
        add_row(
            connection, clip_assets, clip_id=made, name=name, media_type=media_type, object_key=key, digest="a" * 64
        )
    connection.execute(update(clips).where(clips.c.id == made).values(state="ready"))
    add_vector(connection, made, [1.0, 1.0 + number], EMBEDDING)
    user_id, _ = users.ensure(connection, "ann")
    for note in (f"seen at {LATITUDE}, {LONGITUDE}", "a cyclist"):
        notes.add(connection, made, note, user_id=user_id)
    label_jobs.ensure(connection, made, "auto")
    for task, document in enumerate(documents()):
        job = jobs_table.insert().values(clip_id=made, task=f"task{task}").returning(jobs_table.c.id)
        job_id = connection.execute(job).scalar_one()
        add_row(connection, labels, clip_id=made, job_id=job_id, types=["car"], openlabel=document)
    texts.write(connection, [made])
    return made


def documents() -> list[dict[str, Any]]:
    """Without a position, with one under an innocent name, with one in a text, and with a coordinate system."""
    innocent = {"name": "a", "type": "car", "object_data": {"vec": [{"name": "xy", "val": [LONGITUDE, LATITUDE]}]}}
    return [
        OPENLABEL,
        {"openlabel": {"metadata": {"schema_version": "1.0.0"}, "objects": {"0": innocent}}},
        {"openlabel": {"metadata": {"schema_version": "1.0.0", "comment": f"seen at {LATITUDE}/{LONGITUDE}"}}},
        {"openlabel": {"metadata": {"schema_version": "1.0.0"}, "coordinate_systems": {"utm-32n": {"type": "geo"}}}},
    ]
