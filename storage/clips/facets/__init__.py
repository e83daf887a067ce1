"""Counts of what a filter finds: how many clips, and how they are spread over values and bins of properties.

counting.py   how many clips, exactly or estimated     newest.py    which clips are looked at
asked.py      what to count by, from text              looked_at.py their rows, each read once
bins.py       edges of histograms                      spread.py    values and bins
facets.py     all of it, for one filter
"""

from storage.clips.facets.asked import DEFAULT_BY, MAX_BY, Asked, parse_by
from storage.clips.facets.bins import STEPS
from storage.clips.facets.counting import EXACT_UP_TO, ClipCount
from storage.clips.facets.facets import Facets, count, facets
from storage.clips.facets.newest import LOOKED_AT
from storage.clips.facets.spread import Bin, Spread, ValueCount

__all__ = [
    "DEFAULT_BY",
    "EXACT_UP_TO",
    "LOOKED_AT",
    "MAX_BY",
    "STEPS",
    "Asked",
    "Bin",
    "ClipCount",
    "Facets",
    "Spread",
    "ValueCount",
    "count",
    "facets",
    "parse_by",
]
