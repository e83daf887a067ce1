# The distance is the trapezoidal rule over the speed, from a segment's beginning; a fault counts nothing.
trigger window { when distance over 2 s >= 30 m }
trigger standing { when distance over 2 s < 1 m }
trigger since { when distance since a >= 25 m }
trigger unknown { when not missing(distance over 3 s) }
trigger every { when every 100 m }
