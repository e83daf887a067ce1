"""Parts of pages: plots that say in words what they draw, and stay within their frame."""

from __future__ import annotations

from tests.triggers.pages.tags import Tags
from triggers.pages.parts import CURVE_HEIGHT, WIDTH, CurvePoint, curve


def points(drawn: str, tag: str) -> list[tuple[float, float]]:
    (attributes,) = [attributes for name, attributes in Tags(drawn).tags if name == tag]
    found = [point.split(",") for point in (attributes["points"] or "").split()]
    return [(float(x), float(y)) for x, y in found]


def test_a_curve_has_its_means_as_a_line_and_its_interval_as_a_band() -> None:
    drawn = curve("rate <1>", [CurvePoint(0, 1, 2, 4), CurvePoint(1, 0, 1, 2)], 4, marked=0.5)
    assert points(drawn, "polyline") == [(4, 80), (WIDTH - 4, 117)]
    high, low = points(drawn, "polygon")[:2], points(drawn, "polygon")[2:]
    assert high == [(4, 6), (WIDTH - 4, 80)]
    assert low == [(WIDTH - 4, CURVE_HEIGHT - 6), (4, 117)]
    (svg,) = [attributes for name, attributes in Tags(drawn).tags if name == "svg"]
    assert (svg["role"], svg["aria-label"]) == ("img", "rate <1>")
    (marked,) = [attributes for _, attributes in Tags(drawn).tags if attributes.get("class") == "at"]
    assert marked["x1"] == f"{WIDTH / 2:.1f}"


def test_what_is_beyond_the_scale_is_cut_off_and_nothing_is_a_flat_line() -> None:
    drawn = curve("", [CurvePoint(-1, -5, 9, 1e300), CurvePoint(7, 1, 2, 3)], 4)
    assert all(0 <= x <= WIDTH and 0 <= y <= CURVE_HEIGHT for x, y in points(drawn, "polygon"))
    assert {y for _, y in points(curve("", [CurvePoint(0, 0, 0, 0), CurvePoint(1, 0, 0, 0)], 0), "polyline")} == {154}
