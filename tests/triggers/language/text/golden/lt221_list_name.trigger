param tracked = 5 m
let beyond(tracked) = any(o in tracked where o.x < 5 m)

trigger t0 {
    when any(tracked in tracked where tracked.x < 5 m) and beyond(radar.points)
}
