trigger t0 {
    when any(o in tracked where o.tcc < 1 s)
}
trigger t1 {
    when nearest(o in tracked by o.x).colour == "red"
}
trigger t2 {
    when max(o.speed for o in tracked) > 3 m/s
}
trigger t3 {
    when tracked.count > 3
}
trigger t4 {
    when tracked.tcc < 1 s
}
trigger t5 {
    when tracked.colour == "red"
}
trigger t6 {
    when tracked.kind.x > 3
}
trigger t7 {
    when any(p in radar.points where p.tcc < 1 s)
}
trigger t8 {
    when ego.speed > 3 m/s
    capture 1 s before, 1 s after { signals tracked.x, trackd, tracked.* }
}
