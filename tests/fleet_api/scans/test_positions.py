"""Scans of one who sees place cells only: they admit clips by cells, and evaluate no condition that reads more."""

from __future__ import annotations

from sqlalchemy import select, update

from fleet_api.scans.run import Conditions
from storage.clips.positions import Sight
from storage.clips.properties.place_cells import cell_of
from storage.database import Database
from storage.scans.pages import ScannedClip
from storage.tables import clips, scans
from tests.fleet_api.api_server import Api
from tests.fleet_api.clips.positioned import LATITUDE, LONGITUDE, see_cells
from tests.fleet_api.scans.recorded import BRAKING, SIGNALS, SLOWER, add_recorded
from tests.fleet_api.scans.test_scans import begun, ended

BESIDE = f"S_INTERSECTS(box, POINT({LONGITUDE + 0.001} {LATITUDE + 0.001}))"
"""In the cell of the clip, and not where it is."""
WITH_POSITION = SIGNALS.replace(
    "vehicle:", "  ego.north: {unit: deg, rate: 20}\n  ego.east: {unit: deg, rate: 20}\nvehicle:"
)


def place(database: Database, clip_id: str) -> None:
    """Let a clip stay at one place."""
    corners = dict.fromkeys(("min_longitude", "max_longitude"), LONGITUDE)
    corners |= dict.fromkeys(("min_latitude", "max_latitude"), LATITUDE)
    track = [(LATITUDE, LONGITUDE)]
    with database.begin() as connection:
        of_clip = update(clips).where(clips.c.id == clip_id)
        connection.execute(of_clip.values(**corners, track=track, place_cell=cell_of(track)))


def test_a_scan_admits_clips_by_cells_in_the_process_that_runs_it(api: Api) -> None:
    see_cells(api)
    clip_id = add_recorded(api, BRAKING)
    place(api.database, clip_id)
    page = ended(api, begun(api, SLOWER, filter=BESIDE))
    assert (page["scan"]["state"], [hit["clip"] for hit in page["hits"]]) == ("done", [clip_id])
    with api.database.begin() as connection:
        assert connection.execute(select(scans.c.sees_positions)).scalars().all() == [False]
    api.change_settings(position_roles="viewer")
    assert ended(api, begun(api, SLOWER, filter=BESIDE))["scan"]["scanned"] == 0


def test_a_clip_is_left_out_if_the_condition_reads_a_position_by_its_catalog(api: Api) -> None:
    """Its campaign may have come after the scan was begun."""
    clip_id = add_recorded(api, BRAKING, catalog=WITH_POSITION)
    clip = ScannedClip(clip_id, "ready", "key", 1, (("braking", 1),))
    problems = []
    for sight in (Sight(precise=True), Sight(precise=False, declared=frozenset({"ego.north"}))):
        conditions = Conditions("ego.north > 48 deg", api.database, sight)
        conditions.know({("braking", 1)})
        problems.append(conditions.problem(clip))
    assert problems[0] is None
    assert problems[1] is not None and "reads `ego.north`, and you see place cells only" in problems[1]
