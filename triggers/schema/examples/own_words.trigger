# Constants that `--set hold=500ms` can change, lists, and expressions with arguments.
param hold = 300 ms
set parked = ("P", "N")
let held(p, d) = p for d
let harder_than(a) = ego.accel < a

trigger braking {
    when held(harder_than(-3 m/s^2), hold) and default(not (ego.gear in parked), true)
    capture 5 s before, 3 s after {
        signals ego.*
    }
}

trigger rolling_while_parked {
    when held(ego.gear in parked and ego.speed > 2 km/h, 2 s)
    capture 5 s before, 3 s after {
        signals ego.*
    }
}
