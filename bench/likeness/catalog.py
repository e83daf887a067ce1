"""A catalog of clips with vectors: that of the benchmark of search, with a vector for each clip."""

from __future__ import annotations

from sqlalchemy import Connection, text

from bench.likeness.events import Vectors
from bench.search.made import make
from storage.database import Database
from storage.likeness import embeddings
from storage.migrate import migrate
from storage.tables.likeness import vector_text

EMBEDDING = "bench-1"
_ALL = text("SELECT id FROM clips ORDER BY start_ns, id")
_WITH_VECTORS = text("""
    SELECT c.id FROM clip_vectors v JOIN clips c ON c.id = v.clip_id WHERE v.embedding = :number
    ORDER BY c.start_ns, c.id
""")
"""A database that is kept may have got other clips since."""


def filled(database: Database, rows: Vectors) -> list[str]:
    """Migrate, and make as many clips as there are vectors, unless they are there; the id of each row's clip."""
    migrate(database)
    with database.begin() as connection:
        is_empty = connection.execute(text("SELECT NOT EXISTS (SELECT FROM clips)")).scalar_one()
    if is_empty:
        make(database, len(rows))
    with database.begin() as connection:
        if embeddings.find(connection, EMBEDDING) is None:
            _write(connection, list(connection.execute(_ALL).scalars()), rows)
        number = embeddings.named(connection, EMBEDDING).number
        return list(connection.execute(_WITH_VECTORS, {"number": number}).scalars())


def _write(connection: Connection, clip_ids: list[str], rows: Vectors) -> None:
    """Write the vectors, then make their index: at once, in memory, it takes a tenth of the time."""
    embedding, _ = embeddings.begin(connection, EMBEDDING, rows.shape[1])
    connection.execute(text(f"DROP INDEX ix_clip_vectors_of_{embedding.number}"))
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy("COPY clip_vectors (clip_id, embedding, vector) FROM STDIN") as out:
        for clip_id, row in zip(clip_ids, rows, strict=True):
            out.write_row((clip_id, embedding.number, vector_text(row)))
    connection.execute(text("SET LOCAL maintenance_work_mem = '4GB'"))
    embeddings.index_all(connection)
    connection.execute(text("ANALYZE clip_vectors"))
