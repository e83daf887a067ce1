# Used rightly, the words of a file's own give no finding.
param hold = 300 ms
param limit = 20 km/h
param strict = true
set rare = ("P", "R")
set limits = (limit, 30 km/h)
let held(p, d) = p for d
let hard(x) = x < -4 m/s^2
let both(p, q) = held(p, hold) and held(q, 2 s)

trigger a {
    when both(hard(ego.accel), ego.speed > limit) or (ego.gear in rare and strict)
    cooldown hold
    capture hold before, 2 s after
}
trigger b { when held(ego.speed in limits, hold) }
campaign all {
    collect a, b
    budget 1 GB total
}
