"""Parsers of predicates that are not comparisons: relations of places, and of sets of tags and labels."""

from storage.clips.cql2.parsing.arrays import ARRAY_OPERATORS, parse_array_relation
from storage.clips.cql2.parsing.places import SPATIAL_OPERATORS, near, parse_spatial

__all__ = ["ARRAY_OPERATORS", "SPATIAL_OPERATORS", "near", "parse_array_relation", "parse_spatial"]
