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
