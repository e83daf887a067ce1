"""Place cells: the cells of the H3 grid by which clips and fires are counted by place (https://h3geo.org)."""

from __future__ import annotations

import h3

FINEST = 7
"""The resolution of cells: 5 km² on average, 1.4 km along an edge."""


def cell_at(latitude: float, longitude: float) -> str:
    """The cell of a position in degrees.

    >>> cell_at(48.137, 11.575)
    '871f8d7a4ffffff'
    """
    cell: str = h3.latlng_to_cell(latitude, longitude, FINEST)
    return cell
