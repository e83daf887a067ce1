# Without `language 2`, a let may be called so; constants and arguments may not.
let distance = lead.distance
let solar_time = ego.speed
let above(sun_elevation) = sun_elevation > 3 deg
let travelled(distance) = max(distance over 5 s) > 3 m
let lasting(time) = time since driver.brake > 5 s
param time = 5 s
trigger t { when distance > 3 m and solar_time > 3 m/s and (above(ego.heading) for time) }
