import "common.trigger" as c
import "common.trigger" as c
import "missing.trigger" as m
import "../outside.trigger" as o
import "round.trigger" as r
import "clash.trigger" as ego
let m = ego.accel
param hold = 1 s

trigger names { when c.hrad(ego.accel) or c.fast or ego.gear in c.rar or m.steady for c.hold }
trigger kinds { when c.rare or c.hard or ego.speed > c.hold or c.steady(1) or ego.gear in c.steady for c.steady }
trigger inside_of { when inside(c.park) and inside(c.yard) and ego.speed > 1 m/s for c.hodl }
trigger units { when c.hard(ego.speed) or r.loop(1) }

file "common.trigger" {
    import "missing.trigger" as m
    param hold = 300 ms
    set rare = ("R", "N")
    let hard(x) = x < -4 m/s^2 for hold
    let steady = ego.speed > 1 m/s and m.p
    let wrong = ego.spede > 1 m/s
    fence yard { (48.06, 11.36), (48.25, 11.36), (48.25, 11.72) }
    trigger not_taken { when it does not matter }
}
file "common.trigger" {
}
file "round.trigger" {
    import "trip.trigger" as t
    let loop(x) = t.loop(x)
}
file "trip.trigger" {
    import "round.trigger" as r
    let loop(x) = x > 1
}
file "clash.trigger" {
    let speed = 1 m/s
}
