"""The questions of the benchmark: every documented filter alone, for many clips, for few, for none, and any two.

`made.py` says what its catalogs hold. `old` filters match many clips, but none of the newest two thirds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations

from bench.search.made import FIRST_NS, SPAN_NS

_MIDDLE = datetime.fromtimestamp((FIRST_NS + SPAN_NS // 2) / 1e9, UTC)
_HOUR = f"{_MIDDLE:%Y-%m-%dT%H}"
_NOWHERE = "S_INTERSECTS(box, BBOX(-150, -60, -149, -59))"


@dataclass(frozen=True)
class Question:
    """A filter (empty: none) and an order."""

    name: str
    filter: str = ""
    sortby: str = "-recorded"


FILTERS: dict[str, dict[str, str]] = {
    "vehicle": {"many": "vehicle = 'car-0'", "few": "vehicle = 'car-rare'", "none": "vehicle = 'nobody'"},
    "state": {"many": "state = 'ready'", "few": "state = 'damaged'", "none": "state = 'stored'"},
    "start": {
        "many": "start > DATE('2020-01-01')",
        "old": "start < DATE('2025-06-01')",
        "few": f"start BETWEEN TIMESTAMP('{_HOUR}:00:00Z') AND TIMESTAMP('{_HOUR}:10:00Z')",
        "none": "start > DATE('2030-01-01')",
    },
    "time": {
        "many": "T_INTERSECTS(time, INTERVAL('2025-01-01', '..'))",
        "few": f"T_INTERSECTS(time, INTERVAL('{_HOUR}:00:00Z', '{_HOUR}:10:00Z'))",
        "none": "T_AFTER(time, DATE('2030-01-01'))",
    },
    "size_bytes": {"many": "size_bytes > 0", "few": "size_bytes > 30950000", "none": "size_bytes < 5"},
    "duration_s": {"many": "duration_s > 1", "few": "duration_s > 29.998", "none": "duration_s < 1"},
    "stored_at": {
        "many": "stored_at > DATE('2020-01-01')",
        "old": "stored_at < DATE('2025-06-01')",
        "few": f"stored_at BETWEEN TIMESTAMP('{_HOUR}:00:00Z') AND TIMESTAMP('{_HOUR}:10:00Z')",
        "none": "stored_at > DATE('2030-01-01')",
    },
    "expires_at": {
        "many": "expires_at IS NOT NULL",
        "old": "expires_at < DATE('2026-06-01')",
        "few": "expires_at < TIMESTAMP('2026-02-05T01:30:00Z')",
        "none": "expires_at > DATE('2030-01-01')",
    },
    "damage": {"few": "damage IS NOT NULL", "none": "damage = 'nothing'"},
    "campaign": {
        "many": "campaign = 'c-t0'",
        "old": "campaign = 'c-old'",
        "few": "campaign = 'c-rare'",
        "none": "campaign = 'nobody'",
    },
    "trigger": {
        "many": "trigger = 't0'",
        "old": "trigger = 'old'",
        "few": "trigger = 'rare'",
        "none": "trigger = 'nobody'",
    },
    "version": {"many": "version = 1", "none": "version > 7"},
    "fire_time": {
        "many": "fire_time > DATE('2020-01-01')",
        "few": f"fire_time BETWEEN TIMESTAMP('{_HOUR}:00:00Z') AND TIMESTAMP('{_HOUR}:10:00Z')",
        "none": "fire_time > DATE('2030-01-01')",
    },
    "inclusion_probability": {
        "many": "inclusion_probability > 0.5",
        "few": "inclusion_probability < 0.0101",
        "none": "inclusion_probability < 0.001",
    },
    "fire(...)": {
        "many": "fire(campaign = 'c-t0' AND trigger = 't0' AND version = 1)",
        "few": "fire(campaign = 'c-rare' AND trigger = 'rare' AND inclusion_probability > 0)",
        "none": "fire(campaign = 'c-t0' AND trigger = 't1')",
    },
    "name LIKE": {
        "many": "trigger LIKE 't%'",
        "old": "CASEI(campaign) LIKE CASEI('C-O%')",
        "few": "trigger LIKE '_are'",
        "none": "vehicle LIKE 'nobod%'",
    },
    "other name": {"many": "trigger <> 't0'", "few": "fire(vehicle <> 'car-0' AND trigger LIKE 'r%')"},
    "tags": {
        "many": "A_OVERLAPS(tags, ('highway', 'rain'))",
        "few": "A_CONTAINS(tags, ('rare'))",
        "none": "A_EQUALS(tags, ('rain', 'nobody'))",
    },
    "no tag": {"many": "tag IS NULL", "none": "campaign IS NULL"},
    "labels": {
        "many": "A_CONTAINS(labels, ('car', 'truck'))",
        "few": "A_OVERLAPS(labels, ('rare', 'nobody'))",
        "none": "A_CONTAINS(labels, ('car', 'nobody'))",
    },
    "tag": {"many": "tag = 'highway'", "few": "tag = 'rare'", "none": "tag = 'nobody'"},
    "label": {"many": "label = 'car'", "few": "label = 'rare'", "none": "label = 'nobody'"},
    "labeler": {"many": "labeler = 'ann/auto-0'", "none": "labeler = 'nobody'"},
    "attribute": {
        "many": "vehicle.region = 'EU'",
        "old": "vehicle.model = 'old'",
        "few": "vehicle.model = 'rare'",
        "none": "vehicle.model = 'nobody'",
    },
    "range of an attribute": {
        "many": "vehicle.hardware > 1",
        "few": "vehicle.model BETWEEN 'ra' AND 'rz'",
        "none": "vehicle.hardware > 9",
    },
    "attribute LIKE": {
        "many": "vehicle.model LIKE 'm%'",
        "old": "CASEI(vehicle.model) LIKE CASEI('OL%')",
        "few": "vehicle.model <> 'old' AND vehicle.model LIKE '%r%'",
        "none": "vehicle.model LIKE 'nob%'",
    },
    "other attribute": {"many": "vehicle.region <> 'EU'", "none": "NOT (vehicle.hardware < 9 OR vehicle.hardware = 9)"},
    "statistic": {
        "many": "ego.speed.max > 15",
        "few": "ego.speed.max > 44.996",
        "none": "ego.speed.max > 100",
    },
    "place": {
        "many": "S_INTERSECTS(box, BBOX(-20, 30, 40, 60))",
        "few": "S_INTERSECTS(box, BBOX(%(west).4f, %(south).4f, %(east).4f, %(north).4f))",
        "none": _NOWHERE,
    },
    "place_cell": {"none": "place_cell = '871f8d45affffff'"},
    "duplicate_of": {"none": "duplicate_of IS NOT NULL"},
    "text": {"none": "text('nobody')"},
}
"""By property: filters that match many clips, many old ones, about a hundred, and none."""

SORTS = (
    *("-recorded", "start", "-end", "-ready_at", "-expires_at"),
    *("-size_bytes", "duration_s", "-ego.speed.max", "vehicle"),
)


FACETS = (
    *("all, -recorded", "trigger: many", "trigger: old", "trigger: few"),
    *("tag: many", "attribute: old", "place: few"),
)
"""Of these the facets are timed, and of these:"""
SPARSE = (
    Question("vehicle: one in 100", "vehicle = 'car-7'"),
    Question("tag: one in 100", "tag = 'rain'"),
    Question("attribute: one in 50", "vehicle.model = 'm9'"),
    Question("attribute: one in 10", "vehicle.towing = true"),
    Question("label: one in 17", "label = 'truck'"),
    Question("statistic: one in 40", "ego.speed.max > 44"),
    Question("duration: one in 80", "duration_s > 29.7"),
)
"""Filters that hardly any of the newest clips meet, by each kind of index."""


def singles(place: dict[str, float]) -> Iterator[Question]:
    """Each filter alone, and each order alone. `place` is a box in which about a hundred clips are."""
    for sortby in SORTS:
        yield Question(f"all, {sortby}", "", sortby)
    for asked, filters in FILTERS.items():
        for match, source in filters.items():
            yield Question(f"{asked}: {match}", source % place if "%(west)" in source else source)


def pairs(place: dict[str, float]) -> Iterator[Question]:
    """Any two filters of different properties together."""
    alone = [question for question in singles(place) if question.filter]
    for one, other in combinations(alone, 2):
        if one.name.partition(":")[0] != other.name.partition(":")[0]:
            yield Question(f"{one.name} + {other.name}", f"{one.filter} AND {other.filter}")


def sorted_filters(place: dict[str, float]) -> Iterator[Question]:
    """Each filter alone in other orders than the newest first."""
    for question in singles(place):
        for sortby in SORTS[1:] if question.filter else ():
            yield Question(f"{question.name}, {sortby}", question.filter, sortby)
