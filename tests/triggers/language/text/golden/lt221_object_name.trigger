let near_by = 10 m
param far = 20 m
let beyond(d) = any(d in tracked where d.x > 5 m)

trigger t0 {
    when any(near_by in tracked where near_by.x < 5 m)
}
trigger t1 {
    when all(far in tracked where far.x < 5 m)
}
trigger t2 {
    when any(ego in tracked where ego.x < 5 m)
}
trigger t3 {
    when beyond(5 m)
}
