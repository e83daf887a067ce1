"""The examples of OGC 21-065r2 (its files schema/examples), written anew with properties of clips, by conformance class.

Each has the name of the standard's example that it stands for, the filter as text and as JSON, and the clips that it
finds of those in `CLIPS`. Texts keep the form of the example: its operators, literals, nesting and spelling.
"""

# ruff: noqa: E501 - one example a line

from __future__ import annotations

from typing import Any, NamedTuple


class Example(NamedTuple):
    """An example: the class that asks for it, its name, text, JSON, and the names of the clips found."""

    of_class: str
    name: str
    text: str
    tree: Any
    found: str


CLIPS: dict[str, dict[str, Any]] = {
    "a": {
        "start": "2026-01-05T12:00:00Z",
        "attributes": {
            "owner": "Mike Jones", "floors": 6, "pool": True, "cloud": 0.1, "row": 28, "path": "153", "kind": 1,
            "material": "brick red", "road": "STRASSE \u039f\u0394\u039f\u03a3", "foo": 4, "bar": 6.1234, "x": 3,
        },
        "tags": ["a", "b", "c"],
        "track": [[33.9, -117.95], [33.95, -117.92]],
    },
    "b": {
        "start": "2026-02-05T12:00:00Z",
        "attributes": {
            "owner": "mike smith", "floors": 3, "pool": False, "cloud": 0.15, "row": 29, "path": "15X", "kind": 5,
            "material": "wood", "state": "d\u00e9barqu\u00e9", "foo": 1, "bar": 0, "x": 2,
        },
        "tags": ["a"],
        "track": [[48.1, 11.5]],
    },
    "c": {"start": "2026-03-05T12:00:00Z", "attributes": {}, "tags": [], "track": None},
}  # fmt: skip
"""Clips of 10 s; `track` is latitude, longitude."""


def p(name: str) -> dict[str, str]:
    return {"property": name}


def op(name: str, *args: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args)}


def is_not(node: Any) -> dict[str, Any]:
    return op("not", node)


def point(*at: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(at)}


def ends(first: Any, last: Any) -> dict[str, Any]:
    return {"interval": [first, last]}


OWNER, FLOORS, POOL, FOO, BAR = (p(f"vehicle.{name}") for name in ("owner", "floors", "pool", "foo", "bar"))
CLOUD, ROW, PATH, KIND = (p(f"vehicle.{name}") for name in ("cloud", "row", "path", "kind"))
TIME = ends(p("start"), p("end"))
JANUARY = ends("2026-01-01", "2026-01-31")
GEOMETRY, TAGS = p("geometry"), p("tags")
RING = [[-118.0, 33.8], [-117.9, 33.8], [-117.9, 34.0], [-118.0, 33.8]]
LONG_BEACH = "S_WITHIN(geometry,BBOX(-118,33.8,-117.9,34))"
BEACH = {"bbox": [-118, 33.8, -117.9, 34]}
LINE = [[-117.95, 33.9], [-117.92, 33.95]]
HOLE = [[11.4, 48.05], [11.6, 48.05], [11.5, 48.2], [11.4, 48.05]]
AROUND = [[11.0, 48.0], [12.0, 48.0], [11.5, 49.0], [11.0, 48.0]]

