trigger t0 {
    when any(o in tracked where o.x < 5)
}
trigger t1 {
    when any(o in tracked where o.x)
}
trigger t2 {
    when any(o in tracked where o.kind == "bike")
}
trigger t3 {
    when min(o.seen for o in tracked) > 1
}
trigger t4 {
    when sum(o.heat for o in tracked) > 5 K
}
trigger t5 {
    when nearest(o in tracked by o.kind).seen
}
trigger t6 {
    when count(o in tracked where o.seen) > 64 and any(o in tracked where o.y > 60 m)
}
trigger t7 {
    when any(o in tracked where o.x < 5 m for o.ttc)
}
trigger t8 {
    when any(o in tracked where o.x outside red)
}
trigger t9 {
    when any(o in radar.points where avg(o.x over 2 s) > 3 m)
}
