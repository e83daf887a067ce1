"""What to write instead of functions and words that other languages have."""

from __future__ import annotations

_SPREAD = "use `std(x over 2 s)`"
_SUM = "use `sum(x over 2 s)`, or `count(P over 2 s)` for how often P becomes true"
_INTEGRAL = "use `integral(x over 2 s)`"
_RANK = "use `median(x over 2 s)` or `quantile(x over 2 s, 0.95)`"
_EARLIER = "use `prev(x)` for the value before, or `past(x, 1 s)` for that of a time ago"
_CASES = "write `if(c, a, b)`"
_TEXT = 'text has only `==`, `!=` and `in`: list the values, as in `x in ("a", "b")`'
_PLACE = "use `near(48.1, 11.6, 500 m)` for the distance to a place, `distance over 30 s` for what was travelled"
_MEAN = "use `avg(x over 2 s)`"
_RATE = "use `rate(x over 1 s)`, or `delta(x over 1 s)` for the difference"
_KNOWN = "use `missing(x)`, or `not missing(x)`"
_DEFAULT = "use `default(x, v)`"
_HELD = "write `P for 2 s`"
_EVER = "use `once(P over 2 s)`"
_SMOOTH = "use `ema(x over 2 s)` or `avg(x over 2 s)`"
_PRODUCT = "write a product, `x * x`"
_BITS = "use `bits(x, mask)`: `bits(x, 4) == 4` where the third bit is set"
_REMAINDER = "use `mod(x, m)`, which is never negative"
_ROUNDING = "use `floor(x)`; `floor(x + 0.5)` rounds to the nearest whole number"
_NO_CLOCK = "`solar_time` and `sun_elevation` tell the time of day; `active` limits a campaign to days"
_HEADING = "there are no trigonometric functions; `wrap(a - b)` is the difference of two angles"
_LIMITED = "use `clamp(x, 0, 10)`"
_CLOSE = "use `approx(a, b, tolerance)`"
_STILL = "write `max(x over 5 s) == min(x over 5 s)` where a value stays the same"
_TO_AND_FRO = "write `flicker(x > 0 over 3 s) >= 4`: how often a comparison changed"
_NEXT = "write `A then B within 2 s`"
_SINCE = "write `time since A`"
_FIRST = "write `latch(P, false)`: it becomes true once in a segment"

CLOCKS = ("now", "time", "hour", "date", "day", "weekday", "timestamp", "time_of_day", "clock", "daytime", "night")
"""Names that other languages have for the time; they are no signals either."""

NOTHING = ("null", "none", "nan", "nil", "na", "undefined")
"""Names that other languages have for no value."""

INSTEAD: dict[str, str] = {
    **dict.fromkeys(("stddev", "stdev", "sd", "variance", "var", "deviation"), _SPREAD),
    **dict.fromkeys(("total", "cumsum", "add_up"), _SUM),
    "integrate": _INTEGRAL,
    **dict.fromkeys(("percentile", "percentiles", "mode"), _RANK),
    **dict.fromkeys(("previous", "last", "lag", "before", "old", "pre"), _EARLIER),
    **dict.fromkeys(("if", "iff", "iif", "ifelse", "else", "case", "switch", "when", "where", "select"), _CASES),
    **dict.fromkeys(("contains", "startswith", "endswith", "like", "matches", "match", "regex", "substr"), _TEXT),
    **dict.fromkeys(("distance", "dist", "haversine", "distance_to"), _PLACE),
    **dict.fromkeys(("mean", "average", "moving_average", "rolling_mean"), _MEAN),
    **dict.fromkeys(("derivative", "deriv", "diff", "derive", "slope", "gradient"), _RATE),
    **dict.fromkeys(("isnull", "is_null", "isnan", "is_nan", "known", "unknown", "exists", "valid"), _KNOWN),
    **dict.fromkeys(NOTHING, _KNOWN),
    "is": "write `==`, `missing(x)`, or a condition by itself, as in `engaged`",
    **dict.fromkeys(("coalesce", "ifnull", "if_null", "nvl", "fillna", "or_else"), _DEFAULT),
    **dict.fromkeys(("hold", "held", "duration", "during", "always", "debounce", "stable"), _HELD),
    **dict.fromkeys(("any", "ever", "eventually"), _EVER),
    **dict.fromkeys(("filter", "lowpass", "low_pass", "smooth", "ewma", "ewm"), _SMOOTH),
    **dict.fromkeys(("pow", "power", "square", "sqr"), _PRODUCT),
    **dict.fromkeys(("bit", "bitand", "bit_and", "mask", "xor", "shift"), _BITS),
    **dict.fromkeys(("modulo", "rem", "remainder", "fmod"), _REMAINDER),
    **dict.fromkeys(("ceil", "round", "trunc", "int"), _ROUNDING),
    **dict.fromkeys(("isclose", "is_close", "almost", "near_equal", "about"), _CLOSE),
    **dict.fromkeys(("sgn", "signum"), "use `sign(x)`"),
    **dict.fromkeys(CLOCKS, _NO_CLOCK),
    **dict.fromkeys(("sin", "cos", "tan", "atan", "atan2", "asin", "acos"), _HEADING),
    **dict.fromkeys(("clip", "limit", "saturate"), _LIMITED),
    **dict.fromkeys(("rising", "rising_edge", "edge", "crosses"), "use `rise(P)` or `fall(P)`"),
    **dict.fromkeys(("falling", "falling_edge"), "use `fall(P)`"),
    **dict.fromkeys(("geofence", "within_fence", "polygon"), "use `inside(fence)`"),
    **dict.fromkeys(("increased", "increases", "increasing", "grew"), "write `changed(x) and x > prev(x)`"),
    **dict.fromkeys(("decreased", "decreases", "decreasing", "shrank"), "write `changed(x) and x < prev(x)`"),
    **dict.fromkeys(("stuck", "frozen", "freeze", "freezes", "constant", "unchanged", "stale", "still"), _STILL),
    **dict.fromkeys(("oscillates", "oscillating", "oscillation", "jitter", "chatter", "crossings"), _TO_AND_FRO),
    **dict.fromkeys(("followed", "follows", "followed_by", "sequence", "and_then", "next"), _NEXT),
    **dict.fromkeys(("time_since", "since", "elapsed", "seconds_since", "duration_since"), _SINCE),
    **dict.fromkeys(("first", "first_time", "once_only", "initially"), _FIRST),
    "fabs": "use `abs(x)`",
    "all": "join the conditions with `and`",
    "fmin": "use `min(a, b)`",
    "fmax": "use `max(a, b)`",
}  # fmt: skip
"""By the name in lower case."""
