param far = 5 m
let closing(objects) = any(o in objects where o.ttc < 1.5 s)
let near_by(o) = o.x < 5 m
let reach(lead) = lead.x < 5 m
let list_alone(objects) = objects > 3
let object_alone(o) = o > 3
let nested(o) = any(p in tracked where p.x < o.x)

trigger t0 {
    when closing(track)
}
trigger t1 {
    when closing(ego.speed)
}
trigger t2 {
    when closing(far)
}
trigger t3 {
    when closing(ego.speed > 3 m/s)
}
trigger t4 {
    when any(o in tracked where closing(o))
}
trigger t5 {
    when closing(radar.points)
}
trigger t6 {
    when list_alone(tracked)
}
trigger t7 {
    when any(o in tracked where object_alone(o))
}
trigger t8 {
    when any(o in tracked where nested(o))
}
trigger t9 {
    when near_by(tracked)
}
trigger t10 {
    when near_by(ego.speed)
}
trigger t11 {
    when any(o in tracked where reach(o))
}
trigger t12 {
    when any(p in radar.points where near_by(p)) and near_by(nearest(p in tracked by p.y))
}
trigger t13 {
    when object_alone(nearest(p in tracked by p.y))
}
