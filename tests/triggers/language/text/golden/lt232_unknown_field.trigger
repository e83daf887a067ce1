trigger t0 {
    when any(o in tracked where o.tcc < 1 s)
}
trigger t1 {
    when nearest(o in tracked by o.x).colour == "red"
}
trigger t2 {
    when max(o.speed for o in tracked) > 3 m/s
}
