"""What to write instead of functions and words that other languages have."""

from __future__ import annotations

_SPREAD = "the spread is `max(x over 2 s) - min(x over 2 s)`"
_SUM = "`avg(x over 2 s)` is the mean, and `count(P over 2 s)` counts how often P becomes true"
_RANK = "the median is above 3 if `share(x > 3 over 2 s) > 50 %`, and likewise for other percentiles"
_EARLIER = "use `past(x, 1 s)` for an earlier value, `delta(x over 1 s)` for a difference, `changed(x)` or `rise(P)`"
_CASES = "write both cases as conditions: `(c and a) or (not c and b)`"
_TEXT = 'text has only `==`, `!=` and `in`: list the values, as in `x in ("a", "b")`'
_PLACE = "use `near(48.1, 11.6, 500 m)` for the distance to a place, `inside(fence)` for an area"
_MEAN = "use `avg(x over 2 s)`"
_RATE = "use `rate(x over 1 s)`, or `delta(x over 1 s)` for the difference"
_KNOWN = "use `missing(x)`, or `not missing(x)`"
_HELD = "write `P for 2 s`"
_EVER = "use `once(P over 2 s)`"
_SMOOTH = "use `ema(x over 2 s)` or `avg(x over 2 s)`"
_PRODUCT = "write a product, `x * x`"
_NO_BITS = "there are no operations on bits or remainders: record each bit as a bool signal of its own"
_NO_ROUNDING = "there is no rounding; compare with a range, as in `x between 2.5 and 3.5`"
_NO_CLOCK = "conditions do not see the time of day; `active` limits a campaign to days"
_HEADING = "there are no trigonometric functions; `wrap(a - b)` is the difference of two angles"
_LIMITED = "use `min(max(x, 0), 10)`"

INSTEAD: dict[str, str] = {
    **dict.fromkeys(("std", "stddev", "stdev", "sd", "variance", "var", "deviation"), _SPREAD),
    **dict.fromkeys(("sum", "total", "integral", "integrate", "cumsum"), _SUM),
    **dict.fromkeys(("median", "percentile", "quantile", "mode"), _RANK),
    **dict.fromkeys(("prev", "previous", "last", "lag", "before", "old", "pre"), _EARLIER),
    **dict.fromkeys(("if", "iff", "iif", "ifelse", "else", "case", "switch", "when", "where", "select"), _CASES),
    **dict.fromkeys(("contains", "startswith", "endswith", "like", "matches", "match", "regex", "substr"), _TEXT),
    **dict.fromkeys(("distance", "dist", "haversine", "distance_to"), _PLACE),
    **dict.fromkeys(("mean", "average", "moving_average", "rolling_mean"), _MEAN),
    **dict.fromkeys(("derivative", "deriv", "diff", "derive", "slope", "gradient"), _RATE),
    **dict.fromkeys(("isnull", "is_null", "isnan", "is_nan", "known", "unknown", "exists", "valid", "is", "default",
                     "coalesce"), _KNOWN),
    **dict.fromkeys(("hold", "held", "duration", "during", "always", "debounce", "stable"), _HELD),
    **dict.fromkeys(("any", "ever", "eventually", "since"), _EVER),
    **dict.fromkeys(("filter", "lowpass", "low_pass", "smooth", "ewma", "ewm"), _SMOOTH),
    **dict.fromkeys(("pow", "power", "square", "sqr"), _PRODUCT),
    **dict.fromkeys(("bit", "bits", "bitand", "mod", "modulo", "rem", "xor", "shift"), _NO_BITS),
    **dict.fromkeys(("floor", "ceil", "round", "trunc", "int"), _NO_ROUNDING),
    **dict.fromkeys(("now", "time", "hour", "date", "day", "weekday", "timestamp"), _NO_CLOCK),
    **dict.fromkeys(("sin", "cos", "tan", "atan", "atan2", "asin", "acos"), _HEADING),
    **dict.fromkeys(("clamp", "clip", "limit"), _LIMITED),
    **dict.fromkeys(("rising", "rising_edge", "edge", "crosses"), "use `rise(P)` or `fall(P)`"),
    **dict.fromkeys(("falling", "falling_edge"), "use `fall(P)`"),
    **dict.fromkeys(("geofence", "within_fence", "polygon"), "use `inside(fence)`"),
    "fabs": "use `abs(x)`",
    "all": "join the conditions with `and`",
    "fmin": "use `min(a, b)`",
    "fmax": "use `max(a, b)`",
}  # fmt: skip
"""By the name in lower case."""
