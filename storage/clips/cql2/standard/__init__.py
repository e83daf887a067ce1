"""What of the standard, OGC 21-065r2, is there: conformance classes and the functions beside its own."""

from storage.clips.cql2.standard.conformance import CONFORMANCE_CLASSES
from storage.clips.cql2.standard.functions import FUNCTIONS, Function

__all__ = ["CONFORMANCE_CLASSES", "FUNCTIONS", "Function"]
