"""How a page of clips is found: by walking an index in order, or by collecting what an index finds and sorting it.

members/      what the members of a filter say            indexes.py    the column and index of each property
paths.py      the index conditions of each member         walks.py      the walks of a search
statements.py walks, collections and counts as SQL        settings.py   what PostgreSQL's planner may choose from
refusals.py   what is not searched for                    selection.py  all clips of a filter, in no order
strategy.py   which of them answers, by counting first  caps.py       how many rows a way may visit
newest.py     the newest clips, of some of many              id_ranges.py  samples of ids
"""

from storage.clips.plan.caps import Caps
from storage.clips.plan.newest import SOUGHT, Sample, find_newest
from storage.clips.plan.refusals import notes_of
from storage.clips.plan.selection import Selection
from storage.clips.plan.settings import Way
from storage.clips.plan.statements import Columns
from storage.clips.plan.strategy import find_and_count, find_page, first_settings

__all__ = [
    "SOUGHT",
    "Caps",
    "Columns",
    "Sample",
    "Selection",
    "Way",
    "find_and_count",
    "find_newest",
    "find_page",
    "first_settings",
    "notes_of",
]
