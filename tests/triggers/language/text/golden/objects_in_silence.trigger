trigger t0 {
    when not any(o in tracked where o.x < 5 m)
}
trigger t1 {
    when driver.brake without any(o in tracked where o.x < 5 m) within 2 s
}
trigger t2 {
    when missing(count(o in tracked)) and not any(o in tracked where o.seen)
}
trigger t3 {
    when nothing
}
