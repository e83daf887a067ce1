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
trigger t19 {
    when any tracked.ttc < 1 s
}
trigger t20 {
    when nearest tracked by distance < 5 m
}
trigger t21 {
    when every o in tracked o.x < 5 m
}
trigger t22 {
    when for o in tracked o.x < 5 m
}
trigger t23 {
    when for all o in tracked where o.x < 5 m
}
trigger t24 {
    when tracked where x < 5 m
}
trigger t25 {
    when no tracked.seen
}
trigger t26 {
    when none(o in tracked where o.seen)
}
trigger t27 {
    when tracked.0.x < 5 m
}
trigger t28 {
    when tracked["id"] > 3
}
trigger t29 {
    when ego.speed[1] > 5 m/s
}
trigger t30 {
    when nearest(tracked).x < 5 m
}
trigger t31 {
    when nearest(tracked by x).x < 5 m
}
trigger t32 {
    when avg(tracked.x) < 5 m
}
trigger t33 {
    when count(tracked.x < 5 m) > 2
}
trigger t34 {
    when max(tracked) > 5
}
trigger t35 {
    when sum(o.seen for o in tracked) > 2
}
trigger t36 {
    when max(o.seen for o in tracked where o.x > 5 m)
}
trigger t37 {
    when every(o in tracked where o.seen)
}
trigger t38 {
    when any(p in radar.points where p.x < 5 m) and exists(radar.points)
}
