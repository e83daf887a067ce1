"""The parser of CQL2 text, which gives CQL2 JSON with exact numbers and places (OGC 21-065r2, annex B)."""

from storage.clips.cql2.text.parser import is_reserved, parse

__all__ = ["is_reserved", "parse"]
