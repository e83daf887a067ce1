# `since A` begins with the tick at which A rises, and again at each rise; before the first it is unknown.
trigger spread { when max(x since a) - min(x since a) >= 3 }
trigger sum { when sum(x since a) > 10 }
trigger exact { when sum(x since a) == 2 }
trigger counted { when count(p since a) >= 2 }
trigger impulses { when count(changed(x) since a) >= 4 }
trigger late { when time since a >= 350 ms }
trigger risen { when x > x at a + 2 }
trigger was_high { when (mode at a) == "high" }
trigger was_on { when p at a }
trigger unknown { when missing(x at a) }
trigger begun { when not missing(time since a) }
