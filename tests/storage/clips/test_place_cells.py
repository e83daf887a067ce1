"""The cell in which a clip begins: written with its track, and the larger cells that it lies in."""

from __future__ import annotations

import random

import h3
from sqlalchemy import select

from storage.clips.cql2 import parse_filter
from storage.clips.facets import facets, parse_by
from storage.clips.positions.filters import on_cells
from storage.clips.properties.place_cells import cell_of, coarser
from storage.clips.query import ClipQuery
from storage.clips.search import search
from storage.database import Database
from storage.tables import clips
from tests.storage.clips.catalog_support import add_clip
from triggers.clips.place_cells import FINEST


def test_coarser_cells_are_those_of_the_h3_library(database: Database) -> None:
    chance = random.Random(7)
    with database.begin() as connection:
        for _ in range(60):
            track = [(chance.uniform(-90, 90), chance.uniform(-180, 180)), (0.0, 0.0)]
            add_clip(connection, place_cell=cell_of(track))
        columns = [coarser(clips.c.place_cell, resolution) for resolution in range(FINEST + 1)]
        for cell, *parents in connection.execute(select(clips.c.place_cell, *columns)):
            assert parents == [h3.cell_to_parent(cell, resolution) for resolution in range(FINEST + 1)]


def test_clips_are_found_by_their_cell_and_by_larger_ones(database: Database) -> None:
    near, far = cell_of([(48.1, 11.5)]), cell_of([(48.15, 11.55)])
    assert near is not None and far is not None and near != far and cell_of([]) is None
    with database.begin() as connection:
        first, second = (add_clip(connection, place_cell=cell) for cell in (near, far))
        nowhere = add_clip(connection)

        def found(source: str) -> set[str]:
            return {clip.id for clip in search(connection, ClipQuery.parse(filter_source=source)).clips}

        assert found(f"place_cell = '{near}'") == {first}
        assert found(f"place_cell_3 = '{h3.cell_to_parent(near, 3)}'") == {first, second}
        for name in ("place_cell", "place_cell_5", "place_cell_3"):
            assert found(f"{name} IS NULL") == {nowhere}
            assert found(f"NOT {name} = 'elsewhere'") == {first, second}
        by_cells = on_cells(parse_filter("S_DISJOINT(box, BBOX(100, -40, 170, 20))", "cql2-text"), lambda _: False)
        assert set(connection.execute(select(clips.c.id).where(by_cells.where())).scalars()) == {first, second}
        ((_, spread),) = facets(connection, None, parse_by("place_cell_5")).spreads
        assert ([value.clips for value in spread.values], spread.missing) == ([2], 1)
