trigger t0 {
    when any o in tracked: o.x < 5 m
}
trigger t1 {
    when any(tracked, o.x < 5 m)
}
trigger t2 {
    when tracked.any(o.x < 5 m)
}
trigger t3 {
    when tracked[0].x < 5 m
}
trigger t4 {
    when len(tracked) > 3
}
trigger t5 {
    when count(tracked) > 3
}
trigger t6 {
    when min(tracked.x) < 5 m
}
trigger t7 {
    when any(o tracked where o.x < 5 m)
}
trigger t8 {
    when any(o, p in tracked where o.x < p.x)
}
trigger t9 {
    when any(tracked where x < 5 m)
}
trigger t10 {
    when exists(o in tracked where o.x < 5 m)
}
trigger t11 {
    when each(o in tracked where o.x < 5 m)
}
trigger t12 {
    when avg(o.x for o in tracked) < 5 m
}
trigger t13 {
    when any(o.x < 5 m for o in tracked)
}
trigger t14 {
    when min(o in tracked where o.x < 5 m) < 5 m
}
trigger t15 {
    when o.x < 5 m for o in tracked
}
trigger t16 {
    when nearest(o in tracked).x < 5 m
}
trigger t17 {
    when min(o.x, o.y for o in tracked) < 5 m
}
trigger t18 {
    when exists(tracked)
}
