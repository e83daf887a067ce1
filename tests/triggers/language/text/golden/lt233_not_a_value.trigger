trigger t0 {
    when tracked > 5
}
trigger t1 {
    when any(o in tracked where o)
}
trigger t2 {
    when min(o for o in tracked) < 3 m
}
trigger t3 {
    when nearest(o in tracked by o.x) < 5 m
}
trigger t4 {
    when avg(tracked over 3 s) > 3
}
trigger t5 {
    when missing(tracked)
}
trigger t6 {
    when tracked and driver.brake
}
trigger t7 {
    when rise(tracked)
}
trigger t8 {
    when tracked for 3 s
}
trigger t9 {
    when age(tracked) > 1 s
}
trigger t10 {
    when changed(radar.points)
}
trigger t11 {
    when tracked in (1, 2)
}
trigger t12 {
    when once(any(o in tracked where o.seen) and tracked over 2 s)
}
