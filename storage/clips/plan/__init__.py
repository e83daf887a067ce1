"""How a page of clips is found: by walking an index in order, or by collecting what an index finds and sorting it.

normal.py     the filter as members of a conjunction         bounds.py    what a comparison says about one column
indexes.py    the column and index of each property          spans.py     what start, end and recorded say of each other
places.py     shapes by the index of boxes                   paths.py     the index conditions of each member
statements.py walks, collections and counts as SQL           settings.py  what PostgreSQL's planner may choose from
days.py       what times of other kinds say of each other    walks.py      the walks of a search
choices.py    conditions as choices of names                 refusals.py   what is not searched for
strategy.py   which of them answers a query, by counting first
selection.py  all clips of a filter, in no order
"""

from storage.clips.plan.refusals import notes_of
from storage.clips.plan.selection import Selection
from storage.clips.plan.strategy import Caps, find_page

__all__ = ["Caps", "Selection", "find_page", "notes_of"]
