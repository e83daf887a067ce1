"""OGC CQL2 filters over the catalog: parsed into a typed tree, compiled to SQL with bound parameters.

source.py     text or JSON within limits, to plain JSON          tree.py        predicates as typed nodes
parse.py      from that to the typed tree, with every check      operands.py    what predicates compare
moments.py    literal times                                      shapes.py      literal shapes
conditions.py from the tree to a condition in SQL                temporal.py, spatial.py   relations in SQL
"""

from storage.clips.cql2.filter import Filter, Language, parse_filter

__all__ = ["Filter", "Language", "parse_filter"]
