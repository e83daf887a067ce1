language 2
import "common.trigger" as c

# The vehicle itself: its sensors, its controllers, and the weather that they work in.

param dark = 10 lx
set wiping = ("slow", "fast")
let is_slippery = env.temperature < 0 degC and wipers.mode != "off"

trigger satellites_lost {
    describe "No position for 100 m, as in a tunnel."
    when gnss.fix == "none" and distance since (gnss.fix == "none") > 100 m
}

trigger lidar_frozen {
    describe "The same number of points, bit for bit, in each of 20 samples."
    when std(lidar.points over 2 s) == 0 and samples(lidar.points over 2 s) >= 15 and c.moving
}

trigger steering_stuck {
    when c.spread(ego.steer_angle, 10 s) == 0 deg and abs(ego.yaw_rate) > 5 deg/s
}

trigger grip_lost {
    when rise(abs.active) or rise(tc.active)
    cooldown 30 s
}

trigger first_ice {
    describe "The first time in a drive that water can freeze on the road."
    when latch(is_slippery, false)
}

trigger frame_dropped {
    describe "The camera's counter, which wraps at 256, has jumped."
    when mod(cam.front.frame - prev(cam.front.frame), 256) > 1
    cooldown 1 s
}

trigger wheel_slip {
    when max(
        wheel.fl,
        wheel.fr,
        wheel.rl,
        wheel.rr
    ) - min(wheel.fl, wheel.fr, wheel.rl, wheel.rr) > 10 km/h for 100 ms
}

trigger high_beam_in_rain {
    when (env.light < dark and lights.high_beam and wipers.mode in wiping) for 10 s
    cooldown 10 min
}

trigger odometer_jump {
    when abs(ego.odometer - prev(ego.odometer)) > 1 km
}

trigger fault_stored {
    describe "A new trouble code, or the brake controller has gone silent."
    when changed(dtc.count) and dtc.count > prev(dtc.count)
        or changed(bits(dtc.status, 4)) from 0 to 4
}

trigger door_open_while_moving {
    when (door.open and c.moving) for 1 s
}