EXAMPLES = [
    Example("basic-cql2", "clause6_02a", "vehicle.owner='Mike Jones'", op("=", OWNER, "Mike Jones"), "a"),
    Example("basic-cql2", "clause6_02d", "stored_at >= date('1970-01-01')", op(">=", p("stored_at"), {"date": "1970-01-01"}), "abc"),
    Example("basic-cql2", "clause6_03", "geometry IS NOT NULL", is_not(op("isNull", GEOMETRY)), "ab"),
    Example("basic-cql2", "example01", "vehicle.path = '153'", op("=", PATH, "153"), "a"),
    Example("basic-cql2", "example04", "vehicle.cloud < 0.12 AND vehicle.row=28 AND vehicle.path='153'",
            op("and", op("<", CLOUD, 0.12), op("=", ROW, 28), op("=", PATH, "153")), "a"),
    Example("basic-cql2", "example05a", "vehicle.cloud=0.1 OR vehicle.cloud=0.2", op("or", op("=", CLOUD, 0.1), op("=", CLOUD, 0.2)), "a"),
    Example("basic-cql2", "example06b", "    vehicle.cloud >= 0.1\nAND vehicle.cloud <= 0.2\nAND vehicle.row=29",
            op("and", op(">=", CLOUD, 0.1), op("<=", CLOUD, 0.2), op("=", ROW, 29)), "b"),
    Example("basic-cql2", "example09", "vehicle.floors>5", op(">", FLOORS, 5), "a"),
    Example("basic-cql2", "example14", "vehicle.pool = true", op("=", POOL, True), "a"),
    Example("basic-cql2", "example15", "vehicle.floors>5 AND vehicle.pool=true", op("and", op(">", FLOORS, 5), op("=", POOL, True)), "a"),
    Example("basic-cql2", "example17", "(vehicle.floors>5 AND vehicle.material='brick') OR vehicle.pool=true",
            op("or", op("and", op(">", FLOORS, 5), op("=", p("vehicle.material"), "brick")), op("=", POOL, True)), "a"),
    Example("basic-cql2", "example18", "NOT (vehicle.floors<5) OR vehicle.pool=true",
            op("or", is_not(op("<", FLOORS, 5)), op("=", POOL, True)), "a"),
    Example("basic-cql2", "example30", "\"vehicle\" <> 'car-9'", op("<>", p("vehicle"), "car-9"), "abc"),
    Example("basic-cql2", "example33", '"vehicle.floors" <= 3', op("<=", FLOORS, 3), "b"),
    Example("basic-cql2", "example42", 'NOT "vehicle.floors" IS NULL', is_not(op("isNull", FLOORS)), "ab"),
    Example("advanced-comparison-operators", "clause7_01", "vehicle.owner LIKE 'Mike%'", op("like", OWNER, "Mike%"), "a"),
    Example("advanced-comparison-operators", "clause7_02", "vehicle.cloud BETWEEN 0.1 and 0.12", op("between", CLOUD, 0.1, 0.12), "a"),
    Example("advanced-comparison-operators", "clause7_03a", "vehicle.path IN ('153','154','15Y')", op("in", PATH, ["153", "154", "15Y"]), "a"),
    Example("advanced-comparison-operators", "clause7_03b", "vehicle.kind NOT IN (1,2,3,4)", is_not(op("in", KIND, [1, 2, 3, 4])), "b"),
    Example("advanced-comparison-operators", "example13", "vehicle.owner NOT LIKE '%Mike%'", is_not(op("like", OWNER, "%Mike%")), "b"),
    Example("advanced-comparison-operators", "example16",
            "vehicle.pool=true AND (vehicle.floors>5\n OR  vehicle.material LIKE 'brick%'\n OR  vehicle.material LIKE '%brick')",
            op("and", op("=", POOL, True), op("or", op(">", FLOORS, 5), op("like", p("vehicle.material"), "brick%"),
                                             op("like", p("vehicle.material"), "%brick"))), "a"),
    Example("advanced-comparison-operators", "example38-alt01", '"vehicle.kind" NOT BETWEEN 0 AND 4', is_not(op("between", KIND, 0, 4)), "b"),
    Example("advanced-comparison-operators", "example39", '"vehicle.kind" IN (1.0, 2.0, 3.0)', op("in", KIND, [1, 2, 3]), "a"),
    Example("advanced-comparison-operators", "example44", '("vehicle.kind" IS NULL OR "vehicle.kind" BETWEEN 4 AND 6)',
            op("or", op("isNull", KIND), op("between", KIND, 4, 6)), "bc"),
    Example("case-insensitive-comparison", "clause7_04", "CASEI(vehicle.road) IN (CASEI('strasse \u03bf\u03b4\u03bf\u03c3'),CASEI('Stra\u00dfe'))",
            op("in", op("casei", p("vehicle.road")), [op("casei", "strasse \u03bf\u03b4\u03bf\u03c3"), op("casei", "Stra\u00dfe")]), "a"),
    Example("case-insensitive-comparison", "example28", "CASEI(vehicle.owner) LIKE CASEI('%SMITH%')",
            op("like", op("casei", OWNER), op("casei", "%SMITH%")), "b"),
    Example("case-insensitive-comparison", "example71", "CASEI(\"vehicle.owner\") = CASEI('mike jones')",
            op("=", op("casei", OWNER), op("casei", "mike jones")), "a"),
    Example("case-insensitive-comparison", "example86", "\"vehicle.owner\" LIKE CASEI('MIKE S%')",
            op("like", OWNER, op("casei", "MIKE S%")), "b"),
    Example("accent-insensitive-comparison", "clause7_05", "ACCENTI(vehicle.state) = ACCENTI('deb\u00e1rque')",
            op("=", op("accenti", p("vehicle.state")), op("accenti", "deb\u00e1rque")), "b"),
    Example("basic-spatial-functions", "clause7_07", "S_INTERSECTS(geometry,POINT(11.5 48.1))", op("s_intersects", GEOMETRY, point(11.5, 48.1)), "b"),
    Example("basic-spatial-functions", "example45", 'S_INTERSECTS("geometry", BBOX(-128.098193, -1.1, -99999.0, 180.0, 90.0, 100000.0))',
            op("s_intersects", GEOMETRY, {"bbox": [-128.098193, -1.1, -99999, 180, 90, 100000]}), "ab"),
    Example("basic-spatial-functions-plus", "example24", "S_INTERSECTS(geometry,POLYGON((-118.0 33.8,-117.9 33.8,-117.9 34.0,-118.0 33.8)))",
            op("s_intersects", GEOMETRY, {"type": "Polygon", "coordinates": [RING]}), "a"),
    Example("basic-spatial-functions-plus", "example07",
            "vehicle.owner LIKE 'M%'\n    AND S_INTERSECTS(geometry,POLYGON((-118.0 33.8,\n -117.9 33.8,\n -117.9 34.0,\n -118.0 33.8)))",
            op("and", op("like", OWNER, "M%"), op("s_intersects", GEOMETRY, {"type": "Polygon", "coordinates": [RING]})), "a"),
    Example("spatial-functions", "clause7_10", "S_CROSSES(geometry,POLYGON((-118.0 33.8, -117.93 33.8, -117.93 34.0, -118.0 33.8)))",
            op("s_crosses", GEOMETRY, {"type": "Polygon", "coordinates": [[[-118.0, 33.8], [-117.93, 33.8], [-117.93, 34.0], [-118.0, 33.8]]]}), "a"),
    Example("spatial-functions", "example23", LONG_BEACH, op("s_within", GEOMETRY, BEACH), "a"),
    Example("spatial-functions", "example25", f"vehicle.floors>5 AND {LONG_BEACH}",
            op("and", op(">", FLOORS, 5), op("s_within", GEOMETRY, BEACH)), "a"),
    Example("spatial-functions", "example46", 'S_EQUALS(POLYGON ((11.0 48.0, 12.0 48.0, 11.5 49.0, 11.0 48.0)), "geometry")',
            op("s_equals", {"type": "Polygon", "coordinates": [AROUND]}, GEOMETRY), ""),
    Example("spatial-functions", "example47", 'S_DISJOINT("geometry", MULTIPOLYGON (((11.0 48.0, 12.0 48.0, 11.5 49.0, 11.0 48.0))))',
            op("s_disjoint", GEOMETRY, {"type": "MultiPolygon", "coordinates": [[AROUND]]}), "a"),
    Example("spatial-functions", "example48", 'S_TOUCHES("geometry", MULTILINESTRING ((11.5 48.1, 75.292574 1.5, -0.5 -4.016458),(-1.9 -1.1, 1.5 8.547371)))',
            op("s_touches", GEOMETRY, {"type": "MultiLineString", "coordinates": [
                [[11.5, 48.1], [75.292574, 1.5], [-0.5, -4.016458]], [[-1.9, -1.1], [1.5, 8.547371]]]}), "b"),
    Example("spatial-functions", "example49",
            "S_WITHIN(POLYGON Z ((11.0 48.0 5.5, 12.0 48.0 -1, 11.5 49.0 0, 11.0 48.0 5.5), (11.4 48.05 1, 11.6 48.05 1, 11.5 48.2 1, 11.4 48.05 1)), \"geometry\")",
            op("s_within", {"type": "Polygon", "coordinates": [
                [[11, 48, 5.5], [12, 48, -1], [11.5, 49, 0], [11, 48, 5.5]],
                [[*at, 1] for at in HOLE]]}, GEOMETRY), ""),
    Example("spatial-functions", "example50", 'S_OVERLAPS("geometry", BBOX(-179.912109, 1.9, 180.0, 16.897016))',
            op("s_overlaps", GEOMETRY, {"bbox": [-179.912109, 1.9, 180.0, 16.897016]}), ""),
    Example("spatial-functions", "example51", 'S_CROSSES("geometry", LINESTRING (-117.95 33.95, -117.92 33.9, -180.0 0.5))',
            op("s_crosses", GEOMETRY, {"type": "LineString", "coordinates": [[-117.95, 33.95], [-117.92, 33.9], [-180, 0.5]]}), "a"),
    Example("spatial-functions", "example52", 'S_CONTAINS("geometry", POINT (11.5 48.1))', op("s_contains", GEOMETRY, point(11.5, 48.1)), "b"),
    Example("spatial-functions", "example83", 'S_EQUALS(MULTIPOINT ((11.5 48.1), (11.5 48.1)), "geometry")',
            op("s_equals", {"type": "MultiPoint", "coordinates": [[11.5, 48.1], [11.5, 48.1]]}, GEOMETRY), "b"),
    Example("spatial-functions", "example84",
            'S_EQUALS(GEOMETRYCOLLECTION (POINT (-117.95 33.9), MULTILINESTRING ((-117.95 33.9, -117.92 33.95)), LINESTRING (-117.95 33.9, -117.92 33.95)), "geometry")',
            op("s_equals", {"type": "GeometryCollection", "geometries": [
                point(-117.95, 33.9), {"type": "MultiLineString", "coordinates": [LINE]},
                {"type": "LineString", "coordinates": LINE}]}, GEOMETRY), "a"),
    Example("temporal-functions", "clause7_12", "T_INTERSECTS(start, INTERVAL('2026-01-05T05:32:00Z', '2026-01-24T16:50:35Z'))",
            op("t_intersects", p("start"), ends("2026-01-05T05:32:00Z", "2026-01-24T16:50:35Z")), "a"),
    Example("temporal-functions", "clause7_13", "T_DURING(INTERVAL(start, end), INTERVAL('2026-01-01', '2026-01-31'))", op("t_during", TIME, JANUARY), "a"),
    Example("temporal-functions", "example20", "T_BEFORE(start, DATE('2026-02-01'))", op("t_before", p("start"), {"date": "2026-02-01"}), "a"),
    Example("temporal-functions", "example54", "T_AFTER(\"start\", TIMESTAMP('2026-02-05T12:00:00.000000Z'))",
            op("t_after", p("start"), {"timestamp": "2026-02-05T12:00:00.000000Z"}), "c"),
    Example("temporal-functions", "example55", "T_CONTAINS(INTERVAL('2026-01-01', '2026-01-31'), INTERVAL(start, end))", op("t_contains", JANUARY, TIME), "a"),
    Example("temporal-functions", "example56", "T_DISJOINT(INTERVAL('..', '2026-02-10T01:01:01.393216Z'), INTERVAL(start, end))",
            op("t_disjoint", ends("..", "2026-02-10T01:01:01.393216Z"), TIME), "c"),
    Example("temporal-functions", "example58", "T_EQUALS(\"start\", TIMESTAMP('2026-01-05T12:00:00Z'))",
            op("t_equals", p("start"), {"timestamp": "2026-01-05T12:00:00Z"}), "a"),
    Example("temporal-functions", "example59", "T_FINISHEDBY(INTERVAL(start, end), INTERVAL('2026-01-05T12:00:05Z', '2026-01-05T12:00:10Z'))",
            op("t_finishedby", TIME, ends("2026-01-05T12:00:05Z", "2026-01-05T12:00:10Z")), "a"),
    Example("temporal-functions", "example60", "T_FINISHES(INTERVAL(start, end), INTERVAL('2026-01-01', '2026-01-05T12:00:10Z'))",
            op("t_finishes", TIME, ends("2026-01-01", "2026-01-05T12:00:10Z")), "a"),
    Example("temporal-functions", "example62", "T_MEETS(INTERVAL('2026-01-01', '2026-01-05T12:00:00Z'), INTERVAL(start, end))",
            op("t_meets", ends("2026-01-01", "2026-01-05T12:00:00Z"), TIME), "a"),
    Example("temporal-functions", "example63", "T_METBY(INTERVAL('2026-01-05T12:00:10Z', '2026-10-07'), INTERVAL(start, end))",
            op("t_metby", ends("2026-01-05T12:00:10Z", "2026-10-07"), TIME), "a"),
    Example("temporal-functions", "example64", "T_OVERLAPPEDBY(INTERVAL('2026-01-05T12:00:05Z', '2026-02-10'), INTERVAL(start, end))",
            op("t_overlappedby", ends("2026-01-05T12:00:05Z", "2026-02-10"), TIME), "a"),
    Example("temporal-functions", "example65", "T_OVERLAPS(INTERVAL(start, end), INTERVAL('2026-01-05T12:00:05Z', '2026-10-09'))",
            op("t_overlaps", TIME, ends("2026-01-05T12:00:05Z", "2026-10-09")), "a"),
    Example("temporal-functions", "example66", "T_STARTEDBY(INTERVAL('2026-01-05T12:00:00Z', '2026-02-10'), INTERVAL(start, end))",
            op("t_startedby", ends("2026-01-05T12:00:00Z", "2026-02-10"), TIME), "a"),
    Example("temporal-functions", "example67", "T_STARTS(INTERVAL(start, end), INTERVAL('2026-01-05T12:00:00Z', '..'))",
            op("t_starts", TIME, ends("2026-01-05T12:00:00Z", "..")), "a"),
    Example("array-functions", "clause7_15", "A_CONTAINS(tags, ('a','b'))", op("a_contains", TAGS, ["a", "b"]), "a"),
    Example("array-functions", "example79", "A_CONTAINEDBY(\"tags\", ('a', 'b', 'd'))", op("a_containedby", TAGS, ["a", "b", "d"]), "bc"),
    Example("array-functions", "example80", "A_CONTAINS(\"tags\", ('a', 'b', 'c'))", op("a_contains", TAGS, ["a", "b", "c"]), "a"),
    Example("array-functions", "example81", "A_EQUALS(('a', TRUE, 1.0, 8), \"tags\")", op("a_equals", ["a", True, 1, 8], TAGS), ""),
    Example("array-functions", "example82", "A_OVERLAPS(\"tags\", (TIMESTAMP('2012-08-10T05:30:00.000000Z'), DATE('2010-02-10'), 'c'))",
            op("a_overlaps", TAGS, [{"timestamp": "2012-08-10T05:30:00.000000Z"}, {"date": "2010-02-10"}, "c"]), "a"),
    Example("functions", "clause6_02b", "distance(geometry, POINT(11.5 48.2)) < 12000",
            op("<", op("distance", GEOMETRY, point(11.5, 48.2)), 12000), "b"),
    Example("functions", "example69", "4 <> distance(\"geometry\", POINT(11.5 48.1))", op("<>", 4, op("distance", GEOMETRY, point(11.5, 48.1))), "ab"),
    Example("functions", "example68", "s_dwithin(geometry, POINT(11.5 48.2), 12000.5)",
            op("s_dwithin", GEOMETRY, point(11.5, 48.2), 12000.5), "b"),
    Example("arithmetic", "clause6_02c", "vehicle.floors-5.0 > 0", op(">", op("-", FLOORS, 5), 0), "a"),
    Example("arithmetic", "clause7_19", "vehicle.floors > (vehicle.foo-1)", op(">", FLOORS, op("-", FOO, 1)), "ab"),
    Example("arithmetic", "example72", '"vehicle.floors" > ("vehicle.foo" + 1.5)', op(">", FLOORS, op("+", FOO, 1.5)), "ab"),
    Example("arithmetic", "example74", '"vehicle.floors" <> (1.5 * "vehicle.foo")', op("<>", FLOORS, op("*", 1.5, FOO)), "b"),
    Example("arithmetic", "example75", '"vehicle.cloud" = (0.4 / "vehicle.foo")', op("=", CLOUD, op("/", 0.4, FOO)), "a"),
    Example("arithmetic", "example76", '"vehicle.floors" <= (2 ^ "vehicle.foo")', op("<=", FLOORS, op("^", 2, FOO)), "a"),
    Example("arithmetic", "example77", '0 = ("vehicle.foo" % 2)', op("=", 0, op("%", FOO, 2)), "a"),
    Example("arithmetic", "example78", '2 = ("vehicle.foo" div 2)', op("=", 2, op("div", FOO, 2)), "a"),
    Example("arithmetic", "example85-alt01", "vehicle.row = - vehicle.foo * -9.0 + \"vehicle.bar\" / 6.1234 - \"vehicle.x\" ^ 2.0",
            op("=", ROW, op("-", op("+", op("*", op("*", -1, FOO), -9), op("/", BAR, 6.1234)), op("^", p("vehicle.x"), 2))), "a"),
]  # fmt: skip
