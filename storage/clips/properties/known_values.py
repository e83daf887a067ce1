"""The values that clips have had of each attribute, and their tags, for filters that are about many values.

`vehicle.year > 2020` is `vehicle.year IN (2021, 2022)` where these are the years that clips have, and so an index
answers it. Of an attribute or of tags that have had more than MAX_VALUES only that is known.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from storage.statements.prepared import Prepared
from storage.tables import known_values

MAX_VALUES = 1000
TAGS = "tags"
TOO_MANY = None
"""The value, null in JSON, of an attribute that has had more than MAX_VALUES."""

_LOCK = 0x76616C73  # "vals": held shared by who notes values of clips, and alone by who forgets values
_HOLD = Prepared(select(func.pg_advisory_xact_lock_shared(_LOCK)))
_OF_CLIPS = """
    SELECT 'vehicle.' || a.key AS about, a.value
    FROM clips CROSS JOIN LATERAL jsonb_each(attributes) AS a WHERE {these}
    UNION
    SELECT 'tags', to_jsonb(tag) FROM clips CROSS JOIN LATERAL unnest(tags) AS tag WHERE {these}
"""
_THESE = _OF_CLIPS.format(these="clips.id = ANY (CAST(:ids AS text[]))")
_NOTE = """
    INSERT INTO known_values (about, value)
    SELECT t.about, t.value FROM ({of_clips}) AS t
    WHERE NOT EXISTS (SELECT FROM known_values k WHERE k.about = t.about AND k.value = t.value)
        AND NOT EXISTS (SELECT FROM known_values k WHERE k.about = t.about AND k.value = CAST('null' AS jsonb))
    ORDER BY t.about, t.value
    ON CONFLICT DO NOTHING
    RETURNING about
"""
_NOTE_THESE = Prepared(text(_NOTE.format(of_clips=_THESE)))
_NOTE_ALL = Prepared(text(_NOTE.format(of_clips=_OF_CLIPS.format(these="true"))))
_VALUES_OF = "SELECT t.about, CAST(t.value AS text) AS value FROM ({of_clips}) AS t ORDER BY 1, 2"
_VALUES = text(_VALUES_OF.format(of_clips=_THESE))
# Of the first and the last clips first: most values are theirs, too, and to find a value's clips takes the longer, the
# more have it.
_RARE = text("""
    WITH edges AS (
        (SELECT attributes, tags FROM clips ORDER BY recorded_ns LIMIT 1000)
        UNION ALL (SELECT attributes, tags FROM clips ORDER BY recorded_ns DESC LIMIT 1000)
    )
    SELECT t.about, t.value FROM unnest(CAST(:about AS text[]), CAST(:value AS text[])) AS t (about, value)
    WHERE NOT EXISTS (
        SELECT FROM edges WHERE CASE WHEN t.about = 'tags' THEN tags @> ARRAY[CAST(t.value AS jsonb) #>> '{}']
            ELSE attributes @> jsonb_build_object(substr(t.about, 9), CAST(t.value AS jsonb)) END
    )
""")
_FORGET_TAG = text("""
    DELETE FROM known_values WHERE about = 'tags' AND value = CAST(:value AS jsonb)
        AND NOT EXISTS (SELECT FROM clips WHERE tags @> ARRAY[CAST(:value AS jsonb) #>> '{}'])
""")
_FORGET = text("""
    DELETE FROM known_values WHERE about = :about AND value = CAST(:value AS jsonb) AND NOT EXISTS (
        SELECT FROM clips WHERE attributes @> jsonb_build_object(substr(CAST(:about AS text), 9), CAST(:value AS jsonb))
    )
""")


def note(connection: Connection, clip_ids: Collection[str]) -> None:
    """Add the values that these clips have."""
    _HOLD.rows(connection)
    _add(connection, _NOTE_THESE.rows(connection, ids=list(clip_ids)))


def note_all(connection: Connection) -> None:
    """Add the values that any clip has."""
    _add(connection, _NOTE_ALL.rows(connection))


def _add(connection: Connection, added: Sequence[Sequence[Any]]) -> None:
    """Forget the values of what has too many now, of all that a value was added to."""
    known = known_values.c
    for about in sorted({about for (about,) in added}):
        of_it = select(func.count()).select_from(known_values).where(known.about == about)
        if connection.execute(of_it).scalar_one() > MAX_VALUES:
            connection.execute(delete(known_values).where(known.about == about))
            connection.execute(insert(known_values).on_conflict_do_nothing(), {"about": about, "value": TOO_MANY})


def of_clips(connection: Connection, clip_ids: Collection[str]) -> list[tuple[str, str]]:
    """The values of these clips: what each is about, and itself as JSON."""
    return [(about, value) for about, value in connection.execute(_VALUES, {"ids": list(clip_ids)})]


def forget(connection: Connection, values: Collection[tuple[str, str]]) -> None:
    """Delete those of the values that no clip has any more, as what was erased is not to be read here."""
    asked = {"about": [about for about, _ in values], "value": [value for _, value in values]}
    rare = connection.execute(_RARE, asked).all()
    if not rare:
        return
    # A clip that is being stored with such a value has noted it, and is not seen yet.
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    for about, value in rare:
        statement = _FORGET_TAG if about == TAGS else _FORGET
        connection.execute(statement, {"value": value} if about == TAGS else {"about": about, "value": value})
