"""Filters as people write them, with units and times relative to now, translated to CQL2 text.

translate.py   from what was written to plain CQL2    units.py   the unit that a number beside a property is in
text.py        nodes as CQL2 text
"""

from storage.clips.cql2.written.translate import translate

__all__ = ["translate"]
