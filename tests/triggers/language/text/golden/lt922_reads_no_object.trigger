trigger t0 {
    when any(o in tracked where ego.speed > 20 km/h)
}
trigger t1 {
    when sum(1 for o in tracked where o.seen) > 3
}
trigger t2 {
    when nearest(o in tracked by ego.speed).seen
}
trigger t3 {
    when all(o in tracked where o.colour == "red")
}
trigger t4 {
    when count(o in radar.points) > 3
}
