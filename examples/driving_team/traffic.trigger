language 2
import "common.trigger" as c

# Situations in traffic.

param in_doubt = 1.5 s
let close(x) = x < 25 m and x / ego.speed < 1 s
param swerve = 4 m/s^2
param stop_line = 15 m

trigger cut_in {
    describe "From the side into the path, closer than 25 m and than a second."
    when any(o in tracked where c.in_path(o.y) and once(abs(o.y) > 2.5 m over 2 s) and close(o.x))
        and c.cruising
    cooldown 10 s
    capture 5 s before, 5 s after {
        signals ego.*, tracked
        cameras front
    }
}

trigger time_to_collision {
    when any(
        o in tracked where c.in_path(o.y) and o.v < -0.5 m/s and (o.x / -o.v < in_doubt for 100 ms)
    )
    cooldown 5 s
}

trigger stop_sign_roll {
    describe "Past a stop sign without having been slower than 5 km/h since it came near."
    when sign.stop_distance < 2 m and min(ego.speed since (sign.stop_distance < stop_line)) > 5 km/h
    cooldown 10 s
}

trigger swerve_and_recover {
    when (ego.accel_y > swerve then ego.accel_y < -swerve within 2 s)
        or (ego.accel_y < -swerve then ego.accel_y > swerve within 2 s)
    cooldown 5 s
}

trigger hard_braking_at_the_crossing {
    describe "Three times within ten minutes, at a crossing that is known for it."
    when count(c.harder_than(4 m/s^2) and near(48.137, 11.575, 200 m) over 10 min) >= 3
}

trigger motorway_exit {
    when changed(lane.road_class) from "motorway" to "exit"
}

trigger u_turn {
    when abs(wrap(delta(ego.heading over 20 s))) > 150 deg
        and distance over 20 s between 10 m and 250 m
    cooldown 30 s
}

trigger limit_mismatch {
    describe "Sign and map say different limits for 5 s."
    when sign.speed_limit != map.speed_limit for 5 s and c.moving
}
