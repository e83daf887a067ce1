"""A catalog of many clips with vectors, made by copying one clip in the database."""

from __future__ import annotations

from sqlalchemy import text

from bench.likeness.events import Vectors
from storage.database import Database
from storage.likeness import embeddings
from storage.migrate import migrate
from storage.tables import clips
from storage.tables.likeness import vector_text
from tests.storage.clips.catalog_support import add_clip

EMBEDDING = "bench-1"
_UPLOADS = """
    INSERT INTO uploads
    SELECT (jsonb_populate_record(u, jsonb_build_object('id', 'c' || n, 'clip_id', 'c' || n))).*
    FROM uploads u, generate_series(1, :many) n WHERE u.id = :first
"""
_CHANGED = {
    "id": "'c' || n",
    "upload_id": "'c' || n",
    "object_key": "'c' || n",
    "vehicle_id": "'car-' || n % 2",
    "size_bytes": "CASE WHEN n % 1000 = 7 THEN 2 WHEN n % 20 = 7 THEN 1 ELSE 3 END",
}


def filled(database: Database, rows: Vectors) -> None:
    """Migrate, and add a clip `c1`, `c2`, ... for each vector."""
    migrate(database)
    with database.begin() as connection:
        first = add_clip(connection, vehicle_id="car-0")
        add_clip(connection, vehicle_id="car-1")
        asked = {"first": first, "many": len(rows)}
        connection.execute(text(_UPLOADS), asked)
        columns = [column.name for column in clips.columns if column.computed is None]
        values = ", ".join(_CHANGED.get(name, f"c.{name}") for name in columns)
        copies = f"INSERT INTO clips ({', '.join(columns)}) SELECT {values}"
        from_first = "FROM clips c, generate_series(1, :many) n WHERE c.id = :first"
        connection.execute(text(f"{copies} {from_first}"), asked)
        embedding, _ = embeddings.begin(connection, EMBEDDING, rows.shape[1])
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor, cursor.copy("COPY clip_vectors (clip_id, embedding, vector) FROM STDIN") as out:
            for number, row in enumerate(rows, start=1):
                out.write_row((f"c{number}", embedding.number, vector_text(row)))
    with database.begin() as connection:
        connection.execute(text("ANALYZE"))
