import "common.trigger" as c
import "sub/gears.trigger" as g

trigger a {
    when ((c.hard(ego.accel) or c.steady) and ego.gear in g.backward) for c.hold
    cooldown c.hold
    capture c.hold before, 2 s after { signals ego.* }
}
campaign all {
    collect a
    budget 1 GB total
}

file "common.trigger" {
    import "sub/gears.trigger" as gears
    param hold = 300 ms
    let hard(x) = x < -4 m/s^2 for hold
    let steady = ego.speed > 1 m/s and ego.gear in gears.backward
}

file "sub/gears.trigger" {
    set backward = ("R", "N")
}
