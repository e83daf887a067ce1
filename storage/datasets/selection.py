"""Which clips a version is to have: those of a filter, of a list, or what a diverse choice is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, func, select

from storage.clips.plan import settings
from storage.clips.positions import Sight
from storage.clips.positions.cells import centre
from storage.clips.properties import known_names
from storage.clips.query import ClipQuery
from storage.clips.search import SEARCH_TIMEOUT_S
from storage.erasure.clips import require
from storage.likeness import embeddings, vectors
from storage.rows import is_among
from storage.statements.time_limit import time_limit
from storage.tables import clip_fires, clips, signal_statistics
from triggers.contracts.api.datasets.versions import MAX_MEMBERS
from triggers.errors import InvalidInput

MAX_CANDIDATES = 4000
"""The most clips that a diverse choice compares: each with each other one."""
MAX_SIGNALS = 32
"""The most signals whose statistics a diverse choice compares: those that most of the clips have."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """What splits and diverse choices are about: a clip, its vehicle, and the centre of its place cell in degrees.

    Neither tells anybody more of a position than the cell.
    """

    clip_id: str
    vehicle_id: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a diverse choice is made from: clips by id, their triggers, and what happened in them.

    That is their vectors by clip, where they have one, and (min, max, mean) by clip and signal.
    `matching` is how many clips there are to choose from; of more than MAX_CANDIDATES those with the smallest ids are
    compared. Ids are digests, so these are a fair sample, and the same clips each time.
    """

    clips: Sequence[Grouped]
    triggers: dict[str, frozenset[str]]
    signals: Sequence[str]
    statistics: dict[tuple[str, str], tuple[float, float, float]]
    matching: int
    vectors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def matching(connection: Connection, filter_source: str, sight: Sight) -> list[str]:
    """The ids of all clips for which a filter is true; InvalidInput for none, or for more than MAX_MEMBERS.

    Forbidden for a filter that would find out more of a place than its user may see.
    """
    query = sight.query(ClipQuery.parse(filter_source=filter_source))
    with time_limit(connection, SEARCH_TIMEOUT_S, what="the search", remedy="narrow it down"):
        known_names.require_known(connection, query.properties())
        settings.without_jit(connection)
        found = connection.execute(select(clips.c.id).where(query.where()).limit(MAX_MEMBERS + 1)).scalars().all()
    if len(found) > MAX_MEMBERS:
        raise InvalidInput(
            f"more than {MAX_MEMBERS:,} clips match, and a dataset has at most that many",
            remedy="narrow the filter down, for instance by `start`, or make several datasets",
        )
    _require_some(found)
    return list(found)


def listed(connection: Connection, clip_ids: Sequence[str]) -> list[str]:
    """The ids of a list; InvalidInput for one that is twice in it, NotFound or Erased for one without a clip."""
    if twice := [clip_id for clip_id, count in Counter(clip_ids).items() if count > 1]:
        raise InvalidInput(f"the list has clip {twice[0]} more than once", remedy="list each clip once")
    there = set(connection.execute(select(clips.c.id).where(is_among(clips.c.id, clip_ids))).scalars())
    for clip_id in clip_ids:
        if clip_id not in there:
            require(connection, clip_id)
    return list(clip_ids)


def candidates(connection: Connection, filter_source: str | None, sight: Sight, *, embedding_id: str) -> Candidates:
    """What a diverse choice among the clips of a filter is made from; InvalidInput when there are none.

    Forbidden as in `matching`; positions are not compared for one who sees place cells only. `embedding_id` names the
    vectors.
    """
    query = sight.query(ClipQuery.parse(filter_source=filter_source))
    with time_limit(connection, SEARCH_TIMEOUT_S, what="the search", remedy="narrow it down"):
        known_names.require_known(connection, query.properties())
        settings.without_jit(connection)
        # The same clips each time, whatever else there is, and as likely the one as the other: ids are digests.
        found = select(clips.c.id, func.count().over().label("clips")).where(query.where())
        rows = connection.execute(found.order_by(clips.c.id).limit(MAX_CANDIDATES)).all()
        ids = sorted(row.id for row in rows)
        _require_some(ids)
        signals = _common_signals(connection, ids, sight)
        embedding = embeddings.find(connection, embedding_id)
        return Candidates(
            clips=grouped(connection, ids),
            triggers=_triggers(connection, ids),
            signals=signals,
            statistics=_statistics(connection, ids, signals),
            matching=rows[0].clips,
            vectors={} if embedding is None else vectors.known(connection, ids, embedding),
        )


def grouped(connection: Connection, clip_ids: Collection[str]) -> list[Grouped]:
    """What splits are made by, of those of these clips that are in the catalog, in the order of their ids."""
    c = clips.c
    rows = connection.execute(select(c.id, c.vehicle_id, c.place_cell).where(is_among(c.id, clip_ids)).order_by(c.id))
    return [
        Grouped(row.id, row.vehicle_id, *((None, None) if row.place_cell is None else centre(row.place_cell)))
        for row in rows
    ]


def _require_some(ids: Sequence[str]) -> None:
    if not ids:
        raise InvalidInput("no clip matches, and a dataset has at least one", remedy="try it: longtail clips search")


def _common_signals(connection: Connection, clip_ids: Sequence[str], sight: Sight) -> list[str]:
    table, count = signal_statistics.c, func.count()
    rows = (
        select(table.signal)
        .where(is_among(table.clip_id, clip_ids), table.minimum.is_not(None))
        .group_by(table.signal)
        .order_by(count.desc(), table.signal)
    )
    found = connection.execute(rows).scalars()
    return list(islice((name for name in found if sight.precise or not sight.is_position(name)), MAX_SIGNALS))


def _statistics(
    connection: Connection, clip_ids: Sequence[str], signals: Sequence[str]
) -> dict[tuple[str, str], tuple[float, float, float]]:
    table = signal_statistics.c
    rows = connection.execute(
        select(table.clip_id, table.signal, table.minimum, table.maximum, table.mean).where(
            is_among(table.clip_id, clip_ids),
            table.signal.in_(signals),
            table.minimum.is_not(None),
            table.maximum.is_not(None),
            table.mean.is_not(None),
        )
    )
    return {(row.clip_id, row.signal): (row.minimum, row.maximum, row.mean) for row in rows}


def _triggers(connection: Connection, clip_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    link = clip_fires.c
    rows = connection.execute(select(link.clip_id, link.trigger).where(is_among(link.clip_id, clip_ids)).distinct())
    by_clip: dict[str, set[str]] = {}
    for clip_id, trigger in rows:
        by_clip.setdefault(clip_id, set()).add(trigger)
    return {clip_id: frozenset(names) for clip_id, names in by_clip.items()}
