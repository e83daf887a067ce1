"""Which searches are refused before they run: those that no index answers, and that would look through a large catalog.

A condition without an index is checked clip by clip. That is fast where many clips meet it, so it is tried first with
clips that are chosen by their ids, which are digests: a fair sample, and the same one each time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from sqlalchemy import Connection, Text, column, func, literal, select, true, values

from storage.clips.cql2.conditions import condition
from storage.clips.cql2.tree import (
    ArrayRelation,
    Comparison,
    IsNull,
    Like,
    Not,
    Or,
    Predicate,
    SpatialRelation,
    properties,
)
from storage.clips.plan import settings, statements
from storage.clips.plan.paths import Access, Known, Member, Paths
from storage.clips.plan.settings import Settings, Way
from storage.clips.properties import Property
from storage.rows import is_among
from storage.tables import clips
from triggers.errors import InvalidInput

_RANGES = 64
_GLANCE, _SAMPLE = 4, 32
"""Clips of each range of ids that are looked at first, and of those that hardly any clip meets."""
_SHARE = 0.01
"""Of all clips, so that a page of a hundred is found among 10,000."""
_REMEDY = "add a time, a vehicle or a trigger that few clips have"


def require_searchable(
    connection: Connection,
    planner: Settings,
    paths: Paths,
    *,
    sorted_by: Property | None,
    is_large: Callable[[], bool],
    has_few: Callable[[Access], bool],
) -> None:
    """InvalidInput for a filter or an order that would look through all clips, of which there are many (`is_large`).

    `sorted_by` is the property of the order if no index has it. `has_few` says of an access whether it has so few clips
    that these can be looked through.
    """
    accesses = [access for _, access in paths.accesses()]
    unindexed = [*([] if sorted_by is None else [sorted_by]), *paths.unindexed]
    is_refused = bool(unindexed) and (not accesses or sorted_by is not None)
    lacking = list(members_without_index(paths))
    if not (is_refused or lacking) or not is_large():
        return
    if is_refused:
        raise _not_in_order(unindexed[0]) if unindexed[0].signal is None else _not_indexed(unindexed[0])
    if is_rare(connection, planner, lacking) and not any(map(has_few, accesses)):
        if unindexed:
            raise _not_indexed(unindexed[0])
        raise InvalidInput(
            f"no index answers {_shown(lacking[0].predicate)}, hardly any clip meets it, and there are too many clips "
            "to look through them all",
            remedy=_REMEDY,
        )


def are_conceivable(paths: Paths) -> bool:
    """Whether a filter may be refused whose order has an index: for some part of it there is none."""
    return bool(paths.unindexed) or next(members_without_index(paths), None) is not None


def notes_of(connection: Connection, predicate: Predicate) -> list[str]:
    """What is said of a filter's conditions that no index answers, before anybody searches with them."""
    settings.use(connection, Way.WALK)
    paths = Paths.of(predicate, Known.of(connection, properties(predicate)))
    settings.reset(connection)
    signals = dict.fromkeys(asked.name for asked in paths.unindexed)
    notes = [f"`{name}` is not declared `indexed`: add a time or a trigger" for name in signals]
    others = [member for member in members_without_index(paths) if not _asks_for(member, signals)]
    return notes + [
        f"no index answers {_shown(member.predicate)}: where hardly any clip meets it, add a time or a trigger"
        for member in others
    ]


def _asks_for(member: Member, names: Collection[str]) -> bool:
    return any(asked.name in names for asked in properties(member.predicate))


def members_without_index(paths: Paths) -> Iterator[Member]:
    """The members of a filter that are checked clip by clip, unless the index of boxes finds the clips near a place."""
    is_placed = any(isinstance(member.predicate, SpatialRelation) and member.is_indexed for member in paths.members)
    for member in paths.members:
        of_track = any(asked.kind == "geometry" for asked in properties(member.predicate))
        if not member.is_indexed and not (of_track and is_placed):
            yield member


def is_rare(connection: Connection, planner: Settings, members: Sequence[Member]) -> bool:
    """Whether less than a hundredth of the clips that are looked at meet these members."""
    for each in (_GLANCE, _SAMPLE):
        looked_at, met = _sampled(connection, planner, members, each)
        if met >= 2 * _SHARE * looked_at:
            return False
    return met < _SHARE * looked_at


def _sampled(connection: Connection, planner: Settings, members: Sequence[Member], each: int) -> tuple[int, int]:
    """How many clips were looked at, so many of each range of ids, and how many meet all members."""
    planner.use(Way.WALK)
    starts = [(literal(f"{number * 256 // _RANGES:02x}", Text),) for number in range(_RANGES)]
    ranges = values(column("first", Text), name="ranges").data(starts)
    of_range = select(clips.c.id).where(clips.c.id >= ranges.c.first).order_by(clips.c.id).limit(each)
    rows = of_range.correlate(ranges).lateral("rows")
    ids = connection.execute(select(rows.c.id).select_from(ranges.join(rows, true())).distinct()).scalars().all()
    planner.use(Way.COLLECT)
    meets = statements.checked([condition(member.predicate, fenced=True) for member in members])
    met = select(func.count()).select_from(clips).where(is_among(clips.c.id, ids), meets)
    return len(ids), connection.execute(met).scalar_one()


def _shown(predicate: Predicate) -> str:
    """A condition as messages show it: its kind, and what it is about."""
    names = " and ".join(f"`{name}`" for name in sorted({asked.name for asked in properties(predicate)}))
    match predicate:
        case Comparison(operator):
            return f"`{operator}` of {names}"
        case ArrayRelation(name):
            return f"{name.upper()} of {names}"
    return f"{_KINDS.get(type(predicate), 'the relation')} of {names}"


_KINDS: dict[type, str] = {Not: "NOT", Or: "OR", Like: "LIKE", IsNull: "IS NULL"}


def _not_indexed(asked: Property) -> InvalidInput:
    return InvalidInput(
        f"`{asked.name}` is not declared `indexed`, and there are too many clips to look through them all",
        remedy=f"{_REMEDY}; or declare the signal `indexed: true` in the signal catalog of a campaign",
    )


def _not_in_order(asked: Property) -> InvalidInput:
    return InvalidInput(
        f"no index has the clips in the order of `{asked.name}`, and there are too many clips to sort them all",
        remedy=f"{_REMEDY}; or sort by `recorded`",
    )
