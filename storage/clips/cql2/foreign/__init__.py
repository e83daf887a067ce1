"""Filters of others, such as those that come by STAC: translated to ours before they are parsed."""

from storage.clips.cql2.foreign.checked import require_understood
from storage.clips.cql2.foreign.names import Names, translated

__all__ = ["Names", "require_understood", "translated"]
