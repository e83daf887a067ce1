"""OGC CQL2 filters over the catalog: parsed into a typed tree, compiled to SQL with bound parameters.

source.py     text (text/) or JSON to nodes, within limits      nodes.py       objects with their place, numbers
parse.py      from nodes to the typed tree, with every check    tree.py        predicates as typed nodes
foreign/      filters of others: their names of properties
operands.py   what predicates compare                           moments.py, shapes.py   literal times and shapes
conditions.py from the tree to a condition in SQL               temporal.py, spatial.py, polygons.py   relations in SQL
"""

from storage.clips.cql2.filter import Filter, Language, all_of, filter_of, parse_filter

__all__ = ["Filter", "Language", "all_of", "filter_of", "parse_filter"]
