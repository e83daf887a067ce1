language 2

# What several files of this team say, each in one place.

param quick = 30 km/h
param hold = 300 ms

let moving = ego.speed > 10 km/h
let cruising = ego.speed > quick
let spread(x, window) = max(x over window) - min(x over window)
let in_path(y) = abs(y) < 1.5 m
let harder_than(braking) = ego.accel_x < -braking
