param hold = 300 ms
param hold = 1 s
param limit = 20 km/h
param kind = "R"
param rest = 5
param within_it = 1 s + 2 s
param capture = 1 s
param none =
let limit = ego.speed
set kind = ("R", "N")

trigger names { when ego.speed > limit for hodl }
trigger units { when ego.speed > hold for limit }
trigger no_unit { when ego.accel > limit for rest }
trigger no_number {
    when ego.gear == kind for kind
    cooldown limit
    capture hold before, kind after
}
trigger broken { when ego.speed > 1 m/s for none }
trigger signal { when ego.speed > 1 m/s for ego.accel cooldown limits }

campaign all {
    collect names
    sample 1 in limit
    priority kind
    budget hold total
}
