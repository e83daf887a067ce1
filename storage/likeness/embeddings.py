"""Embeddings: the spaces that vectors belong to, each with a number, its dimensions, and an index of its own.

The index is made by a function of the schema, with the owner's rights, while the embedding has no vectors yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.errors import ProgramLimitExceeded
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from storage.rows import columns_of
from storage.tables import embeddings
from triggers.errors import Conflict, InvalidInput

MAX_EMBEDDINGS = 64


@dataclass(frozen=True, slots=True)
class Embedding:
    """A space of vectors; `number` is what their rows say instead of its id."""

    number: int
    id: str
    dimensions: int


_COLUMNS = columns_of(Embedding, embeddings)


def find(connection: Connection, embedding_id: str) -> Embedding | None:
    """The embedding of this id, None when it has none yet."""
    row = connection.execute(select(*_COLUMNS).where(embeddings.c.id == embedding_id)).one_or_none()
    return None if row is None else Embedding(*row)


def named(connection: Connection, embedding_id: str) -> Embedding:
    """The embedding of this id; InvalidInput, with those that there are, when there is none."""
    found = find(connection, embedding_id)
    if found is None:
        there_are = connection.execute(select(embeddings.c.id).order_by(embeddings.c.number)).scalars().all()
        raise InvalidInput(
            f"there are no vectors of the embedding {embedding_id[:100]!r}",
            remedy=f"name one of {', '.join(there_are)}" if there_are else "wait until clips have been extracted",
        )
    return found


def index_all(connection: Connection) -> None:
    """Make the index of every embedding that has none: after a restore, whose rows came without."""
    for row in connection.execute(select(*_COLUMNS).order_by(embeddings.c.number)).all():
        connection.execute(select(func.begin_embedding(row.id, row.dimensions)))


def begin(connection: Connection, embedding_id: str, dimensions: int) -> tuple[Embedding, bool]:
    """The embedding of this id, and whether it is new; Conflict when it has other dimensions, or there are too many."""
    found = find(connection, embedding_id)
    is_new = found is None
    if found is None:
        try:
            connection.execute(select(func.begin_embedding(embedding_id, dimensions)))
        except OperationalError as error:
            if not isinstance(error.orig, ProgramLimitExceeded):
                raise
            raise Conflict(
                f"there are {MAX_EMBEDDINGS} embeddings already", remedy="write vectors of one of them"
            ) from error
        found = find(connection, embedding_id)  # another transaction may have begun it with other dimensions
    assert found is not None  # noqa: S101 - it was begun above, or before
    if found.dimensions != dimensions:
        raise Conflict(
            f"vectors of {embedding_id} have {found.dimensions} numbers, and this one has {dimensions}",
            remedy="give a model whose vectors have another size an id of its own",
        )
    return found, is_new
