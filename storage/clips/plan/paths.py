"""Access paths: which indexes have the clips for which a member of a filter can be true.

A member has several accesses if several indexes have its clips (`fire(campaign = 'a' AND trigger = 'b')`), and one
access has several paths if only together they have them all (`a OR b`). A member without one is checked clip by clip.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, ColumnElement, Connection, Table, Text, cast, false, literal, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB

from storage.clips.cql2.conditions import of_the_fire
from storage.clips.cql2.operands import Reference, Value
from storage.clips.cql2.tree import (
    And,
    Array,
    ArrayRelation,
    Between,
    Comparison,
    Constant,
    In,
    IsNull,
    Leaf,
    Like,
    Not,
    Or,
    Predicate,
    SomeFire,
    SpatialRelation,
    TextMatch,
    properties,
    scope,
    scopes,
)
from storage.clips.marks.texts import match_words
from storage.clips.plan.indexes import END, START, Index, damage_bounds, index_of, statistic_index
from storage.clips.plan.members import places
from storage.clips.plan.members.bounds import Bounds, Span, bounds_of, span_of
from storage.clips.plan.members.choices import Choices
from storage.clips.plan.members.normal import conjunction
from storage.clips.properties import Property
from storage.jsonb import json_text
from storage.statements.forms import Condition
from storage.tables import clip_fires, clip_texts, clips, indexed_signals, labels
from storage.tables.clips import fired_terms


@dataclass(frozen=True)
class Path:
    """Rows of `source` that an index finds by `condition`, and of these the ones for which `rest` is true.

    `in_steps`: the index gives its rows one after the other, so counting them can stop early. `visits`: each row is
    looked up in the table for it, which takes longer. `by_time`: it has them in the order of `recorded_ns` (see
    `Index`), after `leading`; of several values of `leading`, `each_by_time`, it has each one's in this order.
    `exact`: the member is true of the clips of these rows, and of no others.
    """

    source: Table
    condition: Condition
    rest: ColumnElement[bool] = field(default_factory=true)
    in_steps: bool = True
    visits: bool = False
    by_time: int = 0
    leading: ColumnElement[Any] | None = None
    each_by_time: tuple[Any, ...] = ()
    exact: bool = False


Access: TypeAlias = tuple[Path, ...]


@dataclass(frozen=True)
class Member:
    """A member of the conjunction that a filter is, and its accesses; `asked` is itself, or the choice that it is.

    `is_indexed` says whether an index has its clips, by these accesses or as ranges.
    """

    predicate: Predicate
    asked: Predicate
    accesses: tuple[Access, ...] = ()
    is_indexed: bool = True


@dataclass(frozen=True)
class Known:
    """What a catalog knows beside its clips: of the signals asked for, those whose statistics an index has, and what
    there is to choose from."""

    indexed: Collection[str]
    choices: Choices

    @classmethod
    def of(cls, connection: Connection, asked: Collection[Property]) -> Known:
        """What the catalog of a connection knows of these properties."""
        choices = Choices(connection)
        if all(each.signal is None for each in asked):
            return cls((), choices)
        complete = select(indexed_signals.c.signal).where(indexed_signals.c.complete)
        return cls(frozenset(connection.execute(complete).scalars()), choices)

    def chosen(self, predicate: Predicate) -> Predicate:
        """The choice that a predicate is, or itself."""
        is_answered = isinstance(predicate, Comparison | In | Between) and (
            _equal_values(predicate) is not None or _has_bounds(predicate)
        )
        choice = None if is_answered else self.choices.of(predicate)
        return predicate if choice is None else choice


@dataclass
class Paths:
    """The members of a filter. `ranges` are bounds of columns of clips, of all members together; `fired` those of the
    times of fires; `unindexed` the statistics whose signal no index has.
    """

    members: list[Member]
    ranges: dict[Index, Bounds]
    fired: Bounds
    unindexed: list[Property]

    @classmethod
    def of(cls, predicate: Predicate | None, known: Known) -> Paths:
        found = cls([], {}, Bounds(), [])
        for member in () if predicate is None else conjunction(predicate):
            found._add(member, known)
        if found._contradict_each_other():
            found._add(Constant(False), known)
        return found

    def _add(self, member: Predicate, known: Known) -> None:
        asked = known.chosen(member)
        ranges = list(_ranges(asked))
        for index, bounds in ranges:
            self.ranges[index] = self.ranges.get(index, Bounds()) & bounds
        accesses = tuple(_accesses(asked, known, self.unindexed))
        if isinstance(member, Comparison) and (about := bounds_of(member)) and about[0].name.startswith("fire_time"):
            self.fired = self.fired & about[1]
        is_indexed = bool(ranges or accesses) or member == Constant(True)
        self.members.append(Member(member, asked, accesses, is_indexed))

    def _contradict_each_other(self) -> bool:
        """Whether an attribute would have to be two texts at once: `x = 'a' AND x <> 'a'`, which is a choice, too."""
        left: dict[Property, set[str]] = {}
        for asked, values in self.equalities():
            if asked.attribute is not None and all(isinstance(value, str) for value in values):
                left[asked] = left.get(asked, set(values)) & set(values)
        return not all(left.values())

    def equalities(self) -> Iterator[tuple[Property, tuple[Any, ...]]]:
        """The attributes and tags of which clips must have one of some values."""
        for member in self.members:
            equal = _equal_values(member.asked) if isinstance(member.asked, Comparison | In) else None
            if equal is not None and (equal[0].attribute is not None or equal[0].name == "tags"):
                yield equal

    def accesses(self) -> Iterator[tuple[Member | None, Access]]:
        """Every access, with the member that it is of; None for those of `ranges`."""
        for index, bounds in self.ranges.items():
            yield None, (replace(_by_time(clips, index, bounds), visits=index.visits),)
        for member in self.members:
            for access in member.accesses:
                yield member, access


def _by_time(source: Table, index: Index, bounds: Bounds) -> Path:
    """The path by an index of one column, with what is known of the order of its rows."""
    path = Path(source, index.condition(bounds), leading=index.column)
    if not index.by_time or not bounds.choices:
        return path
    if len(bounds.choices) == 1:
        return replace(path, by_time=index.by_time)
    return replace(path, each_by_time=bounds.choices) if index.kind == "text" else path


def _ranges(member: Predicate) -> Iterator[tuple[Index, Bounds]]:
    """The bounds that a member sets to columns of clips."""
    if isinstance(member, Constant | And | Or | Not | SomeFire):
        return
    if found := bounds_of(member):
        index = index_of(found[0])
        if index is not None and index.source is clips:
            yield index, found[1]
    elif found_span := span_of(member):
        yield from _spanned(*found_span)


def _spanned(asked: Property, span: Span) -> Iterator[tuple[Index, Bounds]]:
    index = index_of(asked)
    if asked.name == "time":
        yield START, span.first
        yield END, span.last
    elif index is not None and index.source is clips:
        yield index, span.first & span.last


def _accesses(member: Predicate, known: Known, unindexed: list[Property]) -> Iterator[Access]:
    """The accesses of a member beside those of its ranges."""
    match member:
        case Constant(False):
            yield (Path(clips, false()),)
        case Or(members):
            yield from _union(members, known, unindexed)
        case SomeFire(inner):
            yield from _one_fire(inner, known)
        case IsNull(Reference(asked)):
            yield from _of_those_without(asked)
        case Not(IsNull(Reference(asked))):
            yield from _of_those_with(asked)
        case Not() | Constant() | IsNull():
            return
        case Comparison() | In() if (equal := _equal_values(member)) and equal[0].attribute is not None:
            yield (_of_attribute(*equal),)
        case _:
            yield from _of_leaf(member, known, unindexed)


def _of_those_without(asked: Property) -> Iterator[Access]:
    if asked.scope in _EMPTY:
        yield (Path(clips, _within(_EMPTY[asked.scope], ()), in_steps=False, exact=True),)
    elif asked.nullable and (index := index_of(asked)) is not None and index.has_nulls:
        yield (Path(clips, index.column.is_(None)),)


def _of_those_with(asked: Property) -> Iterator[Access]:
    if asked.name == "damage":
        yield (Path(clips, clips.c.damage.is_not(None), exact=True),)
    elif asked.nullable and (index := index_of(asked)) is not None:
        yield (Path(clips, index.column.is_not(None)),)


def _of_leaf(member: Any, known: Known, unindexed: list[Property]) -> Iterator[Access]:
    match member:
        case TextMatch(words):
            yield (Path(clip_texts, match_words(words), in_steps=False, exact=True),)
        case ArrayRelation(name, left, right):
            yield from _of_arrays(name, left, right)
        case SpatialRelation():
            if conditions := places.near(member):
                yield tuple(Path(clips, condition, visits=True) for condition in conditions)
        case _:
            yield from _of_bounds(member, known, unindexed)


def _of_bounds(member: Any, known: Known, unindexed: list[Property]) -> Iterator[Access]:
    found = bounds_of(member)
    if found is None:
        yield from _of_those_that_have_it(member)
        return
    asked, bounds = found
    if asked.signal is not None:
        if asked.signal not in known.indexed:
            unindexed.append(asked)
        elif asked.unit is None:
            index = statistic_index(asked)
            yield (Path(index.source, index.condition(bounds), exact=True),)
    elif scope(member) == "fire" and scopes(member) == {"fire"}:
        yield from _of_fire(asked, bounds, true(), exact=True)
    else:
        yield from _of_words(asked, bounds)


def _of_those_that_have_it(member: Leaf) -> Iterator[Access]:
    """Of a comparison that only a clip can meet that has the property, where an index has these clips: not all do."""
    if isinstance(member, Like | Comparison):
        for asked in properties(member):
            if asked.name in ("damage", "duplicate_of"):
                yield (Path(clips, asked.expression.is_not(None)),)


def _of_words(asked: Property, bounds: Bounds) -> Iterator[Access]:
    """The accesses by damage, tags and labels."""
    if asked.name == "damage":
        condition = damage_bounds(bounds)
        yield (Path(clips, clips.c.damage.is_not(None) if condition is None else condition),)
    elif asked.name == "tags" and bounds.choices is not None:
        yield (Path(clips, _overlap(clips.c.tags, bounds.choices), in_steps=False, exact=True),)
    elif asked.name == "labels" and bounds.choices is not None:
        yield (Path(labels, _overlap(labels.c.types, bounds.choices), in_steps=False, exact=True),)
    elif asked.name == "labeler" and (index := index_of(asked)) is not None:
        yield (Path(labels, index.condition(bounds), exact=True),)
    elif asked.name == "label_count" and _at_least_one(bounds):
        yield (Path(labels, labels.c.clip_id.is_not(None)),)


def _at_least_one(bounds: Bounds) -> bool:
    if bounds.choices is not None:
        return all(choice >= 1 for choice in bounds.choices)
    return bounds.low is not None and (bounds.low > 0 or (bounds.low == 0 and bounds.low_open))


def _one_fire(inner: Predicate, known: Known) -> Iterator[Access]:
    """The accesses of `fire(inner)`: by each index that has its fires, and by the terms of the clip."""
    members = conjunction(inner)
    indexed: list[tuple[Property, Bounds]] = []
    for member in members:
        if not isinstance(member, Constant | Or | Not | SomeFire) and scopes(member) == {"fire"}:
            chosen = known.chosen(member)
            if isinstance(chosen, Constant):  # of no fire
                yield (Path(clip_fires, false()),)
                return
            found = bounds_of(chosen)  # type: ignore[arg-type]
            if found is not None:
                indexed.append(found)
    exact = all(scopes(member) <= {"fire"} for member in members)
    rest = of_the_fire(inner, fenced=True) if exact else true()
    for asked, bounds in indexed:
        yield from _of_fire(asked, bounds, rest, exact=exact, terms=False)
    names = {asked.name: bounds.choices[0] for asked, bounds in indexed if bounds.choices and len(bounds.choices) == 1}
    terms = fired_terms(names.get("campaign"), names.get("trigger"))
    if terms:
        yield (Path(clips, clips.c.fired.op("@>", is_comparison=True)(_texts(terms)), in_steps=False),)


def _of_fire(
    asked: Property, bounds: Bounds, rest: ColumnElement[bool], *, exact: bool, terms: bool = True
) -> Iterator[Access]:
    index = index_of(asked)
    if index is None:
        return
    yield (replace(_by_time(clip_fires, index, bounds), rest=rest, exact=exact),)
    if terms and asked.name in ("campaign", "trigger") and bounds.choices is not None:
        named = [term for choice in bounds.choices for term in fired_terms(**{asked.name: choice})]
        yield (Path(clips, _overlap(clips.c.fired, named), in_steps=False, exact=exact),)


def _union(members: Iterable[Predicate], known: Known, unindexed: list[Property]) -> Iterator[Access]:
    """One access of all members together, if each has one."""
    together: list[Path] = []
    for member in members:
        branch = Paths.of(member, known)
        unindexed += branch.unindexed
        first = next(iter(sorted(branch.accesses(), key=lambda pair: (len(pair[1]), not pair[1][0].in_steps))), None)
        if first is None:
            return
        together += (replace(path, exact=False) for path in first[1])  # the branch may ask for more
    yield tuple(together)


def _has_bounds(leaf: Leaf) -> bool:
    """Whether a leaf sets bounds that an index of its property answers, or statistics may."""
    found = bounds_of(leaf)
    return found is not None and (found[0].signal is not None or index_of(found[0]) is not None)


def _equal_values(leaf: Leaf) -> tuple[Property, tuple[Any, ...]] | None:
    """The property and the literals that one of must be equal to it."""
    match leaf:
        case Comparison("=", Reference(asked), Value(value)) | Comparison("=", Value(value), Reference(asked)):
            return asked, (value,)
        case In(Reference(asked), choices) if all(isinstance(choice, Value) for choice in choices):
            return asked, tuple(choice.value for choice in choices)  # type: ignore[union-attr]
    return None


def _of_attribute(asked: Property, values: tuple[Any, ...]) -> Path:
    documents = (f"{{{json.dumps(asked.attribute)}: {json_text(value)}}}" for value in values)
    contained = (clips.c.attributes.contains(cast(literal(document, Text), JSONB)) for document in documents)
    return Path(clips, or_(*contained), in_steps=False, exact=True)


_EMPTY: Mapping[str | None, ColumnElement[Any]] = {"tag": clips.c.tags, "fire": clips.c.fired}
"""Arrays of `clips` that are empty for a clip without a tag, or without a fire."""
_MIRRORED = {"a_contains": "a_containedby", "a_containedby": "a_contains"}


def _of_arrays(name: str, left: Array, right: Array) -> Iterator[Access]:
    """The accesses of a relation between the tags or the labels of a clip and a literal list."""
    name = name.lower()
    if left.of is None:
        name, left, right = _MIRRORED.get(name, name), right, left
    if left.of is None or right.of is not None:
        return
    table, column = (clips, clips.c.tags) if left.of.scope == "tag" else (labels, labels.c.types)
    if right.others and name in ("a_contains", "a_equals"):
        yield (Path(clips, false()),)
    elif name == "a_overlaps":
        yield (Path(table, _overlap(column, right.texts), in_steps=False, exact=True),)
    elif table is labels and name in ("a_contains", "a_equals"):
        # Each text may be in another label of the clip.
        yield from ((Path(labels, _overlap(column, (one,)), in_steps=False),) for one in right.texts)
    elif table is clips and name in ("a_contains", "a_equals") and right.texts:
        with_all = column.op("@>", is_comparison=True)(_texts(right.texts))
        yield (Path(clips, with_all, in_steps=False, exact=name == "a_contains"),)
    elif table is clips and name in ("a_containedby", "a_equals"):
        yield (Path(clips, _within(column, right.texts), in_steps=False, exact=True),)


def _within(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether an array has none but these values; the index finds empty ones, too."""
    found: ColumnElement[bool] = column.op("<@", is_comparison=True)(_texts(values))
    return found


def _texts(values: Iterable[Any]) -> ColumnElement[Any]:
    return literal(list(values), ARRAY(Text))


def _overlap(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether an array has one of the values."""
    texts = [str(value) for value in values]
    if not texts:
        return false()
    operator = "@>" if len(texts) == 1 else "&&"
    found: ColumnElement[bool] = column.op(operator, is_comparison=True)(_texts(texts))
    return found
