"""The conformance classes of CQL2 (OGC 21-065r2, annex A) that filters of clips meet.

A class is declared only if tests of the standard's own examples for it pass, in text and in JSON
(tests/storage/clips/cql2/standard_examples.py). "Property-Property" is not: properties are compared with each other,
but a spatial relation needs `geometry` or `box` on exactly one side.
"""

from __future__ import annotations

_CLASS = "http://www.opengis.net/spec/cql2/1.0/conf/"
NAMES = (
    "cql2-text",
    "cql2-json",
    "basic-cql2",
    "advanced-comparison-operators",
    "case-insensitive-comparison",
    "accent-insensitive-comparison",
    "basic-spatial-functions",
    "basic-spatial-functions-plus",
    "spatial-functions",
    "temporal-functions",
    "array-functions",
    "functions",
    "arithmetic",
)
CONFORMANCE_CLASSES = tuple(_CLASS + name for name in NAMES)
