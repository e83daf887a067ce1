"""How many clips a filter finds, and how they are spread over properties."""

from __future__ import annotations

from pydantic import BaseModel

from triggers.contracts.api.base import View
from triggers.contracts.base import ShownAttribute


class CountView(View):
    """A number of clips. If it is not `exact`, `low` and `high` enclose the true one with 95 % confidence."""

    clips: int
    exact: bool
    low: int
    high: int


class ValueView(View):
    """How many clips have a value."""

    value: ShownAttribute
    clips: int


class BinView(BaseModel):
    """How many clips have a value from `at_least` up to, and without, `below`; null: there is no number above it.

    Times are RFC 3339, numbers are in the property's unit.
    """

    at_least: int | float | str
    below: int | float | str | None
    clips: int


class FacetView(BaseModel):
    """How the clips are spread over a property: by `values`, the most frequent first, or by `bins` in order.

    `by` is as it was asked for. `distinct` is how many values there are in all, null for bins. `missing` clips have no
    value. `unit` is that of the bins, null where it is not known.
    """

    by: str
    property: str
    unit: str | None
    values: list[ValueView]
    bins: list[BinView]
    distinct: int | None
    missing: int


class FacetsView(BaseModel):
    """How many clips a filter finds, and how they are spread.

    If `capped`, the facets are those of the `looked_at` newest clips alone.
    """

    count: CountView
    looked_at: int
    capped: bool
    facets: list[FacetView]
