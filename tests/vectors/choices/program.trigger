# default and if take one value; prev is the value at the update before; a change is between known values.
trigger stands_in { when default(x, y) > 3 }
trigger none { when missing(default(x, y)) }
trigger silent { when default(not p, true) }
trigger other_text { when default(gear, other) == "S" }
trigger none_text { when default(gear, "none") == "none" }
trigger branch { when if(p, x, y) > 3 }
trigger no_branch { when missing(if(p, x, y)) }
trigger same { when if(p, gear, other) == "D" }
trigger either { when if(p, x > 3, y > 3) }
trigger before { when prev(x) > 3 }
trigger repeated { when prev(x + y) == x + y }
trigger was_true { when prev(p) and not p }
trigger was_parked { when prev(gear) == "P" and gear != "P" }
trigger shifted { when changed(gear) from "P" to "D" }
trigger left { when changed(gear) from "P" }
trigger reached { when changed(x) to 4 }
trigger opened { when changed(p) from false to true }
