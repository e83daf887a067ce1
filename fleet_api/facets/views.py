"""The API's views of counts: times as RFC 3339, numbers as they are."""

from __future__ import annotations

from storage.clips.facets import Asked, Bin, ClipCount, Facets, Spread
from triggers.contracts.api.facets.answers import BinView, CountView, FacetsView, FacetView, ValueView
from triggers.times import format_time


def count_view(counted: ClipCount) -> CountView:
    """A number of clips."""
    return CountView.model_validate(counted)


def facets_view(found: Facets) -> FacetsView:
    """The facets of a filter."""
    return FacetsView(
        count=count_view(found.count),
        looked_at=found.looked_at,
        capped=found.capped,
        facets=[_facet(asked, spread) for asked, spread in found.spreads],
    )


def _facet(asked: Asked, spread: Spread) -> FacetView:
    return FacetView(
        by=asked.written,
        property=asked.about.name,
        unit=asked.about.unit,
        values=[ValueView.model_validate(value) for value in spread.values],
        bins=[_bin(each, is_time=asked.about.kind == "time") for each in spread.bins],
        distinct=spread.distinct,
        missing=spread.missing,
    )


def _bin(each: Bin, *, is_time: bool) -> BinView:
    if not is_time:
        return BinView(at_least=each.at_least, below=each.below, clips=each.clips)
    below = None if each.below is None else format_time(int(each.below))
    return BinView(at_least=format_time(int(each.at_least)), below=below, clips=each.clips)
