"""Signals of a drive around a moment, thinned out to what a plot can show, in the API."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from triggers.contracts.api.base import View

MAX_SIGNALS_SHOWN = 64
MAX_POINTS = 5000
DEFAULT_POINTS = 1000
MAX_SPAN_NS = 3600 * 1_000_000_000


class SeriesView(View):
    """A signal's samples from `from_ns` to `to_ns`, and the last one before, if there is one.

    `samples` is how many there are; where that is more than was asked for, the lowest and highest of each stretch are
    shown and `thinned` is true. `t_s` is in seconds after the drive's first row. A bool is 0 or 1, a text the index of
    its value in `values`, and null a sample that was measured but is invalid. `head` and `side` say which of the
    compared signals of a head this is.
    """

    name: str
    type: Literal["number", "bool", "text"]
    unit: str
    values: list[str]
    head: str | None
    side: Literal["active", "shadow"] | None
    samples: int
    thinned: bool
    t_s: list[float]
    value: list[float | None]


class MissingSeriesView(View):
    """A signal that the drive does not give, and why not."""

    name: str
    problem: str


class SignalsView(BaseModel):
    """Signals of a drive, in the order in which they were asked for.

    Without names: those that the program reads, and the active and shadow ones of the heads among them.
    """

    drive: str
    first_ns: int
    from_ns: int
    to_ns: int
    series: list[SeriesView]
    missing: list[MissingSeriesView]
