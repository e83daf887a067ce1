let crowded = count(o in tracked) > 10
let crowd(x) = count(o in tracked where o.x < x) > 3

trigger t0 {
    when any(o in tracked where any(p in tracked where p.x < o.x))
}
trigger t1 {
    when any(o in tracked where o.x < 5 m and crowded)
}
trigger t2 {
    when any(o in tracked where crowd(o.x))
}
trigger t3 {
    when any(o in tracked where o.x == min(p.x for p in radar.points))
}
trigger t4 {
    when nearest(o in tracked by o.x - nearest(p in tracked by p.y).x).seen
}
