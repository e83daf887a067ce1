let close = o.x < 5 m

trigger t0 {
    when any(o in tracked where close)
}
trigger t1 {
    when o.x < 5 m and any(o in tracked where o.seen)
}
trigger t2 {
    when tracked.x < 5 m
}
trigger t3 {
    when any(o in tracked where o.seen and tracked.x < 5 m)
}
trigger t4 {
    when any(o in tracked where o.seen) and o > 3
}
trigger t5 {
    when trackd.x < 5 m
}
trigger t6 {
    when trackd > 3
}
