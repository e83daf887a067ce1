trigger t0 {
    when any(o in track where o.x < 5 m)
}
trigger t1 {
    when count(o in lead.distance) > 3
}
trigger t2 {
    when min(o.x for o in things) < 5 m
}
