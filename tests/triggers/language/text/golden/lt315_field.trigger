trigger t0 {
    when any(o in tracked where age(o.x) > 1 s)
}
trigger t1 {
    when any(o in tracked where disagree(o.seen, driver.brake))
}
trigger t2 {
    when any(o in tracked where divergence(lead.distance, o.x) > 5 m)
}
